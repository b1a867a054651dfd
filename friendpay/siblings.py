"""The web processes that are forked from one (`manage.py serve --workers`), and what they say to each other in memory
that they share: how many connections each has, so that whoever has more leaves the next one to the others; and which
processor it keeps to, where there are as many as processes: what a process has at hand there stays at hand.
"""

import mmap
import os
from ctypes import Structure, c_int, sizeof
from typing import Any, ClassVar

from friendpay.kit import limits, scheduling


class _Place(Structure):
    """What one process says. Its number is 0 where nobody is any more, and -1 while it is being forked; a processor is
    counted from 1.
    """

    _fields_: ClassVar[Any] = [("process", c_int), ("connections", c_int), ("processor", c_int)]


_places: list[_Place] = []
_processors: list[int] = []
_own = _Place()
_parent = _forked = 0


def share(processes: int) -> None:
    """In the process that all of them are forked from, before it forks. One that died leaves its place to whoever is
    forked so many later.
    """
    global _parent, _processors
    _parent, many, processors = os.getpid(), processes * limits.FORKS_REMEMBERED, scheduling.processors()
    _places[:] = (_Place * many).from_buffer(mmap.mmap(-1, many * sizeof(_Place)))
    _processors = [number + 1 for number in processors] if len(processors) == processes else []
    os.register_at_fork(before=_begin, after_in_child=_join)


def tell(connections: int) -> None:
    """This process has so many now."""
    _own.connections = connections


def leave() -> None:
    """This process takes none any more."""
    _own.process = 0


def room() -> int | None:
    """How many this process may take until it has one more than another; None where there is no other."""
    others = [it.connections for it in _places if it is not _own and it.process > 0 and _lives(it.process)]
    return min(others) - _own.connections + 1 if others else None


def _begin() -> None:
    """In their parent: the place of the one that is forked now."""
    global _own, _forked
    if os.getpid() == _parent:
        _own = _places[_forked % len(_places)]
        _forked += 1
        taken = {it.processor for it in _places if it is not _own and _lives(it.process)}
        free = [number for number in _processors if number not in taken]
        _own.process, _own.connections, _own.processor = -1, 0, free[0] if free else 0


def _join() -> None:
    """In the one that was forked."""
    if os.getppid() == _parent:
        _own.process = os.getpid()
        if _own.processor:
            scheduling.keep_to(_own.processor - 1)


def _lives(process: int) -> bool:
    try:
        if process > 0:
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return process != 0
