"""The proxies' configurations, run for real: friendpay sees whoever calls, and pages are live."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from friendpay.doctor import knock
from payments.live.consumers import NOT_FOUND
from tests.deploy.stand import Stand, becomes, haproxy, nginx, standing

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("stand")
    folder.chmod(0o711)
    with standing(folder) as stand:
        stand.start("web@1")
        becomes(stand.is_up)
        yield stand


def ask(stand: Stand, path: str, **headers: str) -> httpx.Response:
    """From an address that is no proxy's."""
    known = ssl.create_default_context(cafile=str(stand.certificate))
    way = httpx.HTTPTransport(verify=known, local_address="127.0.0.2")
    with httpx.Client(transport=way) as client:
        return client.get(
            f"https://127.0.0.1:{stand.outside}{path}",
            headers={"Host": host(stand), **headers},
            extensions={"sni_hostname": "localhost"},
        )


def host(stand: Stand) -> str:
    return f"localhost:{stand.outside}"


@pytest.mark.parametrize("proxy", [nginx, haproxy])
def test_friendpay_sees_who_calls_through_the_proxy(
    stand: Stand, proxy: Callable[[Stand], AbstractContextManager[None]]
) -> None:
    with proxy(stand):
        lie = "203.0.113.9"
        word = stand.manage("shell", "--no-imports", "-c", "from friendpay.doctor import knock; print(knock.word())")
        seen = ask(stand, "/healthz", **{knock.HEADER: word.stdout.strip(), "X-Forwarded-For": lie}).json()
        assert (seen["scheme"], seen["host"], seen["client"]) == ("https", host(stand), "127.0.0.2"), "and no lie"
        assert ask(stand, "/").status_code == 200
        known = ssl.create_default_context(cafile=str(stand.certificate))
        wanted = connect(f"wss://{host(stand)}/ws/p/nothing/", origin=Origin(stand.address), ssl=known)
        with wanted as line, pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=60)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == NOT_FOUND
        found = diagnosis(stand)
        assert found["public address"]["state"] == found["live pages"]["state"] == "ok"
        assert "TRUSTED_PROXIES names" in found["proxy headers"]["says"], "this machine is a proxy's address"


def diagnosis(stand: Stand) -> dict[str, Any]:
    told = json.loads(stand.try_to("doctor", "--json").stdout)
    return {one["about"]: one for one in told}


def test_without_trusted_proxies_everybody_is_one_and_the_doctor_says_so(stand: Stand) -> None:
    stand.stop("web@1")
    trusted = stand.environment.pop("TRUSTED_PROXIES")
    try:
        stand.start("web@1")
        becomes(stand.is_up)
        with nginx(stand):
            found = diagnosis(stand)
    finally:
        stand.environment["TRUSTED_PROXIES"] = trusted
    assert found["proxy headers"]["state"] == "wrong"
    assert "ONE" in found["proxy headers"]["says"]
    assert "TRUSTED_PROXIES=127.0.0.1" in found["proxy headers"]["mend"]
