"""SVG to PNG, in the drawing process (`friendpay/kit/drawer.py`). It knows nothing of Django."""

from functools import lru_cache
from pathlib import Path

from friendpay.kit import drawer, limits

FONTS = Path(__file__).parent / "fonts"


@lru_cache(maxsize=64)
def png(svg: str) -> bytes:
    """The picture of a drawing, kept for the next who asks for the same. Raises TimeoutError where none came."""
    return drawer.run(draw, svg.encode(), limits.POSTER_SECONDS)


def draw(svg: bytes) -> bytes:
    """What the process does."""
    import resvg_py

    fonts = sorted(str(path) for path in FONTS.glob("*.?tf"))
    return resvg_py.svg_to_bytes(svg_string=svg.decode(), skip_system_fonts=True, font_files=fonts)
