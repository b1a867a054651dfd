"""SVG to PNG, in a process of its own: it takes a tenth of a second of a processor, and pages that share the
interpreter would wait for each. It knows nothing of Django, so the process starts at once.
"""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

from friendpay.kit import limits

FONTS = Path(__file__).parent / "fonts"

_lock = threading.Lock()
_drawers: dict[int, ProcessPoolExecutor] = {}


@lru_cache(maxsize=64)
def png(svg: str) -> bytes:
    """The picture of a drawing, kept for the next who asks for the same. Raises TimeoutError where none came."""
    try:
        return _drawer().submit(draw, svg.encode()).result(limits.POSTER_SECONDS)
    except BrokenProcessPool:  # somebody killed it: another one draws
        with _lock:
            _drawers.pop(os.getpid(), None)
        return _drawer().submit(draw, svg.encode()).result(limits.POSTER_SECONDS)


def prepare() -> None:
    """Start the process without waiting for it, so that the first who shares waits for her picture alone."""
    _drawer().submit(os.getpid)


def draw(svg: bytes) -> bytes:
    """What the process does."""
    import resvg_py

    fonts = sorted(str(path) for path in FONTS.glob("*.?tf"))
    return resvg_py.svg_to_bytes(svg_string=svg.decode(), skip_system_fonts=True, font_files=fonts)


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
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A web server that was killed cannot say goodbye: without this its drawer would wait for it forever."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)
