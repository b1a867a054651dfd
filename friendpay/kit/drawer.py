"""Drawing pictures in a process of its own: it takes the processor for a tenth of a second, pages that share the
interpreter would wait for each, and a picture that crashes what reads it takes nobody along. What runs there knows
nothing of Django, so the process starts at once.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from friendpay.kit import scheduling

Drawn = TypeVar("Drawn")

_lock = threading.Lock()
_drawers: dict[int, ProcessPoolExecutor] = {}


def run(draw: Callable[[bytes], Drawn], content: bytes, seconds: float) -> Drawn:
    """What `draw` makes of `content`. Raises TimeoutError where nothing came in time, BrokenProcessPool where drawing
    it ended the process twice, and what `draw` raises.
    """
    try:
        return _drawer().submit(draw, content).result(seconds)
    except BrokenProcessPool:  # somebody killed it, or another picture did: another process draws
        _forget()
        return _drawer().submit(draw, content).result(seconds)


def kill() -> None:
    """End the process, and what it draws: for a picture that does not come to an end. The next call starts another."""
    drawer = _forget()
    for process in list(drawer._processes.values()) if drawer else []:
        process.kill()


def _forget() -> ProcessPoolExecutor | None:
    with _lock:
        return _drawers.pop(os.getpid(), None)


def _drawer() -> ProcessPoolExecutor:
    """This process's own, started when the first picture is asked for; it steps back behind those that serve pages."""
    with _lock:
        if os.getpid() not in _drawers:
            fresh = multiprocessing.get_context("spawn")
            _drawers[os.getpid()] = ProcessPoolExecutor(1, mp_context=fresh, initializer=_begin)
        return _drawers[os.getpid()]


def _begin() -> None:
    import resvg_py  # noqa: F401  # at full pace: whoever shares first does not wait for it

    os.nice(5)
    scheduling.run_anywhere()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A web server that was killed cannot say goodbye: without this its drawer would wait for it forever."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)
