"""Who takes the connections that come in at an address at which several processes listen."""

import asyncio
import errno
import os
import socket
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack

import pytest

from friendpay import siblings
from friendpay.accepting import Door, Loop
from friendpay.kit import limits

LONG = 3600.0


class Echo(asyncio.Protocol):
    """Says back what it hears."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield listening


@pytest.fixture
def callers(listener: socket.socket) -> Iterator[Callable[[int], list[socket.socket]]]:
    """So many connections that wait to be taken; each has said hello."""
    with ExitStack() as stack:

        def call(number: int) -> list[socket.socket]:
            calling = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(number)]
            for one in calling:
                one.setblocking(False)
                one.sendall(b"hello")
            return calling

        yield call


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many a door would take, for each turn that it had."""
    had: list[int] = []
    take = Door._take

    def counted(door: Door) -> None:
        had.append(door._at_once)
        take(door)

    monkeypatch.setattr(Door, "_take", counted)
    return had


def run(work: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work)


async def opened(listener: socket.socket) -> Door:
    door = await asyncio.get_running_loop().create_server(Echo, sock=listener, backlog=200)
    assert isinstance(door, Door)
    return door


async def hears(caller: socket.socket) -> bytes:
    async with asyncio.timeout(30):
        return await asyncio.get_running_loop().sock_recv(caller, 100)


def waiting(listener: socket.socket) -> int:
    """How many another process could take now."""
    taken = 0
    try:
        while True:
            listener.accept()[0].close()
            taken += 1
    except BlockingIOError:
        return taken


def test_of_those_who_come_at_once_one_is_taken_and_the_others_are_left_to_other_processes(
    listener: socket.socket, callers: Callable[[int], list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ACCEPT_REST_SECONDS", LONG)
    first, *_others = callers(16)

    async def work() -> None:
        door = await opened(listener)
        assert await hears(first) == b"hello"
        assert waiting(listener) == 15
        door.close()

    run(work())


def test_a_crowd_is_let_in_by_ever_more_at_a_time(
    listener: socket.socket, callers: Callable[[int], list[socket.socket]], turns: list[int]
) -> None:
    crowd = callers(150)

    async def work() -> None:
        door = await opened(listener)
        assert [await hears(caller) for caller in crowd] == [b"hello"] * 150
        door.close()

    run(work())
    assert turns[:8] == [1, 2, 4, 8, 16, 32, 64, 64]


def test_after_a_crowd_it_takes_one_at_a_time_again(
    listener: socket.socket, callers: Callable[[int], list[socket.socket]], turns: list[int]
) -> None:
    crowd = callers(1 + 2 + 4 + 8)

    async def work() -> None:
        door = await opened(listener)
        for caller in crowd:
            assert await hears(caller) == b"hello"
        for _one_by_one in range(3):
            (caller,) = callers(1)
            assert await hears(caller) == b"hello"
        door.close()

    run(work())
    assert turns == [1, 2, 4, 8, 16, 1, 2]


def test_a_closed_door_takes_nobody_and_those_inside_are_served_on(
    listener: socket.socket, callers: Callable[[int], list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (inside,) = callers(1)

    async def work() -> None:
        door = await opened(listener)
        assert await hears(inside) == b"hello"
        door.close()
        await door.wait_closed()
        monkeypatch.setattr(limits, "ACCEPT_REST_SECONDS", 0)
        callers(1)
        inside.sendall(b"again")
        assert await hears(inside) == b"again"
        assert waiting(listener) == 1

    run(work())


@pytest.mark.parametrize("why", [errno.EMFILE, errno.EPERM, errno.ENETDOWN], ids=errno.errorcode.get)
def test_what_keeps_it_from_taking_anybody_is_said_and_it_tries_again(
    why: int,
    callers: Callable[[int], list[socket.socket]],
    listener: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full(socket.socket):
        refused = 0

        def accept(self) -> "tuple[socket.socket, object]":
            if self.refused < 2:
                self.refused += 1
                raise OSError(why, "not now")
            return super().accept()

    monkeypatch.setattr(limits, "ACCEPT_AGAIN_SECONDS", 0.001)
    (caller,) = callers(1)

    async def work() -> None:
        with Full(fileno=listener.detach()) as full:
            door = await opened(full)
            assert await hears(caller) == b"hello"
            door.close()

    run(work())
    assert [record.getMessage() for record in caplog.records] == [
        f"No connection can be taken now: [Errno {why}] not now"
    ] * 2


def test_a_caller_who_is_gone_again_ends_nothing(
    callers: Callable[[int], list[socket.socket]], listener: socket.socket
) -> None:
    class Gone(socket.socket):
        is_gone = True

        def accept(self) -> "tuple[socket.socket, object]":
            if self.is_gone:
                self.is_gone = False
                raise ConnectionAbortedError
            return super().accept()

    (caller,) = callers(1)

    async def work() -> None:
        with Gone(fileno=listener.detach()) as gone:
            door = await opened(gone)
            assert await hears(caller) == b"hello"
            door.close()

    run(work())


@pytest.fixture
def sibling(monkeypatch: pytest.MonkeyPatch) -> Iterator[siblings._Place]:
    """Another web process, which lives."""
    with subprocess.Popen(["sleep", "3600"]) as other:
        own, its = siblings._Place(os.getpid()), siblings._Place(other.pid)
        monkeypatch.setattr(siblings, "_places", [siblings._Place(), its, own])
        monkeypatch.setattr(siblings, "_own", own)
        yield its
        other.kill()


def test_who_has_more_connections_leaves_them_to_another_process_for_a_moment(
    listener: socket.socket,
    callers: Callable[[int], list[socket.socket]],
    turns: list[int],
    sibling: siblings._Place,
) -> None:
    sibling.connections = 1
    siblings.tell(2)
    (caller,) = callers(1)

    async def work() -> None:
        door = await opened(listener)
        assert await hears(caller) == b"hello"  # nobody else came
        door.close()

    run(work())
    assert len(turns) == limits.ACCEPT_WAITS + 1


def test_who_has_fewer_takes_as_many_as_another_and_one_more(
    listener: socket.socket,
    callers: Callable[[int], list[socket.socket]],
    monkeypatch: pytest.MonkeyPatch,
    sibling: siblings._Place,
) -> None:
    monkeypatch.setattr(limits, "ACCEPT_REST_SECONDS", LONG)
    sibling.connections = 5
    siblings.tell(2)
    first, *_others = callers(10)

    async def work() -> None:
        door = await opened(listener)
        assert await hears(first) == b"hello"
        assert waiting(listener) == 10 - 4
        door.close()

    run(work())


def test_a_crowd_is_let_in_whoever_has_more(
    listener: socket.socket,
    callers: Callable[[int], list[socket.socket]],
    turns: list[int],
    sibling: siblings._Place,
) -> None:
    siblings.tell(1)
    crowd = callers(150)

    async def work() -> None:
        door = await opened(listener)
        assert [await hears(caller) for caller in crowd] == [b"hello"] * 150
        door.close()

    run(work())
    assert turns[-4:] == [16, 32, 64, 64]


def test_a_process_that_is_gone_or_takes_none_any_more_is_waited_for_by_nobody(sibling: siblings._Place) -> None:
    assert siblings.room() == 1
    with subprocess.Popen(["true"]) as gone:
        pass
    sibling.process = gone.pid
    assert siblings.room() is None
    sibling.process = os.getppid()
    assert siblings.room() == 1
    sibling.process = 0
    assert siblings.room() is None


def test_a_process_alone_has_no_other() -> None:
    siblings.tell(3)
    assert siblings.room() is None
    siblings.tell(0)
