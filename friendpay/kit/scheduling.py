"""How Linux shares its processors among our processes. Elsewhere, and where it is not allowed, nothing is done."""

import os
import sys
from contextlib import suppress


def finish_turns() -> None:
    """Let this process, and all that it starts from now on, finish its turn on a processor when another one wakes.

    Otherwise who has just been answered may take the processor at once, from a thread that holds the interpreter's lock
    or from a server that is at work for us, and everybody who needs those waits.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def processors() -> list[int]:
    """Those that this process may run on, by their numbers; none where nobody says so."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def keep_to(processor: int) -> None:
    """Have this process, and all that it starts from now on, run there alone."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setaffinity(0, {processor})


def run_anywhere() -> None:
    """Take that back."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
