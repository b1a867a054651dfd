"""How the system shares its processors among our processes."""

import os
import sys
from contextlib import suppress


def finish_turns() -> None:
    """Let this process, and all that it starts from now on, finish its turn on a processor when another one wakes.

    Linux would let who has just been answered take the processor at once, from a thread that holds the interpreter's
    lock or from a server that is at work for us, and everybody who needs those waits. Elsewhere, and where it is not
    allowed, nothing is done.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
