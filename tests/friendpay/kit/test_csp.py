"""What every answer carries, and what the server as a whole lets in."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from django.test import Client
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from friendpay.bridge import Receive, Scope, Send

pytestmark = pytest.mark.django_db


def test_a_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(client: Client) -> None:
    policy = client.get("/open/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_desk_has_a_policy_of_its_own(client: Client) -> None:
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "https:" not in policy


@pytest.mark.parametrize("path", ["/", "/open/", "/p/unknown/", "/metrics", "/nowhere/"])
def test_no_shared_cache_keeps_an_answer(client: Client, path: str) -> None:
    said = client.get(path).headers["Cache-Control"]
    assert "no-store" in said or "private" in said


def test_an_answer_says_what_it_is_and_who_may_frame_it(client: Client) -> None:
    headers = client.get("/open/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin"


def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    assert client.get("/open/", headers={"Host": "evil.example"}).status_code == 400


def test_a_form_without_its_token_changes_nothing() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/open/", {"code": "x"}).status_code == 403


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The whole ASGI application, for what asks nothing of the database."""
    from friendpay.asgi import application

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False, proxy_headers=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


def test_without_a_list_no_proxy_is_believed(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from friendpay import asgi

    seen: list[tuple[str, str]] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["scheme"], scope["client"][0]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr(asgi, "pages", page)
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert httpx.get(f"http://{site}/open/", headers=forged, trust_env=False).status_code == 204
    assert seen == [("http", "127.0.0.1")]


def test_probes_answer_under_any_name(site: str) -> None:
    assert httpx.get(f"http://{site}/healthz", headers={"Host": "anything"}).status_code == 200


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://127.0.0.1:8001", "https://127.0.0.1:8000"])
async def test_a_socket_is_opened_from_our_own_pages_only(site: str, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{site}/ws/p/unknown/", additional_headers={"Origin": origin} if origin else {}):
            pass
    assert refused.value.response.status_code == 403


async def test_a_socket_without_an_address_is_refused(site: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{site}/ws/nothing/", additional_headers={"Origin": "http://127.0.0.1:8000"}):
            pass
    assert refused.value.response.status_code == 403
