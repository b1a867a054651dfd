"""How a request travels: its link, its share code, the text that carries both, and the QR code."""

import re
import secrets
import struct
import unicodedata
import zlib

import qrcode
from django.conf import settings
from django.utils.translation import gettext as _

from orders.money import Money
from payments.models import PaymentRequest

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # 30 symbols that neither look nor sound alike
_LENGTH = 8  # seven drawn, one to check
_TOKEN = re.compile(r"/p/([0-9A-Za-z]{20,40})")
_CODE = re.compile(rf"(?<![0-9A-Z])([{ALPHABET}]{{4}})[\s\-–—_.·]*([{ALPHABET}]{{4}})(?![0-9A-Z])")


def new_code() -> str:
    """A share code: 30^7 of them, with a last symbol that catches any one mistyped and most swapped ones."""
    drawn = "".join(secrets.choice(ALPHABET) for _i in range(_LENGTH - 1))
    return drawn + _check_symbol(drawn)


def _check_symbol(drawn: str) -> str:
    """Luhn's rule in base 30."""
    size, total = len(ALPHABET), 0
    for place, symbol in enumerate(reversed(drawn)):
        value = ALPHABET.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // size + value % size
    return ALPHABET[-total % size]


def shown_code(request: PaymentRequest) -> str:
    """As people read it: 7K3M-9QXW."""
    return f"{request.code[:4]}-{request.code[4:]}"


def find(text: str) -> PaymentRequest | None:
    """The request that a typed code, a link, or a whole pasted message speaks of.

    Lower case, spaces, full-width letters and the words around are understood. A link is looked for first; a code opens
    only what is still open, newest first, so that an old one leads nowhere.
    """
    text = unicodedata.normalize("NFKC", text[:4000])
    for token in _TOKEN.findall(text)[:3]:
        if request := PaymentRequest.objects.filter(token=token).first():
            return request
    codes = codes_in(text)
    return PaymentRequest.objects.filter(code__in=codes, status=PaymentRequest.Status.OPEN).first() if codes else None


def codes_in(text: str) -> list[str]:
    """The share codes in a text, however they are typed; at most three."""
    text = unicodedata.normalize("NFKC", text[:4000])
    codes = ["".join(pair) for pair in _CODE.findall(text.upper())]
    return [code for code in codes if _check_symbol(code[:-1]) == code[-1]][:3]


def link(request: PaymentRequest) -> str:
    """The friend's page. Made from PUBLIC_URL, never from the Host header of whoever asks."""
    return f"{settings.PUBLIC_URL}/p/{request.token}/"


def share_text(request: PaymentRequest) -> str:
    """What the buyer sends: one short message with the link and the code, understood as a whole by /open/."""
    return _("%(name)s asks: could you pay %(amount)s at %(shop)s for me? %(link)s (or code %(code)s at %(open)s)") % {
        "name": request.order.buyer_name,
        "amount": Money(request.amount, request.currency).text(_locale()),
        "shop": request.merchant.name,
        "link": link(request),
        "code": shown_code(request),
        "open": f"{settings.PUBLIC_URL}/open/",
    }


def pass_text(request: PaymentRequest) -> str:
    """What a friend sends on to somebody else: the same link, and no amount."""
    return _("Could you help %(name)s with a payment at %(shop)s? I can't just now. %(link)s") % {
        "name": request.order.buyer_name,
        "shop": request.merchant.name,
        "link": link(request),
    }


def _locale() -> str:
    from django.utils.translation import get_language

    return get_language() or settings.LANGUAGE_CODE


def open_address() -> str:
    """Where a code is typed, as people read an address."""
    return f"{settings.PUBLIC_URL}/open/".split("://")[-1]


def _matrix(text: str) -> list[list[bool]]:
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
    rows = _matrix(text)
    size = len(rows) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M-4-4h{size}v{size}h-{size}z"/><path fill="#000" d="{qr_path(rows)}"/></svg>'
    )


def qr_png(request: PaymentRequest) -> bytes:
    """The same as a picture, for messengers that take no SVG."""
    rows, scale = _matrix(link(request)), 12
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
