"""The two clients. They differ in how they wait; what they send, repeat and refuse is the same (`policy.py`)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from friendpay_client import policy
from friendpay_client.operations import AsyncOperations, Operations


class Friendpay(Operations):
    """`with Friendpay("sk_test_…", base_url="https://pay.example") as friendpay:`. Threads may share one."""

    def __init__(
        self,
        key: str,
        *,
        base_url: str = policy.BASE_URL,
        timeout: float = policy.TIMEOUT,
        retries: int = policy.RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries
        self._http = httpx.Client(**policy.http_options(key, base_url, timeout), transport=transport)

    def call(
        self, method: str, path: str, *, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        """Any call, such as one repeated after NoAnswer with its `idempotency_key`."""
        call = policy.Call(method, path, query or {}, body, self._retries, idempotency_key)
        while True:
            try:
                response = self._http.request(**call.request)
                wait = call.after(response)
            except httpx.TransportError as error:
                response, wait = None, call.after_failure(error)
            if response is not None and wait is None:
                return call.answer(response)
            time.sleep(wait or 0)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _call(
        self, method: str, path: str, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        return self.call(method, path, query=query, body=body, idempotency_key=idempotency_key)

    def _pages(self, path: str, query: Any) -> Iterator[Any]:
        while True:
            page = self.call("GET", path, query=query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query = {**query, "after": page["data"][-1]["id"]}


class AsyncFriendpay(AsyncOperations):
    """`async with AsyncFriendpay("sk_test_…", base_url="https://pay.example") as friendpay:`."""

    def __init__(
        self,
        key: str,
        *,
        base_url: str = policy.BASE_URL,
        timeout: float = policy.TIMEOUT,
        retries: int = policy.RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._retries = retries
        self._http = httpx.AsyncClient(**policy.http_options(key, base_url, timeout), transport=transport)

    async def call(
        self, method: str, path: str, *, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        """Any call, such as one repeated after NoAnswer with its `idempotency_key`."""
        call = policy.Call(method, path, query or {}, body, self._retries, idempotency_key)
        while True:
            try:
                response = await self._http.request(**call.request)
                wait = call.after(response)
            except httpx.TransportError as error:
                response, wait = None, call.after_failure(error)
            if response is not None and wait is None:
                return call.answer(response)
            await asyncio.sleep(wait or 0)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(
        self, method: str, path: str, query: Any = None, body: Any = None, idempotency_key: str | None = None
    ) -> Any:
        return await self.call(method, path, query=query, body=body, idempotency_key=idempotency_key)

    async def _pages(self, path: str, query: Any) -> AsyncIterator[Any]:
        while True:
            page = await self.call("GET", path, query=query)
            for item in page["data"]:
                yield item
            if not page["has_more"]:
                return
            query = {**query, "after": page["data"][-1]["id"]}
