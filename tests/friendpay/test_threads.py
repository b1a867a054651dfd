"""Threads that work for an event loop."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from friendpay.threads import Job, Threads


@pytest.fixture
def lane() -> Iterator[Threads]:
    """Of two threads."""
    threads = Threads("lane", 2)
    yield threads
    threads.close()


class Held:
    """Work that goes on until it is let go, and tells when it was begun."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.fails = False

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(60)
        if self.fails:
            raise LookupError("failed")
        return threading.current_thread().name


def there(name: str = "lane") -> int:
    return sum(thread.name.startswith(f"{name}_") for thread in threading.enumerate())


def becomes(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


async def held(lane: Threads, count: int) -> tuple[list[Held], list[Job[str]]]:
    """So many jobs that are under way."""
    works = [Held() for _ in range(count)]
    jobs = [lane.give(work) for work in works]
    for work in works:
        assert await asyncio.to_thread(work.begun.wait, 60)
    return works, jobs


async def test_a_free_thread_is_taken_before_a_new_one_is_made(lane: Threads) -> None:
    for _ in range(200):
        assert await lane.give(lambda: threading.current_thread().name).answer == "lane_0"
    assert there() == 1


async def test_there_are_no_more_threads_than_asked_for(lane: Threads) -> None:
    works, jobs = await held(lane, 2)
    waits = [lane.give(lambda: threading.current_thread().name) for _ in range(5)]
    assert there() == 2
    for work in works:
        work.open.set()
    assert {await job.answer for job in jobs} == {"lane_0", "lane_1"}
    assert {await job.answer for job in waits} <= {"lane_0", "lane_1"}


async def test_a_job_that_was_taken_back_is_never_begun(lane: Threads) -> None:
    begun: list[str] = []
    works, jobs = await held(lane, 2)
    back, stays = lane.give(partial(begun.append, "back")), lane.give(partial(begun.append, "stays"))
    assert back.take()
    assert not back.take()  # once
    assert not jobs[0].take()  # a thread has it
    for work in works:
        work.open.set()
    await stays.answer
    assert begun == ["stays"]
    assert not stays.take()


@pytest.mark.proof
async def test_of_thread_and_loop_one_alone_gets_a_job(lane: Threads) -> None:
    begun: list[int] = []
    back: list[int] = []
    for number in range(5000):
        job = lane.give(partial(begun.append, number))
        if job.take():
            back.append(number)
        else:
            await job.answer
    await lane.give(lambda: "").answer
    assert sorted(begun + back) == list(range(5000))


async def test_who_asked_sees_the_exception_and_the_thread_goes_on(lane: Threads) -> None:
    def breaks() -> str:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await lane.give(breaks).answer
    assert await lane.give(lambda: threading.current_thread().name).answer == "lane_0"


async def test_who_is_gone_is_not_told(lane: Threads) -> None:
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context))
    works, jobs = await held(lane, 2)
    works[1].fails = True
    for work, job in zip(works, jobs, strict=True):
        job.answer.cancel()
        work.open.set()
    assert await asyncio.to_thread(becomes, lambda: all(thread.done for thread in lane._threads))
    assert await lane.give(lambda: "next").answer == "next"
    await asyncio.sleep(0)
    assert not failed


def test_a_loop_that_is_closed_meanwhile_ends_no_thread(lane: Threads) -> None:
    works, _jobs = asyncio.run(held(lane, 2))
    for work in works:
        work.open.set()

    async def next_one() -> str:
        return await asyncio.wait_for(lane.give(lambda: "next").answer, 60)

    assert asyncio.run(next_one()) == "next"


async def test_closed_nothing_more_is_begun_and_what_is_under_way_ends() -> None:
    lane = Threads("closing", 1)
    [work], [job] = await held(lane, 1)
    begun: list[str] = []
    waits = lane.give(partial(begun.append, "waits"))
    lane.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waits.answer, 60)
    with pytest.raises(RuntimeError, match="nothing more"):
        lane.give(lambda: "late")
    work.open.set()
    assert await job.answer == "closing_0"
    assert await asyncio.to_thread(becomes, lambda: there("closing") == 0)
    assert not begun


async def test_threads_end_with_who_had_them() -> None:
    lane = Threads("left", 1)
    assert await lane.give(lambda: "x").answer == "x"
    del lane
    gc.collect()
    assert await asyncio.to_thread(becomes, lambda: there("left") == 0)


@pytest.mark.parametrize("last", ["", "lane.close()"], ids=["never closed", "closed"])
def test_the_interpreter_ends_after_what_is_under_way(last: str) -> None:
    """And not before, nor never."""
    script = f"""
import asyncio, threading, time
from friendpay.threads import Threads
lane, begun = Threads("lane", 2), threading.Event()
def work():
    begun.set()
    time.sleep(0.3)
    print("done", flush=True)
async def leave():
    await lane.give(lambda: None).answer
    lane.give(work)
    assert begun.wait(60)
asyncio.run(leave())
{last}
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
