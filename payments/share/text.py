"""A request's link, the text that carries it with its share code, and the QR code."""

import struct
import zlib
from dataclasses import dataclass
from urllib.parse import quote

import qrcode
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from payments.models import PaymentRequest
from payments.share import codes


def link(request: PaymentRequest) -> str:
    """The friend's page. Made from PUBLIC_URL, never from the Host header of whoever asks."""
    return f"{settings.PUBLIC_URL}/p/{request.token}/"


def share_link(request: PaymentRequest, share: int | None) -> str:
    """The friend's page for one of its named shares, counted from 1 as people count; without one, for all of them."""
    return link(request) if share is None else f"{link(request)}?share={share + 1}"


def text_of_share(request: PaymentRequest, share: int) -> str:
    """What the buyer sends to one of those who are named."""
    named = request.named[share]
    words = _("%(name)s, could you pay your share of %(amount)s for my %(shop)s order? %(link)s")
    return words % {
        "name": named.name,
        "amount": Money(named.amount, request.currency).text(_locale()),
        "shop": request.merchant.name,
        "link": share_link(request, share),
    }


def share_text(request: PaymentRequest) -> str:
    """What the buyer sends: one short message with the link and the code, understood as a whole by /open/."""
    if request.split_max_payers:
        text = _(
            "Could you chip in for my %(shop)s order of %(amount)s? Any amount helps. "
            "%(link)s (or code %(code)s at %(open)s)"
        )
    else:
        text = _("Could you pay %(amount)s for my %(shop)s order? %(link)s (or code %(code)s at %(open)s)")
    return text % {
        "amount": Money(request.amount, request.currency).text(_locale()),
        "shop": request.merchant.name,
        "link": link(request),
        "code": codes.shown(request),
        "open": open_address(),
    }


def pass_text(request: PaymentRequest, share: int | None = None) -> str:
    """What a friend sends on to somebody else: the same link, and no amount."""
    return _("Could you help %(name)s with a payment at %(shop)s? I can't just now. %(link)s") % {
        "name": request.order.buyer_name,
        "shop": request.merchant.name,
        "link": share_link(request, share),
    }


def _locale() -> str:
    return get_language() or settings.LANGUAGE_CODE


@dataclass(frozen=True)
class Target:
    """A way to send that a plain link opens, with the words already in it."""

    key: str
    label: "str | Promise"
    url: str


WECHAT = "wechat"
TARGETS: dict[str, tuple["str | Promise", str]] = {
    WECHAT: (gettext_lazy("WeChat"), "#picture"),  # no link opens it with words: the text to paste, and the picture
    "whatsapp": (gettext_lazy("WhatsApp"), "https://wa.me/?text={text}"),
    "telegram": (gettext_lazy("Telegram"), "https://t.me/share/url?url={link}&text={words}"),
    "line": (gettext_lazy("LINE"), "https://line.me/R/share?text={text}"),
    "sms": (gettext_lazy("Text message"), "sms:?&body={text}"),
    "mail": (gettext_lazy("Email"), "mailto:?subject={subject}&body={text}"),
}
HABITS = {
    "zh-hans": ("wechat", "sms", "mail"),
    "zh-hant": ("line", "whatsapp", "wechat", "sms", "mail", "telegram"),
    "ja": ("line", "sms", "mail"),
    "ko": ("sms", "line", "mail", "telegram"),
    "th": ("line", "sms", "mail"),
    "ru": ("telegram", "whatsapp", "sms", "mail"),
    "en": ("whatsapp", "sms", "mail", "telegram", "line"),
}
"""What people who read a language write to each other with, the most usual first."""


def targets(request: PaymentRequest, *, in_wechat: bool) -> list[Target]:
    """Where to send the request by one tap, in the order of the reader's habits."""
    text = share_text(request)
    holes = {
        "text": text,
        "link": link(request),
        "words": text.replace(link(request), "").strip(),
        "subject": _("Could you help with a payment?"),
    }
    quoted = {name: quote(words, safe="") for name, words in holes.items()}
    keys = HABITS.get(_locale(), HABITS["en"])
    if in_wechat:
        keys = (WECHAT, *(key for key in keys if key != WECHAT))
    return [Target(key, TARGETS[key][0], TARGETS[key][1].format(**quoted)) for key in keys]


def open_address() -> str:
    """Where a code is typed, as people read an address."""
    return f"{settings.PUBLIC_URL}/open/".split("://")[-1]


def matrix(text: str) -> list[list[bool]]:
    """A QR code's modules, dark ones true."""
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    return matrix


def qr_path(rows: list[list[bool]]) -> str:
    """One SVG path of runs: a sixth of what a rectangle per module takes."""
    steps = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = next((i for i, dark in enumerate(row[x:]) if not dark), len(row) - x)
            if run:
                steps.append(f"M{x} {y}h{run}v1h-{run}z")
            x += run or 1
    return "".join(steps)


def qr_svg(request: PaymentRequest) -> str:
    """The link as a QR code."""
    return code_svg(link(request))


def code_svg(text: str) -> str:
    """A QR code: dark on white in any colour scheme, so that every camera reads it."""
    rows = matrix(text)
    size = len(rows) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M-4-4h{size}v{size}h-{size}z"/><path fill="#000" d="{qr_path(rows)}"/></svg>'
    )


def qr_png(request: PaymentRequest) -> bytes:
    """The same as a picture, for messengers that take no SVG."""
    rows, scale = matrix(link(request)), 12
    size = (len(rows) + 8) * scale
    white = [False] * 4
    lines = []
    for row in (*[[]] * 4, *rows, *[[]] * 4):
        modules = [*white, *(row or [False] * len(rows)), *white]
        bits = "".join(("0" if dark else "1") * scale for dark in modules).ljust(-(-size // 8) * 8, "0")
        lines.append((b"\0" + int(bits, 2).to_bytes(len(bits) // 8)) * scale)
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)  # one bit a pixel, grey, not interlaced
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    )
