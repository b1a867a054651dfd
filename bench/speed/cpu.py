"""CPU time and memory of a tree of processes, as the system counts them."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True)
class Spent:
    """What was used between two moments, in seconds."""

    cpu: float
    wall: float

    @property
    def cores(self) -> float:
        return self.cpu / self.wall if self.wall else 0.0

    def beyond(self, idle: "Spent") -> float:
        """CPU seconds that were more than what idling costs in the same time; never below zero."""
        return max(0.0, self.cpu - idle.cores * self.wall)


def of_tree(root: psutil.Process) -> list[psutil.Process]:
    """It and all its descendants that live now."""
    with suppress(psutil.NoSuchProcess):
        return [root, *root.children(recursive=True)]
    return []


def seconds(times: Iterable[Any]) -> float:
    """CPU seconds of processes with those of their children that ended.

    A child's time moves to its parent when it ends, so that nothing is lost or counted twice while the tree changes.
    """
    return sum(float(each.user + each.system + each.children_user + each.children_system) for each in times)


class Meter:
    """Counts what some process trees use, from its making on. Roots that die are forgotten."""

    def __init__(self, *roots: int) -> None:
        self._roots = [psutil.Process(pid) for pid in roots]
        self._cpu, self._at = self._now()

    def read(self) -> Spent:
        """What was used since the last reading."""
        cpu, at = self._now()
        spent = Spent(max(0.0, cpu - self._cpu), at - self._at)
        self._cpu, self._at = cpu, at
        return spent

    def memory(self) -> int:
        """Bytes all of them take, pages they share counted once (PSS)."""
        return sum(_each(self._roots, lambda process: int(process.memory_full_info().pss)))

    def _now(self) -> tuple[float, float]:
        return seconds(_each(self._roots, lambda process: process.cpu_times())), time.monotonic()


def _each(roots: Iterable[psutil.Process], ask: Callable[[psutil.Process], Any]) -> Iterator[Any]:
    for root in roots:
        for process in of_tree(root):
            with suppress(psutil.Error):
                yield ask(process)
