"""A shop's colour and logo, whatever it gives us."""

import random
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from friendpay.kit import limits
from orders import branding
from orders.models import Logo, Merchant
from tests import desk, shop

pytestmark = pytest.mark.django_db
random.seed(6)
COLOURS = [
    "#000000",
    "#ffffff",
    "#ffff00",
    "#0b7a4b",
    "#ff2d55",
    *(f"#{random.randrange(1 << 24):06x}" for _ in range(80)),
]


def png(side: int = 40, colour: int = 0xC0) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    rows = (b"\0" + bytes([colour]) * side) * side
    head = side.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.mark.parametrize("scheme", branding.PAPERS)
def test_any_colour_becomes_one_that_can_be_read(scheme: str) -> None:
    for colour in COLOURS:
        made = branding.shade(colour, scheme)
        assert branding.contrast(made, branding.PAPERS[scheme]) >= limits.TEXT_CONTRAST, colour
        assert branding.contrast(made, branding.INKS[scheme]) >= limits.TEXT_CONTRAST, colour


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert branding.shade("#0b7a4b", "light") == "#0b7a4b"
    assert branding.contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_shops_pages_wear_its_colour_and_logo(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.get(f"/p/{payment_request.token}/").content.decode()
    assert "/look/" not in page
    assert "/logo/" not in page
    payment_request.merchant.accent = "#ff2d55"
    payment_request.merchant.save()
    branding.change_logo(payment_request.merchant, branding.redraw(png()))
    page = client.get(f"/p/{payment_request.token}/").content.decode()
    style = client.get("/look/ff2d55.css")
    assert 'href="/look/ff2d55.css"' in page
    assert branding.shade("#ff2d55", "light") in style.content.decode()
    assert "immutable" in style.headers["Cache-Control"]
    address = f"/logo/{payment_request.merchant.logo}.png"
    assert address in page
    picture = client.get(address)
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["/look/FF2D55.css", "/look/ff2d5.css", "/look/red.css", "/logo/unknown.png"])
def test_there_is_no_other_colour_or_picture(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png()[:40],
        png() + bytes(limits.LOGO_BYTES),
        png(2049),
    ],
    ids=["nothing", "gif", "svg", "cut off", "too heavy", "too large"],
)
def test_what_is_no_small_png_is_refused(picture: bytes) -> None:
    with pytest.raises(ValueError, match=r"PNG|nothing"):
        branding.redraw(picture)


def test_a_logo_is_drawn_anew_and_keeps_nothing_of_the_file() -> None:
    drawn = branding.redraw(png(side=300) + b"<script>alert(1)</script>")
    assert drawn[16:24] == limits.LOGO_SIDE_PIXELS.to_bytes(4) * 2
    assert b"script" not in drawn
    assert len(drawn) < 5000


def test_a_new_logo_has_a_new_address_and_the_old_one_is_gone() -> None:
    merchant = shop.make_merchant()
    branding.change_logo(merchant, branding.redraw(png()))
    first = merchant.logo
    branding.change_logo(merchant, branding.redraw(png(colour=9)))
    assert Logo.objects.get().name == merchant.logo != first
    branding.change_logo(merchant, None)
    assert (merchant.logo, Logo.objects.count()) == ("", 0)
    assert Merchant.objects.get().logo == ""


def test_support_gives_a_shop_its_logo_and_takes_it_away() -> None:
    merchant = shop.make_merchant()
    client = desk.staff(*desk.READ, "orders.change_merchant")
    plain = {
        "name": merchant.name,
        "contact": merchant.contact,
        "request_minutes": merchant.request_minutes,
        "accent": "",
        "return_origins": "",
        "embed_origins": "",
    }

    def write(**more: object) -> int:
        status = client.post(desk.page(merchant), {**plain, **more}).status_code
        merchant.refresh_from_db()
        return status

    assert write(new_logo=SimpleUploadedFile("logo.png", b"no picture", content_type="image/png")) == 200
    assert merchant.logo == ""
    assert write(new_logo=SimpleUploadedFile("logo.png", png(), content_type="image/png")) == 302
    assert merchant.logo
    assert write() == 302
    assert merchant.logo
    assert write(no_logo="on") == 302
    assert merchant.logo == ""
