"""A provider's outgoing notifications, tried on its schedule until accepted, and its clock, which can be moved."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from friendpay.demo.emulation.faults import Faults


class Clock:
    """The emulator's time: real time plus what it was advanced by."""

    def __init__(self) -> None:
        self._offset = 0.0
        self.moved = threading.Condition()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._offset)

    def stamp(self) -> datetime:
        """What notifications are signed with: the real time, wherever the clock was moved to."""
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        with self.moved:
            self._offset += seconds
            self.moved.notify_all()

    def monotonic(self) -> float:
        return time.monotonic() + self._offset

    def rest(self, seconds: float | None) -> None:
        """Until so long has passed, or somebody says that something `moved`, which the caller holds; or less."""
        self.moved.wait(seconds)


@dataclass(frozen=True)
class Outgoing:
    """One delivery attempt, ready to send."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Attempt:
    """What became of one: `status` 0 means that nobody answered."""

    url: str
    attempt: int
    status: int
    answer: str


@dataclass(order=True)
class _Delivery:
    due: float
    number: int
    make: Callable[[], Outgoing] = field(compare=False)
    attempts: int = field(default=0, compare=False)


class Notifier:
    """Sends from one thread, in order of due time. `make` builds each attempt anew, so that it can be signed anew."""

    def __init__(
        self, clock: Clock, faults: Faults, schedule: tuple[float, ...], *, accepted: Callable[[int, bytes], bool]
    ) -> None:
        self.clock = clock
        self.faults = faults
        self.schedule = schedule
        self.accepted = accepted
        self.log: list[Attempt] = []
        self._queue: list[_Delivery] = []
        self._held: list[_Delivery] = []
        self._count = 0
        self._busy = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def send(self, make: Callable[[], Outgoing], kind: str = "") -> None:
        """Queue a notification. The faults of notifications strike here; `Fault.only` is looked for in `kind`."""
        if self.faults.take("drop_notification", kind):
            return
        delay = self.faults.take("delay_notification", kind)
        copies = 2 if self.faults.take("duplicate_notification", kind) else 1
        with self.clock.moved:
            due = self.clock.monotonic() + (delay.seconds if delay else 0)
            deliveries = [self._delivery(due, make) for _ in range(copies)]
            if self.faults.take("reorder_notification", kind):
                self._held += deliveries
                return
            late, self._held = self._held, []
            deliveries += [self._delivery(due, held.make) for held in late]
            for delivery in deliveries:
                heapq.heappush(self._queue, delivery)
            self.clock.moved.notify_all()

    def settle(self, timeout: float = 10) -> None:
        """Wait until every delivery that is due has been tried."""
        with self.clock.moved:
            if not self.clock.moved.wait_for(lambda: not self._busy and not self._due(), timeout):
                raise TimeoutError("a notification is still on its way")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self.clock.moved:
            self._stopped = True
            self.clock.moved.notify_all()
        self._thread.join()

    def _delivery(self, due: float, make: Callable[[], Outgoing]) -> _Delivery:
        self._count += 1
        return _Delivery(due, self._count, make)

    def _due(self) -> bool:
        return bool(self._queue) and self._queue[0].due <= self.clock.monotonic()

    def _run(self) -> None:
        with httpx.Client(timeout=5, trust_env=False) as client:
            while delivery := self._next():
                self._try(client, delivery)
                with self.clock.moved:
                    self._busy = False
                    self.clock.moved.notify_all()

    def _next(self) -> _Delivery | None:
        with self.clock.moved:
            while not self._stopped:
                if self._due():
                    self._busy = True
                    return heapq.heappop(self._queue)
                self.clock.rest(self._queue[0].due - self.clock.monotonic() if self._queue else None)
            return None

    def _try(self, client: httpx.Client, delivery: _Delivery) -> None:
        outgoing = delivery.make()
        try:
            answer = client.post(outgoing.url, content=outgoing.body, headers=outgoing.headers)
            status, body = answer.status_code, answer.content
        except httpx.HTTPError as error:
            status, body = 0, repr(error).encode()
        delivery.attempts += 1
        self.log.append(Attempt(outgoing.url, delivery.attempts, status, body[:500].decode("utf-8", "replace")))
        if self.accepted(status, body) or delivery.attempts > len(self.schedule):
            return
        delivery.due = self.clock.monotonic() + self.schedule[delivery.attempts - 1]
        with self.clock.moved:
            heapq.heappush(self._queue, delivery)
