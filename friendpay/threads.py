"""Threads that work for an event loop: a lane of them never has more than a fixed number, and no more than it needed.

What handing a job over costs is paid by every page: a queue there, one call of the loop back, and no lock besides.
"""

import asyncio
import atexit
import queue
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """What a thread is to do, and the future of the running loop that gets its answer, or its exception."""

    __slots__ = ("_loop", "_work", "answer")

    def __init__(self, work: Callable[[], T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = [work]
        self.answer: asyncio.Future[T] = self._loop.create_future()

    def take(self) -> Callable[[], T] | None:
        """The work, for whoever takes it first, who has it alone: a thread to begin it, or the loop to take it back."""
        try:
            return self._work.pop()  # atomic
        except IndexError:
            return None

    def tell(self, what: Callable[..., object], *args: object) -> None:
        """Have the loop do this; a loop that is closed has nobody left who waits."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *args)


Jobs = queue.SimpleQueue[Job[Any] | None]


class Threads:
    """At most `most` threads, made when none of those that are there is free. One loop at a time gives them jobs."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._given = 0
        self._jobs: Jobs = queue.SimpleQueue()
        self._threads: list[_Thread] = []
        # Called by `close`, or when nobody has these threads any more.
        self._end = weakref.finalize(self, _end, self._jobs, self._threads)
        self._end.atexit = False

    def give(self, work: Callable[[], T]) -> Job[T]:
        """A thread begins it as soon as one is free."""
        if not self._end.alive:
            raise RuntimeError("These threads begin nothing more")
        job = Job(work)
        there = len(self._threads)
        if there < self._most and self._given - sum(thread.done for thread in self._threads) >= there:
            thread = _Thread(f"{self._name}_{there}", self._jobs)
            thread.start()
            self._threads.append(thread)
        self._given += 1
        self._jobs.put(job)
        return job

    def close(self) -> None:
        """Begin nothing more: jobs that wait are cancelled, and each thread ends after what it is at."""
        self._end()


class _Thread(threading.Thread):
    """A daemon, so that threads nobody closed can be told to end at the interpreter's end, which waits for others
    before it tells anybody.
    """

    def __init__(self, name: str, jobs: Jobs) -> None:
        super().__init__(name=name, daemon=True)
        self.jobs = jobs
        self.done = 0

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            what: Callable[..., object] | None = None
            outcome: object = None
            if work := job.take():
                try:
                    what, outcome = _answer, work()
                except BaseException as error:
                    what, outcome = _fail, error
            self.done += 1  # before it is told: who asks then finds this thread free
            if what:
                job.tell(what, job.answer, outcome)
            del job, work, what, outcome  # nothing of a request is kept until the next


def _answer(answer: "asyncio.Future[T]", outcome: T) -> None:
    if not answer.done():  # who asked may be gone
        answer.set_result(outcome)


def _fail(answer: "asyncio.Future[T]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def _end(jobs: Jobs, threads: "list[_Thread]") -> None:
    with suppress(queue.Empty):
        while job := jobs.get_nowait():
            job.tell(job.answer.cancel)
    for _ in threads:
        jobs.put(None)


@atexit.register
def _wait() -> None:
    """The interpreter ends once the jobs under way have ended."""
    threads = [thread for thread in threading.enumerate() if isinstance(thread, _Thread)]
    for thread in threads:
        thread.jobs.put(None)
    for thread in threads:
        thread.join()
