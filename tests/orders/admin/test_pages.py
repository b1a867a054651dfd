"""The desk's pages of orders, events, shops and keys."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from friendpay.admin_kit import reauthentication
from friendpay.kit import clock
from orders.models import ApiKey, Event, Merchant, Order
from tests import desk, shop
from tests.caller import Caller

pytestmark = pytest.mark.django_db

ORIGINS = {"return_origins": "https://shop.example\nhttps://till.example:8443", "embed_origins": ""}


def write_merchant(client: Client, merchant: Merchant, **changes: Any) -> Any:
    own = {name: getattr(merchant, name) for name in ("name", "contact", "request_minutes", "accent")}
    return client.post(desk.page(merchant), own | ORIGINS | changes)


def test_an_order_shows_its_goods_and_what_happened() -> None:
    order = shop.make_order(amount=9000)
    words = desk.text(desk.staff(*desk.READ), desk.page(order))
    for part in ("A-1001", "Spring oolong, 100 g", "CN¥90.00", "The order was placed.", "test"):
        assert part in words


def test_names_of_buyers_are_text() -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(buyer_name="<b>Lin</b>")
    response = desk.staff(*desk.READ).get(desk.page(order))
    assert b"<b>Lin</b>" not in response.content
    assert b"&lt;b&gt;Lin&lt;/b&gt;" in response.content


@pytest.mark.parametrize("key", ["public_id", "request", "object_id", "order", "reference"])
def test_events_are_found_by_whatever_they_are_about(key: str) -> None:
    request, other = shop.make_request(), shop.make_request(shop.make_order(shop.make_merchant("Other")))
    event = Event.objects.get(request=request.public_id)
    keys = {"order": request.order.public_id, "reference": request.order.reference}
    shown = desk.found(desk.staff(*desk.READ), Event, keys.get(key) or getattr(event, key))
    assert event.pk in shown
    assert not Event.objects.filter(pk__in=shown, order=other.order).exists()


def test_an_event_cannot_be_touched() -> None:
    event = Event.objects.get(order=shop.make_order())
    client = desk.staff(*desk.READ, "orders.add_event", "orders.change_event", "orders.delete_event")
    before = Event.objects.values().get()
    assert client.post(desk.page(event), {"type": "order.paid"}).status_code == 403
    assert client.post(desk.page(event, "delete"), {"post": "yes"}).status_code == 403
    assert client.get("/admin/orders/event/add/").status_code == 403
    assert Event.objects.values().get() == before


@pytest.mark.parametrize("model", [Order, Event])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    model: type[Order], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merchant, client = shop.make_merchant(), desk.staff(*desk.READ)
    for _number in range(12):
        shop.make_order(merchant)
    with django_assert_max_num_queries(8):
        response = client.get(desk.rows(model))
    assert len(response.context["cl"].result_list) == 12


def test_a_shop_is_changed_and_the_change_is_logged() -> None:
    merchant = shop.make_merchant()
    client = desk.staff(*desk.READ, "orders.change_merchant", "orders.freeze_merchant")
    changes = {"is_frozen": "on", "accent": "#0b7a4b", "technical_email": "developers@shop.example"}
    assert write_merchant(client, merchant, **changes).status_code == 302
    merchant.refresh_from_db()
    assert (merchant.is_frozen, merchant.accent) == (True, "#0b7a4b")
    assert merchant.technical_email == "developers@shop.example"
    assert merchant.return_origins == ["https://shop.example", "https://till.example:8443"]
    entry = LogEntry.objects.get()
    assert entry.user.username == "anna"
    assert "rozen" in entry.get_change_message()
    assert entry.get_change_message().endswith("Reason: The shop asked for it. by phone")
    assert write_merchant(client, merchant, accent="", why="").status_code == 200
    merchant.refresh_from_db()
    assert merchant.accent == "#0b7a4b"
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("was", [False, True])
def test_a_shop_is_frozen_and_thawed_by_its_form_with_the_password_alone(was: bool) -> None:
    merchant = shop.make_merchant()
    Merchant.objects.filter(pk=merchant.pk).update(is_frozen=was)
    client = desk.staff(*desk.READ, "orders.change_merchant", "orders.freeze_merchant")
    session = client.session
    session[reauthentication.GIVEN_AT] = 0
    session.save()
    kept, turned = ({"is_frozen": "on"}, {}) if was else ({}, {"is_frozen": "on"})
    assert write_merchant(client, merchant, **turned).status_code == 200
    merchant.refresh_from_db()
    assert merchant.is_frozen == was
    assert not LogEntry.objects.exists()
    assert write_merchant(client, merchant, **kept).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red"},
        {"technical_email": "+86 20 1234 5678"},
        {"accent": "#0b7a4b;}"},
        {"return_origins": "https://shop.example/path"},
        {"return_origins": "javascript:alert(1)"},
        {"return_origins": "//evil.example"},
        {"embed_origins": "https://a.example https://b.example"},
        {"name": ""},
    ],
)
def test_a_shop_takes_no_nonsense(wrong: dict[str, str]) -> None:
    merchant = shop.make_merchant()
    before = Merchant.objects.values().get()
    client = desk.staff(*desk.READ, "orders.change_merchant", "orders.verify_merchant")
    response = write_merchant(client, merchant, **wrong)
    assert response.status_code == 200
    assert Merchant.objects.values().get() == before


def test_a_shop_is_never_deleted() -> None:
    merchant = shop.make_merchant()
    client = desk.staff(*desk.READ, "orders.delete_merchant")
    assert client.post(desk.page(merchant, "delete"), {"post": "yes"}).status_code == 403
    assert Merchant.objects.exists()


def test_a_key_is_shown_once_when_it_is_made() -> None:
    merchant = shop.make_merchant()
    client = desk.staff(*desk.READ, "orders.add_apikey")
    response = client.post(desk.page(merchant, "make_key"), {"name": "till", "can_read": "on"}, follow=True)
    key = ApiKey.objects.get()
    (secret,) = (word for word in re.findall(r"sk_test_[\w-]{20,}", response.content.decode()))
    assert ApiKey.digest_of(secret) == key.digest
    assert (key.merchant, key.name, key.live, key.can_read, key.can_write, key.can_refund) == (
        merchant,
        "till",
        False,
        True,
        False,
        False,
    )
    assert secret not in desk.text(client, desk.page(merchant))
    assert secret not in LogEntry.objects.get().change_message


def test_a_key_is_revoked_for_good() -> None:
    key, _secret = ApiKey.make(shop.make_merchant())
    client = desk.staff(*desk.READ, "orders.view_apikey", "orders.change_apikey")
    assert "Revoke" in desk.text(client, desk.page(key.merchant))
    assert client.post(desk.page(key, "revoke")).status_code == 302
    key.refresh_from_db()
    first = key.revoked_at
    assert first is not None
    client.post(desk.page(key, "revoke"))
    key.refresh_from_db()
    assert key.revoked_at == first


ROLLS = ("orders.view_apikey", "orders.add_apikey", "orders.change_apikey")


def test_a_key_is_rolled_and_the_old_one_works_on_for_as_long_as_was_said() -> None:
    old = Caller(can_refund=False)
    client = desk.staff(*desk.READ, *ROLLS)
    assert "Roll" in desk.text(client, desk.page(old.merchant))
    assert "The old key works on for" in desk.text(client, desk.page(old.row, "roll"))
    assert ApiKey.objects.count() == 1
    response = client.post(desk.page(old.row, "roll"), {"overlap": "24"}, follow=True)
    (secret,) = re.findall(r"sk_test_[\w-]{20,}", response.content.decode())
    new = Caller(old.merchant, key=secret)
    assert new.get("/orders").status == old.get("/orders").status == 200
    row = ApiKey.objects.get(digest=ApiKey.digest_of(secret))
    assert (row.can_read, row.can_write, row.can_refund, row.expires_at) == (True, True, False, None)
    old.row.refresh_from_db()
    assert old.row.expires_at is not None
    assert timedelta(hours=23) < old.row.expires_at - clock.now() <= timedelta(days=1)
    assert secret not in desk.text(client, desk.page(old.row))
    assert secret not in LogEntry.objects.get().change_message


def test_a_key_is_rolled_without_overlap_when_it_leaked() -> None:
    old = Caller()
    client = desk.staff(*desk.READ, *ROLLS)
    client.post(desk.page(old.row, "roll"), {"overlap": "0"})
    assert old.get("/orders").status == 401
    assert ApiKey.objects.alive().count() == 1


@pytest.mark.parametrize("ended", [{"revoked_at": Now()}, {"expires_at": Now()}])
def test_a_key_that_has_ended_is_followed_by_none(ended: dict[str, Any]) -> None:
    key, _secret = ApiKey.make(shop.make_merchant())
    ApiKey.objects.update(**ended)
    client = desk.staff(*desk.READ, *ROLLS)
    response = client.post(desk.page(key, "roll"), {"overlap": "24"})
    assert response.status_code == 409
    assert "This key has ended" in desk.words(response)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "rights"),
    [
        ("make_key", ["orders.change_merchant"]),
        ("revoke", ["orders.change_merchant", "orders.add_apikey"]),
        ("roll", ["orders.add_apikey"]),
        ("roll", ["orders.change_apikey"]),
    ],
)
def test_keys_need_their_own_rights(action: str, rights: list[str]) -> None:
    key, _secret = ApiKey.make(shop.make_merchant())
    thing = key.merchant if action == "make_key" else key
    client = desk.staff(*desk.READ, "orders.view_apikey", *rights)
    assert client.post(desk.page(thing, action), {"overlap": "0"}).status_code == 403
    key = ApiKey.objects.get()
    assert (key.revoked_at, key.expires_at) == (None, None)
