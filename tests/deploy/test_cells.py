"""Two cells under one address: by HAProxy each link, code and key finds its own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from pytest_django.fixtures import Settings

from friendpay.kit import ids
from orders.models import ApiKey
from payments.share import codes
from tests import debian
from tests.deploy.stand import DEPLOY, NAME, ROOT, running
from tests.ports import free_port
from tests.shop import make_order

MARK = "K3"


@contextmanager
def cell(name: str) -> Iterator[int]:
    """A server that says which cell it is."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        do_POST = do_GET

        def log_message(self, *words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Says)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`deploy/haproxy/cells.cfg` with two small cells behind it, and no certificate; the address."""
    folder = tmp_path_factory.mktemp("cells")
    with ExitStack() as stack:
        first, second = (stack.enter_context(cell(name)) for name in ("first", "second"))
        outside = free_port()
        conf = (DEPLOY / "haproxy" / "cells.cfg").read_text()
        for ours, here in (
            ("maxconn 20000\n", "maxconn 1000\n"),
            ("default-server check inter 1s fall 2 rise 1 maxconn 500", "default-server maxconn 500"),
            ("bind :80\n", f"bind 127.0.0.1:{outside}\n"),
            (f"    bind :443 ssl crt /etc/ssl/{NAME}.pem alpn h2,http/1.1\n", ""),
            ("    http-request redirect scheme https code 301 unless { ssl_fc }\n", ""),
            ("/etc/haproxy/cells.map", str(DEPLOY / "haproxy" / "cells.map")),
            ("10.0.0.11:8000", f"127.0.0.1:{first}"),
            ("10.0.0.12:8000", f"127.0.0.1:{first}"),
            ("10.0.0.13:8000", f"127.0.0.1:{second}"),
            ("10.0.0.14:8000", f"127.0.0.1:{second}"),
        ):
            assert ours in conf, ours
            conf = conf.replace(ours, here)
        (folder / "haproxy.cfg").write_text(conf)
        command = [debian.program("haproxy", "haproxy"), "-db", "-f", str(folder / "haproxy.cfg")]
        stack.enter_context(running(command, outside))
        yield f"http://127.0.0.1:{outside}"


def ask(door: str, path: str, *, key: str = "", text: str = "", seen: str = "") -> str:
    """Which cell answers."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {"Cookie": f"cell={seen}"} if seen else {}
    with httpx.Client(base_url=door, headers=headers, trust_env=False) as client:
        return (client.post(path, data={"text": text}) if text else client.get(path)).text


@pytest.fixture(params=["", MARK])
def mark(request: pytest.FixtureRequest, settings: Settings) -> str:
    settings.CELL = request.param
    return str(request.param)


def whose(mark: str) -> str:
    return "second" if mark else "first"


@pytest.mark.parametrize(
    "path",
    ["/p/{}/", "/p/{}/status.json", "/checkout/{}/embed/", "/r/{}/", "/pay/{}/qr.svg", "/mail/{}/", "/ws/p/{}/"]
    + ["/notify/alipay/acc_{}/", "/pictures/{}.webp", "/sandbox/{}/", "/api/v1/pairings/pair_{}/redeem"],
)
def test_a_link_finds_its_cell_whatever_was_seen_before(door: str, mark: str, path: str) -> None:
    token = ids.token()
    assert len(token) == len(mark) + 24
    for seen in ("", MARK, "-"):
        assert ask(door, path.format(token), seen=seen) == whose(mark)


@pytest.mark.django_db
def test_a_key_finds_its_cell_whatever_is_asked(door: str, mark: str) -> None:
    for live in (False, True):
        key = ApiKey.make(make_order().merchant, live=live)[1]
        for path in ("/api/v1/orders", f"/api/v1/orders/ord_{secrets.token_hex(16)}"):
            assert ask(door, path, key=key, seen=MARK) == whose(mark)


@pytest.mark.parametrize(
    "said",
    [
        "{}",
        " {} ",
        "Lin asks you to pay.\r\nCode: {}, or open\r\nhttps://pay.shop.example/open/ at once",
        "code {}.",
        "Code:\r\n{}\r\n",
    ],
)
def test_a_code_finds_its_cell_however_it_is_typed(door: str, mark: str, said: str) -> None:
    for _try in range(5):
        code = codes.new()
        assert len(code) == len(mark) + 8
        shown = "-".join(filter(None, (code[:-8], code[-8:-4], code[-4:])))
        for typed in (code, code.lower(), shown, shown.lower(), shown.replace("-", " ")):
            assert ask(door, "/open/", text=said.format(typed), seen=MARK) == whose(mark)


def test_a_pasted_link_finds_its_cell(door: str, mark: str) -> None:
    said = f"Lin asks:\nhttps://pay.shop.example/p/{ids.token()}/\nor 7K3M-9QXW"
    assert ask(door, "/open/", text=said, seen=MARK) == whose(mark)


def test_what_says_nothing_goes_where_the_browser_was(door: str) -> None:
    assert ask(door, "/login/?code=x", seen=MARK) == ask(door, "/logo/x.png", seen=MARK) == "second"
    assert ask(door, "/login/?code=x") == ask(door, "/", seen="ZZ") == "first"
    with httpx.Client(base_url=door, trust_env=False) as client:
        told = client.get(f"/p/{MARK}{'a' * 24}/").headers["set-cookie"]
        assert told == f"cell={MARK}; Path=/; Secure; HttpOnly; SameSite=Lax"
        assert "set-cookie" not in client.get(f"/p/{'a' * 24}/").headers


def test_a_cell_reads_its_own_codes_and_links_as_people_write_them() -> None:
    """In a process of its own: what a code looks like is settled at the start."""
    says = """
from payments.pages import not_found
from payments.share import codes
from payments.models import PaymentRequest
code, mark = codes.new(), "K3"
assert code.startswith(mark) and len(code) == 10, code
shown = codes.shown(PaymentRequest(code=code))
assert shown == f"{mark}-{code[2:6]}-{code[6:]}", shown
for typed in (code, shown, shown.lower(), f"code {shown}, or open", " ".join(code)):
    assert codes.inside(typed) == [code], typed
wrong = code[:-1] + next(sign for sign in codes.ALPHABET if sign != code[-1])
assert codes.inside(wrong) == codes.inside(code[2:]) == []
from friendpay.kit import ids
assert codes._TOKEN.findall(f"https://pay.example/p/{(token := ids.token())}/") == [token]
"""
    environment = os.environ | {"CELL": MARK, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", f"import django\ndjango.setup(){says}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
