"""Pictures of goods: fetched once, redrawn, shown from our own site; and no server or file of a shop's does harm."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image
from PIL.Image import Exif

from friendpay.kit import clock, drawer, limits
from orders import fetching, pictures, redrawing
from orders.models import Order, OrderLine, Picture, PictureFile
from tests import shop
from tests.caller import ORDER, Caller
from tests.orders import bad_drawing
from tests.orders.webhooks.conftest import Resolve, dialled, listen, loopback, resolve, shop_server  # noqa: F401
from tests.orders.webhooks.receivers import Receiver, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_errands")]

LINE: dict[str, Any] = ORDER["lines"][0]
SMALL = limits.PICTURE_SIDE_PIXELS


@pytest.fixture
def _no_errands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("friendpay.kit.background.run_later", lambda purpose, job: None)


def file_of(kind: str = "JPEG", size: tuple[int, int] = (400, 300), colour: object = "red", **more: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA" if isinstance(colour, tuple) else "RGB", size, colour).save(file, kind, **more)  # type: ignore[arg-type]
    return file.getvalue()


def serve(server: Receiver, body: bytes, kind: str = "image/jpeg", **headers: str) -> str:
    """Have the shop's server give this; says where."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 200, content_type=kind, **({"content_length": str(len(body))} | headers))
        handler.wfile.write(body)

    server.respond = respond
    return server.url.replace("/webhooks", "/tea.jpg")


def picture_of(url: str, caller: Caller | None = None) -> Picture:
    """As an order names it, fetched."""
    (caller or Caller()).order(lines=[{**LINE, "image_url": url}])
    fetching.fetch_due()
    return Picture.objects.filter(url=url).latest("pk")


def image_of(caller: Caller, order: Any) -> Any:
    return caller.get(f"/orders/{order['id']}")["lines"][0]["image"]


