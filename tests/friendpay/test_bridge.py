"""The bridge between an ASGI server and a WSGI application, on a real server and with a real socket."""

import asyncio
import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from friendpay.bridge import Bridge
from friendpay.kit import limits

Start = Callable[[str, list[tuple[str, str]]], None]
LIMIT = 1000
BROWSER = httpx.Client(verify=False, timeout=60)  # loading certificates nobody checks would take longer than the tests


class Application:
    """A WSGI application that tells what it was asked, and can be made to wait."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        self.threads.add(threading.current_thread().name)
        body = environ["wsgi.input"].read()
        self.seen.append(environ | {"body": body})
        if environ["PATH_INFO"] == "/hang":
            self.entered.release()
            assert self.open.wait(60)
        if environ["PATH_INFO"] == "/break":
            raise RuntimeError("broken")
        status = "204 No Content" if environ["PATH_INFO"] == "/nothing" else "200 OK"
        start(status, [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return Closing(self, [] if environ["PATH_INFO"] == "/nothing" else [b"part one, ", b"part two"])


class Closing:
    """An answer in parts that has to be closed."""

    def __init__(self, application: Application, parts: list[bytes]) -> None:
        self.application, self.parts = application, parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        self.application.closed += 1


@contextlib.contextmanager
def serving(application: Any) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def site(application: Application) -> Iterator[str]:
    """Two threads, and room for two more requests to wait for a quarter of a second."""
    bridge = Bridge(application, threads=2, waiting=2, patience=0.25, max_body=LIMIT)
    with serving(bridge) as address:
        yield address
    application.open.set()
    bridge.close()


def raw(site: str, request: bytes) -> bytes:
    """Exactly these bytes, and all that comes back until the server hangs up."""
    host, port = site.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def hang(site: str, count: int) -> list[threading.Thread]:
    """So many visitors on a page that does not answer."""
    threads = [
        threading.Thread(target=BROWSER.get, args=(f"{site}/hang",), kwargs={"timeout": 60}) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def test_an_answer_arrives_whole_and_is_closed(site: str, application: Application) -> None:
    answer = BROWSER.get(f"{site}/page?q=%C3%A9")
    assert answer.text == "part one, part two"
    assert answer.headers["content-length"] == "18"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert application.closed == 1
    assert application.seen[0]["QUERY_STRING"] == "q=%C3%A9"


def test_a_large_file_is_sent_piece_by_piece_after_its_thread_is_free(application: Application) -> None:
    size, sent, alive = 3 * limits.FILE_PIECE_BYTES + 5, [], 0

    def answers(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the answer
        file.write(b"x" * size)
        file.seek(0)
        start("200 OK", [("Content-Type", "text/csv"), ("Content-Length", str(size))])
        return environ["wsgi.file_wrapper"](file, 8192)  # type: ignore[no-any-return]

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        nonlocal alive
        sent.append(message.get("body"))
        alive = max(alive, len(message.get("body", b"")))

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "scheme": "http"}
    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(Bridge(answers, threads=1, max_body=LIMIT)({**scope, "http_version": "1.1"}, receive, send))
    assert (len(b"".join(sent[1:])), alive) == (size, limits.FILE_PIECE_BYTES)
    assert len(os.listdir("/proc/self/fd")) <= before
    with serving(Bridge(answers, threads=1, max_body=LIMIT)) as site:
        assert len(BROWSER.get(site).content) == size
        assert BROWSER.head(site).headers["content-length"] == str(size)


def test_a_request_is_told_as_wsgi_tells_it(site: str, application: Application) -> None:
    BROWSER.post(f"{site}/caf%C3%A9/", content=b"sugar", headers={"X-Two": "a", "Content-Type": "text/sweet"})
    seen = application.seen[0]
    assert seen["REQUEST_METHOD"] == "POST"
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/café/"
    assert (seen["body"], seen["CONTENT_LENGTH"], seen["CONTENT_TYPE"]) == (b"sugar", "5", "text/sweet")
    assert (seen["HTTP_X_TWO"], seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("a", "127.0.0.1", "http")


def test_repeated_headers_are_joined(site: str, application: Application) -> None:
    raw(
        site,
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=1\r\nCookie: b=2\r\nX-Two: a\r\nX-Two: b\r\nConnection: close\r\n\r\n",
    )
    assert application.seen[0]["HTTP_COOKIE"] == "a=1; b=2"
    assert application.seen[0]["HTTP_X_TWO"] == "a,b"


def test_an_underscore_does_not_pass_for_a_dash(site: str, application: Application) -> None:
    raw(site, b"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 6.6.6.6\r\nConnection: close\r\n\r\n")
    assert "HTTP_X_FORWARDED_FOR" not in application.seen[0]


def test_head_is_answered_as_get_without_the_body(site: str, application: Application) -> None:
    said = raw(site, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 18" in said
    assert said.endswith(b"\r\n\r\n")
    assert application.seen[0]["REQUEST_METHOD"] == "HEAD"


async def test_no_server_has_to_take_the_body_off_an_answer_to_head(application: Application) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": "/", "query_string": b"", "headers": [], "scheme": "http"}
    await Bridge(application, threads=1, max_body=LIMIT)({**scope, "http_version": "1.1"}, receive, send)
    assert sent[1]["body"] == b""


def test_an_answer_without_a_body_names_no_length(site: str) -> None:
    said = raw(site, b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 204")
    assert b"content-length" not in said


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 3_000_000])
def test_of_a_body_that_is_too_large_only_the_size_is_told(site: str, application: Application, size: int) -> None:
    assert BROWSER.post(site, content=b"x" * size).status_code == 200
    seen = application.seen[0]
    assert seen["CONTENT_LENGTH"] == str(size)
    assert len(seen["body"]) == (size if size <= LIMIT else 0)


def test_a_body_in_chunks_is_counted_too(site: str, application: Application) -> None:
    BROWSER.post(site, content=iter([b"x" * 600, b"y" * 600]))
    assert application.seen[0]["CONTENT_LENGTH"] == "1200"
    assert application.seen[0]["body"] == b""


@pytest.mark.proof
def test_nobody_feeds_us_for_ever(site: str, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_DRAINED_BYTES", 5000)
    said = raw(site, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 6000)
    assert said.startswith(b"HTTP/1.1 200")  # answered, long before all of it came
    assert application.seen[0]["body"] == b""


@pytest.mark.proof
def test_a_body_that_does_not_come_is_not_waited_for(
    site: str, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", int(site.rsplit(":", 1)[1])), timeout=60) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        assert client.recv(100).startswith(b"HTTP/1.1 408")
    assert not application.seen


def test_who_leaves_before_the_body_came_reaches_nobody(site: str, application: Application) -> None:
    with socket.create_connection(("127.0.0.1", int(site.rsplit(":", 1)[1])), timeout=60) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert BROWSER.get(f"{site}/page").status_code == 200
    assert [seen["PATH_INFO"] for seen in application.seen] == ["/page"]


def test_an_error_outside_the_application_is_a_500(site: str) -> None:
    answer = BROWSER.get(f"{site}/break")
    assert answer.status_code == 500
    assert "broken" not in answer.text


@pytest.mark.proof
def test_no_more_threads_than_asked_for(site: str, application: Application) -> None:
    for _ in range(10):
        BROWSER.get(site)
    assert len(application.threads) <= 2


@pytest.mark.proof
def test_behind_hung_pages_one_waits_a_moment_and_no_longer(site: str, application: Application) -> None:
    visitors = hang(site, 2)
    assert all(application.entered.acquire(timeout=60) for _ in visitors)
    began = time.monotonic()
    answer = BROWSER.get(f"{site}/page")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert 0.2 < time.monotonic() - began < 30
    application.open.set()
    for visitor in visitors:
        visitor.join()
    assert BROWSER.get(f"{site}/page").status_code == 200
    assert [seen["PATH_INFO"] for seen in application.seen] == ["/hang", "/hang", "/page"]


@pytest.mark.proof
def test_behind_a_page_that_comes_to_an_end_one_is_served(application: Application) -> None:
    bridge = Bridge(application, threads=1, waiting=2, patience=60, max_body=LIMIT)
    with serving(bridge) as site:
        [visitor] = hang(site, 1)
        assert application.entered.acquire(timeout=60)
        threading.Timer(0.1, application.open.set).start()
        assert BROWSER.get(f"{site}/page", timeout=60).status_code == 200
        visitor.join()


@pytest.mark.proof
def test_more_than_may_wait_are_sent_away_at_once(application: Application) -> None:
    bridge = Bridge(application, threads=1, waiting=0, patience=60, max_body=LIMIT)
    with serving(bridge) as site:
        [visitor] = hang(site, 1)
        assert application.entered.acquire(timeout=60)
        assert BROWSER.get(f"{site}/page").status_code == 503
        application.open.set()
        visitor.join()


@pytest.mark.proof
@pytest.mark.parametrize(
    ("path", "code"), [("/api/v1/orders", "overloaded"), ("/api/v1", "overloaded"), ("/api/v10", ""), ("/", "")]
)
def test_who_is_sent_away_is_told_so_in_the_words_of_the_place(path: str, code: str, application: Application) -> None:
    from friendpay.asgi import words

    with serving(Bridge(application, threads=1, waiting=-1, max_body=LIMIT, words=words)) as site:
        answer = BROWSER.get(f"{site}{path}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    if code:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["status"], answer.json()["code"]) == (503, code)
    else:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "Please try again" in answer.text


@pytest.mark.proof
def test_who_leaves_while_waiting_costs_no_work(application: Application) -> None:
    bridge = Bridge(application, threads=1, waiting=5, patience=60, max_body=LIMIT)
    with serving(bridge) as site:
        [visitor] = hang(site, 1)
        assert application.entered.acquire(timeout=60)
        for _ in range(5):
            with pytest.raises(httpx.ReadTimeout):
                BROWSER.get(f"{site}/gone", timeout=httpx.Timeout(60, read=0.05))
        assert _becomes(lambda: bridge._inside.total() == 1)
        application.open.set()
        visitor.join()
        assert BROWSER.get(f"{site}/page").status_code == 200
    assert [seen["PATH_INFO"] for seen in application.seen] == ["/hang", "/page"]


def _becomes(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_a_lane_whose_threads_all_wait_holds_up_no_other(application: Application) -> None:
    """As when every friend at one wallet waits for its server."""
    bridge = Bridge(application, threads=1, max_body=LIMIT, lane=lambda scope, body: body.decode())
    with serving(bridge) as site:
        hung = threading.Thread(target=BROWSER.post, args=(f"{site}/hang",), kwargs={"content": b"ill", "timeout": 60})
        hung.start()
        assert application.entered.acquire(timeout=60)
        assert BROWSER.post(f"{site}/page", content=b"well", timeout=30).status_code == 200
        application.open.set()
        hung.join()
    bridge.close()
