"""A shop's colour and logo: contrast as WCAG wants it, whatever the shop sends, and nothing loaded from elsewhere."""

import hashlib
from base64 import b64encode
from functools import lru_cache

import resvg_py
from django.db import transaction

from friendpay.kit import limits
from orders.models import Logo, Merchant

PAPERS = {"light": "#f6f5f2", "dark": "#1c1d1b"}
"""What the colour has to stand out from: of the pages' surfaces the one nearest to it, in each scheme."""

INKS = {"light": "#ffffff", "dark": "#06140d"}
"""What is written on it."""

_PNG = b"\x89PNG\r\n\x1a\n"

Rgb = tuple[int, int, int]


def stylesheet(accent: str) -> str:
    """The accent colour of a shop in both schemes, moved towards black or white until it can be read by everybody."""
    light, dark = (f"--accent:{shade(accent, scheme)};--on-accent:{INKS[scheme]}" for scheme in PAPERS)
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


@lru_cache(maxsize=256)
def shade(accent: str, scheme: str) -> str:
    """The colour nearest to `accent` that keeps the contrast in one of the schemes."""
    end = 0 if scheme == "light" else 255
    colour = start = _rgb(accent)
    for step in range(1, 65):
        if contrast(_hex(colour), PAPERS[scheme]) >= limits.TEXT_CONTRAST:
            break
        red, green, blue = (round(part + (end - part) * step / 64) for part in start)
        colour = (red, green, blue)
    return _hex(colour)


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def redraw(picture: bytes) -> bytes:
    """A PNG drawn anew, small and square: nothing of the file itself reaches anybody. ValueError for what is none."""
    width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
    if not picture.startswith(_PNG) or len(picture) > limits.LOGO_BYTES or max(width, height) > limits.LOGO_PIXELS:
        raise ValueError("not a PNG of a size we take")
    drawn = _draw(f'<image width="100%" height="100%" href="data:image/png;base64,{b64encode(picture).decode()}"/>')
    if drawn == _draw(""):
        raise ValueError("nothing can be seen on it")
    return drawn


def _draw(content: str) -> bytes:
    side = limits.LOGO_SIDE_PIXELS
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">'
    return resvg_py.svg_to_bytes(svg_string=f"{head}{content}</svg>")


@transaction.atomic
def change_logo(merchant: Merchant, picture: bytes | None) -> None:
    """Give the shop a logo that `redraw` made, or none. Its address changes with what is on it."""
    Logo.objects.filter(merchant=merchant).delete()
    merchant.logo = ""
    if picture:
        merchant.logo = hashlib.sha256(merchant.public_id.encode() + picture).hexdigest()[:20]
        Logo.objects.create(merchant=merchant, name=merchant.logo, picture=picture)
    merchant.save(update_fields=["logo"])
