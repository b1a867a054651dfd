"""How many connections each web process has, of those forked from one (`manage.py serve --workers`). They say it to
each other in memory that they share, so that whoever has more leaves the next one to the others.
"""

import mmap
import os

from friendpay.kit import limits

_kept: "memoryview | None" = None  # of each place the process that has it, and its connections
_place = -1
_parent = 0


def share(processes: int) -> None:
    """In the process that all of them are forked from, before it forks. One that died leaves its place to whoever is
    forked so many later.
    """
    global _kept, _parent
    _parent = os.getpid()
    _kept = memoryview(mmap.mmap(-1, 8 * processes * limits.FORKS_REMEMBERED)).cast("i")
    os.register_at_fork(before=_begin, after_in_child=_join)


def tell(connections: int) -> None:
    """This process has so many now."""
    if _kept is not None and _place >= 0:
        _kept[2 * _place + 1] = connections


def leave() -> None:
    """This process takes none any more."""
    if _kept is not None and _place >= 0:
        _kept[2 * _place] = 0


def room() -> int | None:
    """How many this process may take until it has one more than another; None where there is no other."""
    if _kept is None:
        return None
    own = os.getpid()
    others = [_kept[at + 1] for at in range(0, len(_kept), 2) if _kept[at] not in (0, own) and _lives(_kept[at])]
    return min(others) - _kept[2 * _place + 1] + 1 if others else None


def _begin() -> None:
    global _place
    if _kept is not None and os.getpid() == _parent:
        _place = (_place + 1) % (len(_kept) // 2)


def _join() -> None:
    if _kept is not None and os.getppid() == _parent:
        _kept[2 * _place], _kept[2 * _place + 1] = os.getpid(), 0


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
