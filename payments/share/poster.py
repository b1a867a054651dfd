"""The poster: a request as a picture to send or to hang up, 1080 by 1440, in any of our languages.

It is an SVG that a library turns into PNG with fonts of our own, so that it looks the same on every machine and needs
none installed. Goods and amount are on it only where the buyer says so, for a picture travels further than a link. A
character that no font of ours has leaves a gap, never a box.
"""

import unicodedata
from base64 import b64encode
from functools import lru_cache
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from friendpay.kit import quantities
from friendpay.kit.money import Money
from orders import branding
from orders.models import Logo, Merchant
from payments.models import PaymentRequest
from payments.share import codes, phrases, safety_words
from payments.share.text import link, matrix, open_address, qr_path

WIDTH, HEIGHT = 1080, 1440
INK, SOFT, ACCENT = "#1b1a17", "#66635b", "#0b7a4b"
_MIDDLE, _ROOM = WIDTH // 2, 880  # where lines are centred, and how long one may be
_SCRIPTS = (
    ("Noto Sans Arabic", ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))),
    ("Noto Sans Devanagari", ((0x900, 0x97F), (0xA8E0, 0xA8FF))),
    ("Noto Sans Thai", ((0xE00, 0xE7F),)),
    ("Noto Sans", ((0, 0x52F), (0x1E00, 0x206F), (0x20A0, 0x20BF))),
)
_EAST_ASIAN = "Noto Sans CJK SC"


def svg(request: PaymentRequest, *, goods: bool, amount: bool) -> SafeString:
    """The drawing, in the language of whoever asks for it."""
    order, shop = request.order, request.merchant
    accent = branding.shade(shop.accent or ACCENT, "light")
    lines: list[SafeString] = []
    y = 166

    def say(text: str, size: int, after: int, colour: str = INK, *, bold: bool = False, ltr: str = "") -> None:
        nonlocal y
        lines.append(line(text, y, size, colour, bold=bold, ltr=ltr))
        y += after

    say(shop.name, 52, 154, branding.INKS["light"], bold=True)
    say(_("%(name)s is asking:") % {"name": phrases.first_name(order.buyer_name)}, 46, 84, SOFT)
    say(_("Could you pay for me?"), 70, 74, bold=True)
    if goods:
        things = [
            f"{one.name} {quantities.text(one.quantity, one.unit, get_language() or 'en')}" for one in order.lines.all()
        ]
        for number, thing in enumerate(things[:2]):
            say(f"{thing} …" if number == 1 and len(things) > 2 else thing, 38, 54, SOFT)
        if beside := " · ".join(it.name for it in order.adjusted if not it.included):
            say(beside, 30, 48, SOFT)
    if amount:
        y += 46
        say(Money(request.amount, request.currency).text(get_language() or "en"), 88, 60, bold=True)
    bottom = 1020
    size = min(620, bottom + 10 - y)
    code = format_html(
        '<rect x="{x}" y="{y}" width="{size}" height="{size}" rx="24" fill="#fff"/>'
        '<svg x="{inner}" y="{top}" width="{code}" height="{code}" viewBox="0 0 {modules} {modules}">'
        '<path shape-rendering="crispEdges" d="{path}"/></svg>',
        x=_MIDDLE - size // 2,
        y=bottom - size,
        size=size,
        inner=_MIDDLE - size // 2 + 36,
        top=bottom - size + 36,
        code=size - 72,
        **_code(link(request)),
    )
    y = 1066
    say(_("Scan or press and hold to pay"), 44, 62, accent, bold=True)
    address = open_address()
    say(_("Or enter this code at %(address)s") % {"address": address}, 32, 76, SOFT, ltr=address)
    say(codes.shown(request), 64, 0, bold=True)
    alike = safety_words.of(request.token)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        '<rect width="{w}" height="{h}" fill="#f6f5f2"/>'
        '<rect x="50" y="50" width="980" height="1340" rx="48" fill="#fff" stroke="#e4e1d9" stroke-width="2"/>'
        '<path d="M50 230V98a48 48 0 0 1 48-48h884a48 48 0 0 1 48 48v132z" fill="{accent}"/>'
        "{logo}{lines}{code}{words}"
        '<svg x="{picture}" y="1266" width="84" height="84" viewBox="0 0 48 48">{drawing}</svg></svg>',
        w=WIDTH,
        h=HEIGHT,
        lines=SafeString("".join(lines)),
        code=code,
        accent=accent,
        logo=_logo(shop),
        picture=_MIDDLE - 42 - round(_width(alike.text) * 22) - 12,
        drawing=alike.drawing,
        words=line(alike.text, 1324, 44, INK, x=_MIDDLE + 54, bold=True),
    )


def _logo(shop: Merchant) -> SafeString:
    """The shop's own, beside its name."""
    found = Logo.objects.filter(merchant=shop).first() if shop.logo else None
    if found is None:
        return SafeString("")
    return format_html(
        '<rect x="92" y="88" width="104" height="104" rx="22" fill="#fff"/>'
        '<image x="100" y="96" width="88" height="88" href="data:image/png;base64,{}"/>',
        b64encode(bytes(found.picture)).decode(),
    )


@lru_cache(maxsize=64)
def _code(address: str) -> dict[str, object]:
    rows = matrix(address)
    return {"modules": len(rows), "path": qr_path(rows)}


def line(
    text: str, y: int, size: int, colour: str, *, x: int = _MIDDLE, bold: bool = False, ltr: str = ""
) -> SafeString:
    """One centred line, smaller where it would be too long, each script in its font, right to left where it is so; the
    part `ltr` stays left to right.
    """
    text = "".join(filter(_drawn, " ".join(text.split())))
    size = min(size, int(_ROOM / max(1, _width(text))))
    if ltr:
        text = text.replace(ltr, f"\u202a{ltr}\u202c")
    runs = [
        (font, "".join(char for char, _font in run)) for font, run in groupby(_fonts(text), key=lambda pair: pair[1])
    ]
    if any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
        runs = [("Noto Sans Arabic", "\u202b"), *runs, ("Noto Sans Arabic", "\u202c")]
    spans = format_html_join("", '<tspan font-family="{}">{}</tspan>', runs)
    stroke = format_html(' stroke="{}" stroke-width="{}"', colour, round(size / 30, 1)) if bold else ""
    return format_html(
        '<text x="{}" y="{}" text-anchor="middle" xml:space="preserve" font-size="{}" fill="{}"{}>{}</text>',
        x,
        y,
        size,
        colour,
        stroke,
        spans,
    )


def _drawn(char: str) -> bool:
    """No pictures, and of what cannot be seen the marks alone that put the parts of a sum in order."""
    return char in "\u200e\u200f" or (char.isprintable() and unicodedata.category(char) != "So")


def _fonts(text: str) -> list[tuple[str, str]]:
    """Each character with its font; figures, blanks and the like go with what stands before them."""
    fonts: list[tuple[str, str]] = []
    for char in text:
        neutral = char.isascii() and not char.isalpha() and fonts
        fonts.append((char, fonts[-1][1] if neutral else _font(char)))
    return fonts


def _font(char: str) -> str:
    found = (name for name, ranges in _SCRIPTS if any(first <= ord(char) <= last for first, last in ranges))
    return next(found, _EAST_ASIAN)


def _width(text: str) -> float:
    """About how wide a line is, in its own size."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.55 for char in text)
