"""What replaces a silent primary, against a real etcd: most have to agree, and whoever is heard keeps its lease."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from tests import debian
from tests.deploy.stand import DEPLOY, becomes
from tests.ports import free_port

_spec = spec_from_file_location("silent_primary", DEPLOY / "patroni" / "silent_primary.py")
assert _spec
assert _spec.loader
silent_primary = module_from_spec(_spec)
_spec.loader.exec_module(silent_primary)

SILENCE = 7.0
LEADER = "/service/friendpay/leader"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = debian.program("etcd", "etcd-server")
    clients, peers = (f"http://127.0.0.1:{free_port()}" for _each in range(2))
    folder = tmp_path_factory.mktemp("etcd")
    words = [f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}", f"--listen-peer-urls={peers}"]
    more = [f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}", "--log-level=error"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, f"--data-dir={folder}/data", *words, *more], stdout=log, stderr=log)
    try:
        becomes(lambda: answered(clients))
        yield clients
    finally:
        process.kill()
        process.wait()


def answered(address: str) -> bool:
    try:
        silent_primary.Etcd([address]).get("/")
    except OSError:
        return False
    return True


@pytest.fixture
def etcd(address: str) -> Iterator[Any]:
    etcd = silent_primary.Etcd([address])
    yield etcd
    for row in (*etcd.get("/service/"), *etcd.get("/friendpay/")):
        if row["lease"] != "0":
            try:
                etcd.revoke(row["lease"])
            except OSError:
                continue  # several keys may hang on one lease


@contextmanager
def patroni() -> Iterator[str]:
    """The address of a Patroni that is alive."""

    class Alive(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/liveness" else 404)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Alive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/patroni"
    finally:
        server.shutdown()
        server.server_close()


def told(etcd: Any, primary: str, *names: str) -> None:
    """A cluster as Patroni writes it: every member, and db1 that leads, answers under `primary`."""
    for name in names:
        etcd.say(f"/service/friendpay/members/{name}", json.dumps({"api_url": primary}), 60)
    etcd.say(LEADER, "db1", 60)


def watches(etcd: Any, *names: str) -> list[Any]:
    return [silent_primary.Watch(etcd, name, "friendpay", SILENCE) for name in names]


def leads(etcd: Any) -> bool:
    return [row["value"] for row in etcd.get(LEADER)] == ["db1"]


def silent() -> str:
    return f"http://127.0.0.1:{free_port()}/patroni"


def test_a_silent_primary_loses_its_lease_once_most_members_say_so(etcd: Any) -> None:
    told(etcd, silent(), "db1", "db2", "db3")
    second, third = watches(etcd, "db2", "db3")
    assert not any(watch.look(at) for watch in (second, third) for at in (0.0, SILENCE - 0.1))
    assert not second.look(SILENCE)
    assert leads(etcd)
    assert third.look(SILENCE)
    assert not leads(etcd)
    assert not second.look(SILENCE + 1)


def test_one_member_decides_nothing_however_long_it_hears_nothing(etcd: Any) -> None:
    told(etcd, silent(), "db1", "db2", "db3")
    (second,) = watches(etcd, "db2")
    assert not any(second.look(float(at)) for at in range(30))
    assert leads(etcd)


def test_the_last_standby_does_not_replace_the_primary_by_itself(etcd: Any) -> None:
    told(etcd, silent(), "db1", "db2")
    (second,) = watches(etcd, "db2")
    assert not any(second.look(float(at)) for at in range(30))
    assert leads(etcd)


def test_a_primary_that_answers_keeps_its_lease(etcd: Any) -> None:
    with patroni() as alive:
        told(etcd, alive, "db1", "db2", "db3")
        assert not any(watch.look(float(at)) for watch in watches(etcd, "db2", "db3") for at in range(30))
    assert leads(etcd)


def test_a_primary_says_nothing_of_itself(etcd: Any) -> None:
    told(etcd, silent(), "db1", "db2", "db3")
    assert not any(watch.look(float(at)) for watch in watches(etcd, "db1", "db3") for at in range(30))
    assert leads(etcd)


def test_what_was_said_of_another_lease_does_not_count(etcd: Any) -> None:
    told(etcd, silent(), "db1", "db2", "db3")
    etcd.say("/friendpay/silent/friendpay/db3", "12345", 60)
    (second,) = watches(etcd, "db2")
    assert not any(second.look(float(at)) for at in range(30))
    assert leads(etcd)


def test_silence_counts_anew_after_etcd_was_away(etcd: Any, address: str) -> None:
    told(etcd, silent(), "db1", "db2", "db3")
    second, third = watches(etcd, "db2", "db3")
    third.look(0.0)
    third.look(SILENCE)
    second.look(0.0)
    second.etcd = silent_primary.Etcd([silent()])
    with pytest.raises(OSError, match="refused"):
        second.look(5.0)
    second.etcd = etcd
    assert not second.look(SILENCE + 20)
    assert leads(etcd)


def test_a_dead_member_of_etcd_is_asked_last_from_then_on(etcd: Any, address: str) -> None:
    dead = silent().removesuffix("/patroni")
    both = silent_primary.Etcd([dead, address])
    told(both, silent(), "db1")
    assert both._addresses == [address, dead]