def test_a_picture_is_fetched_after_the_order_redrawn_and_shown_from_our_own_site(shop_server: Receiver) -> None:  # noqa: F811
    url, caller = serve(shop_server, file_of()), Caller()
    order = caller.order(lines=[{**LINE, "image_url": url}], payment_request={})
    assert shop_server.heard == []  # never in the call
    assert order["lines"][0]["image"] == {"status": "pending", "reason": "", "url": ""}
    pages = [urlsplit(address).path for address in (order["checkout_url"], order["payment_request"]["url"])]
    assert ["/pictures/" in Client().get(page).content.decode() for page in pages] == [False, False]
    assert fetching.fetch_due() == 1
    image = image_of(caller, order)
    assert image == {"status": "ready", "reason": "", "url": f"http://127.0.0.1:8000{Picture.objects.get().path}"}
    path = urlsplit(image["url"]).path
    for page in pages:
        html = Client().get(page).content.decode()
        assert f'<img src="{path}" alt="" width="64" height="48"' in html
        assert shop_server.url.partition("/webhooks")[0] not in html
    shown = Client().get(path)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert shown["Cache-Control"] == "public, max-age=31536000, immutable"
    assert shown["X-Content-Type-Options"] == "nosniff"
    with Image.open(io.BytesIO(shown.content)) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (SMALL, SMALL * 3 // 4))
    assert image_of(Caller(caller.merchant, can_write=False), order)["status"] == "ready"
    assert caller.get("/orders")["data"][0]["lines"][0]["image"] == image


def test_the_payers_receipt_shows_it_too(shop_server: Receiver) -> None:  # noqa: F811
    caller = Caller()
    order = caller.order(lines=[{**LINE, "image_url": serve(shop_server, file_of())}])
    _asked, payment = caller.paid(order=order)
    fetching.fetch_due()
    path = Picture.objects.get().path
    for page in (f"/r/{payment.token}/", f"{urlsplit(order['checkout_url']).path}receipt/"):
        assert path in Client().get(page).content.decode()


def test_an_address_is_fetched_once_for_all_orders_of_a_shop_and_shops_share_nothing(shop_server: Receiver) -> None:  # noqa: F811
    url, caller, other = serve(shop_server, file_of()), Caller(), Caller()
    for _time in range(2):
        caller.order(lines=[{**LINE, "image_url": url}, {**LINE, "image_url": url}])
    fetching.fetch_due()
    late = caller.order(lines=[{**LINE, "image_url": url}])
    assert late["lines"][0]["image"]["status"] == "ready"
    assert fetching.fetch_due() == 0
    assert len(shop_server.heard) == 1
    theirs = other.order(lines=[{**LINE, "image_url": url}])
    fetching.fetch_due()
    assert image_of(other, theirs)["url"] not in ("", late["lines"][0]["image"]["url"])
    assert len(shop_server.heard) == 2


def test_an_order_without_pictures_asks_for_none() -> None:
    merchant = shop.make_merchant()
    with CaptureQueriesContext(connection) as asked:
        shop.make_order(merchant)
    assert not any("orders_picture" in str(query["sql"]) for query in asked)


def test_a_picture_that_is_known_costs_an_order_one_question(shop_server: Receiver) -> None:  # noqa: F811
    url, caller = serve(shop_server, file_of()), Caller()
    picture_of(url, caller)
    with CaptureQueriesContext(connection) as asked:
        caller.order(lines=[{**LINE, "image_url": f"{url}"}] * 3)
    assert sum("orders_picture" in str(query["sql"]) for query in asked) == 1


def test_a_picture_on_our_own_site_is_shown_as_it_is_and_not_fetched() -> None:
    caller = Caller()
    order = caller.order(lines=[{**LINE, "image_url": "http://127.0.0.1:8000/static/orders/gaiwan.svg"}])
    assert order["lines"][0]["image"]["url"] == "http://127.0.0.1:8000/static/orders/gaiwan.svg"
    assert not Picture.objects.exists()


# What may be fetched


@pytest.mark.parametrize(
    "url",
    ["http://shop.example/tea.jpg", "http://10.0.0.1/tea.jpg", "https://127.0.0.1/a.png", "https://169.254.169.254/"],
)
def test_nothing_inside_our_network_is_called(url: str, dialled: list[str]) -> None:  # noqa: F811
    picture = picture_of(url)
    assert (picture.status, picture.reason) == ("refused", "address")
    assert dialled == []


def test_a_redirect_is_followed_and_checked_as_the_address_itself(
    shop_server: Receiver,  # noqa: F811
    resolve: Resolve,  # noqa: F811
    dialled: list[str],  # noqa: F811
) -> None:
    resolve("inside.example", "10.0.0.7")
    content = file_of()
    to = {"/tea.jpg": "/moved.jpg", "/moved.jpg": "", "/out.jpg": "https://inside.example/tea.jpg", "/loop": "/loop"}

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if location := to[handler.path]:
            return say(handler, 302, location=location)
        say(handler, 200, content_type="image/jpeg", content_length=str(len(content)))
        handler.wfile.write(content)
        return None

    shop_server.respond = respond
    base = shop_server.url.removesuffix("/webhooks")
    told = [picture_of(base + path) for path in ("/tea.jpg", "/out.jpg", "/loop")]
    assert [(it.status, it.reason) for it in told] == [("ready", ""), ("refused", "address"), ("refused", "redirects")]
    assert set(dialled) == {"127.0.0.1"}


def test_what_is_no_picture_is_refused_unread(shop_server: Receiver) -> None:  # noqa: F811
    told: dict[str, tuple[str, str]] = {}
    for name, body, kind in (
        ("page", b"<html><body>", "text/html"),
        ("page that says it is none", b"<html><body>", "image/jpeg"),
        ("drawing", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        ("torn", file_of()[:400], "image/jpeg"),
        ("other within", b"\xff\xd8\xff" + file_of("PNG"), "image/jpeg"),
        ("empty", b"", "image/jpeg"),
        ("picture of no kind", file_of("PNG"), "binary/octet-stream"),
    ):
        picture = picture_of(f"{serve(shop_server, body, kind)}?{len(told)}")
        told[name] = (picture.status, picture.reason)
    assert told.pop("picture of no kind") == ("ready", "")
    assert set(told.values()) == {("refused", "not_a_picture")}


def test_too_much_is_not_read(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(limits, "PICTURE_BYTES", 4000)
    picture = picture_of(serve(shop_server, file_of() + bytes(4000)))
    assert (picture.status, picture.reason) == ("refused", "too_large")


def test_a_server_that_fails_is_asked_again_and_then_no_more(
    shop_server: Receiver,  # noqa: F811
    move_time: Callable[[float], None],
) -> None:
    caller = Caller()
    shop_server.answers = [503, 404, 503, 503]
    url = shop_server.url.replace("/webhooks", "/tea.jpg")
    order = caller.order(lines=[{**LINE, "image_url": url}])
    told = []
    for seconds in (0, 61, 601, 3601):
        move_time(seconds)
        assert fetching.fetch_due() == 1
        assert fetching.fetch_due() == 0
        told.append((image_of(caller, order)["status"], image_of(caller, order)["reason"]))
    assert told == [("pending", "http_503"), ("pending", "http_404"), ("pending", "http_503"), ("failed", "http_503")]
    caller.order(lines=[{**LINE, "image_url": url}])
    assert fetching.fetch_due() == 0  # it was just tried
    move_time(3601)
    serve(shop_server, file_of())
    caller.order(lines=[{**LINE, "image_url": url}])
    assert fetching.fetch_due() == 1
    assert image_of(caller, order)["status"] == "ready"


def test_a_shop_has_so_many_pictures(shop_server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(limits, "PICTURES_OF_MERCHANT", 1)
    url, caller = serve(shop_server, file_of()), Caller()
    told = [picture_of(f"{url}?{number}", caller) for number in range(2)]
    assert [(it.status, it.reason) for it in told] == [("ready", ""), ("refused", "too_many")]
    assert picture_of(f"{url}?0", Caller()).status == "ready"


def test_one_shop_is_served_at_a_time_by_each_thread(shop_server: Receiver) -> None:  # noqa: F811
    url, one, other = serve(shop_server, file_of()), Caller(), Caller()
    for caller in (one, one, other):
        caller.order(lines=[{**LINE, "image_url": f"{url}?{Order.objects.count()}"}])
    first, second = fetching._take(), fetching._take()
    try:
        assert first
        assert second
        assert {first.merchant_id, second.merchant_id} == {one.merchant.pk, other.merchant.pk}
        assert fetching._take() is None  # the first shop's other picture waits for its first
    finally:
        fetching._busy.clear()


# What is drawn


def drawn(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(redrawing.redraw(content))).convert("RGB")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_kind_is_drawn_small_and_never_larger_than_it_was(kind: str) -> None:
    assert drawn(file_of(kind, (1000, 500))).size == (SMALL, SMALL // 2)
    assert drawn(file_of(kind, (20, 10))).size == (20, 10)


def test_clear_parts_are_white_and_pictures_are_upright_and_tell_nothing_else() -> None:
    red, green, blue = drawn(file_of("PNG", colour=(0, 0, 0, 0))).getpixel((5, 5))  # type: ignore[misc]
    assert min(red, green, blue) > 250
    exif = Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"  # to be turned by a quarter
    made = redrawing.redraw(file_of("JPEG", (400, 200), exif=exif))
    assert b"taken at home" not in made
    assert b"EXIF" not in made
    assert Image.open(io.BytesIO(made)).size == (SMALL // 2, SMALL)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    side = 20_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    with pytest.raises(ValueError, match="too_large"):
        redrawing.redraw(bomb)


def test_a_picture_that_hangs_or_crashes_the_drawing_process_is_refused_and_the_next_is_drawn(
    shop_server: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, caller = serve(shop_server, file_of()), Caller()
    with monkeypatch.context() as patch:
        patch.setattr(redrawing, "redraw", bad_drawing.crash)
        crashed = picture_of(url, caller)
        patch.setattr(limits, "PICTURE_DRAWING_SECONDS", 0.5)
        patch.setattr(redrawing, "redraw", bad_drawing.hang)
        hung = picture_of(f"{url}?2", caller)
        drawing = drawer._drawers.get(os.getpid())
    assert (crashed.status, crashed.reason) == ("refused", "not_a_picture")
    assert (hung.status, hung.reason) == ("refused", "too_large")
    assert drawing is None  # killed: it does not go on in the background
    assert picture_of(f"{url}?3", caller).status == "ready"


# How long it is kept


def test_a_picture_is_kept_as_long_as_an_order_that_shows_it_is_young(shop_server: Receiver) -> None:  # noqa: F811
    url, caller = serve(shop_server, file_of()), Caller()
    orders = [caller.order(lines=[{**LINE, "image_url": url}]) for _time in range(2)]
    fetching.fetch_due()
    now = clock.now()
    after = limits.PICTURES_KEPT_FOR + timedelta(days=1)
    Picture.objects.update(created_at=now - after)
    Order.objects.filter(public_id=orders[0]["id"]).update(created_at=now - after)
    assert pictures.purge(now) == 0
    assert image_of(caller, orders[0])["status"] == "ready"
    path = urlsplit(image_of(caller, orders[0])["url"]).path
    assert pictures.purge(now + after) == 1
    assert not PictureFile.objects.exists()
    assert OrderLine.objects.filter(image_url=url, picture=None).count() == 2
    assert image_of(caller, orders[0]) == {"status": "forgotten", "reason": "", "url": ""}
    assert Client().get(path).status_code == 404


def test_the_desk_shows_it_and_what_became_of_it(shop_server: Receiver, admin_client: Client) -> None:  # noqa: F811
    caller = Caller()
    order = caller.order(lines=[{**LINE, "image_url": serve(shop_server, file_of())}])
    page = f"/admin/orders/order/{Order.objects.get(public_id=order['id']).pk}/change/"
    fetching.fetch_due()
    assert Picture.objects.get().path in admin_client.get(page).content.decode()
    Picture.objects.update(status="failed", reason="http_404")
    assert "failed http_404" in admin_client.get(page).content.decode()
