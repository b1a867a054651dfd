"""A shop's own people at the desk: they see and change what is their shop's, and learn nothing of any other."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import CharField, CheckConstraint, JSONField, Model, TextField
from django.test import Client, RequestFactory
from django.urls import reverse

from friendpay.admin_kit import roles
from friendpay.admin_kit.base import Scoped
from friendpay.kit import clock, limits
from orders import scope
from orders.models import Membership, Merchant, Order, Pairing
from payments.books import days, exports
from payments.models import Movement, PaymentRequest, ProviderAccount, RolloutRule, Step
from tests import desk
from tests.friendpay.admin_kit import test_roles

pytestmark = pytest.mark.django_db

planted, secrets = test_roles.planted, test_roles.secrets

Rows = test_roles.Rows
SENTINEL = re.compile(r"zqo[0-9]{5}")


def models() -> list[type[Model]]:
    """Every table of shops and payments, each after those it names."""
    left = [model for app in ("orders", "payments") for model in apps.get_app_config(app).get_models()]
    found: list[type[Model]] = []
    while left:
        ready = [model for model in left if not {*_named(model)} & ({*left} - {model})]
        assert ready
        found += ready
        left = [model for model in left if model not in ready]
    return found


READ_BY_CODE = ("adjustments", "outcome", "locale", "language", "shares")
"""What may not be any text: code works with it."""


def _is_text(field: Any) -> bool:
    rules = "".join(str(rule.condition) for rule in field.model._meta.constraints if isinstance(rule, CheckConstraint))
    if field.name in READ_BY_CODE or re.search(rf"'{field.name}(__\w+)?'", rules):
        return False  # the database knows what it may say
    if isinstance(field, JSONField):
        return True
    return isinstance(field, CharField | TextField) and not field.choices and (field.max_length or 99) >= 8


def _named(model: type[Model]) -> Iterator[Any]:
    return (field.related_model for field in model._meta.concrete_fields if field.is_relation)


@pytest.fixture
def other(planted: Rows) -> Rows:
    """A second shop with a copy of every row of the first, and something to recognise in each of its texts."""
    numbers = count(10000)
    copies: dict[tuple[Any, Any], Any] = {}
    found: Rows = {}
    found_models = models()

    def said(field: Any) -> Any:
        text = f"zqo{next(numbers)}"
        if not isinstance(field, JSONField):
            return text
        return [text] if isinstance(field.get_default(), list) else {text: text}

    for model in found_models:
        for row in list(model._default_manager.order_by("pk")):
            old, row.pk = row.pk, None
            row._state.adding = True
            for field in model._meta.concrete_fields:
                if field.is_relation and field.related_model in found_models:
                    setattr(row, field.attname, copies.get((field.related_model, getattr(row, field.attname))))
                elif _is_text(field):
                    setattr(row, field.attname, said(field))
            model._base_manager.bulk_create([row])
            copies[model, old] = row.pk
            found.setdefault(model._meta.label_lower, []).append(row)
    return found


def of_shop(*rights: str, merchant: Merchant, name: str = "mei") -> Client:
    return desk.staff(*rights, name=name, shops=[merchant])


def mine(rows: Rows) -> Merchant:
    merchant = rows["orders.merchant"][0]
    assert isinstance(merchant, Merchant)
    return merchant


def theirs(rows: Rows) -> dict[str, Any]:
    """All that is stored of the other shop."""
    return {
        label: list(rows[label][0].__class__._base_manager.filter(pk__in=[row.pk for row in rows[label]]).values())
        for label in rows
    }


def counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in models()}


def every_right_but_all_shops() -> tuple[str, ...]:
    found = Permission.objects.values_list("content_type__app_label", "codename")
    return tuple({f"{app}.{codename}" for app, codename in found} - {roles.ALL_SHOPS})


def shows(answer: Any, asked: str = "") -> list[str]:
    """What an answer tells of the other shop, but for what was asked."""
    text = (answer.content.decode() + str(answer.headers) + answer.cookies.output()).lower()
    assert answer.status_code in test_roles.FINE
    return SENTINEL.findall(text.replace(asked, "") if asked else text)


def everything(other: Rows) -> dict[str, Any]:
    """A form that names the other shop wherever it can."""
    shop = other["orders.merchant"][0].pk
    request = other["payments.paymentrequest"][0]
    assert isinstance(request, PaymentRequest)
    return test_roles.everything({"auth.group": []}) | {
        "merchant": shop, "shop": shop, "method": "sandbox", "share_percent": "10", "request": request.public_id
    }  # fmt: skip


@pytest.mark.proof
@pytest.mark.parametrize("rights", [roles.DEVELOPER, "every right"])
def test_nothing_of_another_shop_is_seen_or_touched_at_any_address(rights: str, planted: Rows, other: Rows) -> None:
    names = roles.ROLES[rights] if rights in roles.ROLES else every_right_but_all_shops()
    client = of_shop(*names, merchant=mine(planted))
    both: Rows = {label: [*rows, *other.get(label, [])] for label, rows in planted.items()}
    before, form, seen = theirs(other), everything(other), 0
    for address in test_roles.addresses(both):
        if address == "/admin/logout/":
            continue
        for data in (None, form):
            with test_roles.undone():
                answer = client.get(address) if data is None else client.post(address, data)
                assert not shows(answer, form["request"] if data else ""), address  # a field says back what was typed
                assert data is None or theirs(other) == before, address
            seen += answer.status_code == 200
    assert seen > 60


@pytest.mark.proof
def test_no_search_filter_or_choice_finds_or_names_another_shop(planted: Rows, other: Rows) -> None:
    client, shop = of_shop(*every_right_but_all_shops(), merchant=mine(planted)), other["orders.merchant"][0]
    known = sorted({text for values in theirs(other).values() for text in SENTINEL.findall(str(values))})
    assert len(known) > 100
    asked = 0
    for model, page in test_roles.lists():
        rows = desk.rows(model)
        if page.is_closed(_request(client)):
            assert client.get(rows).status_code == 403, model
            continue
        for query in ({}, {"merchant__id__exact": shop.pk}, {"q": "zqo"}, {"q": known[0]}, {"e": 1}):
            answer = client.get(rows, query)
            assert not shows(answer, str(query.get("q", ""))), (model, query)
            asked += 1
        for row in other[model._meta.label_lower]:
            for name in ("public_id", "reference", "token", "code", "provider_ref"):
                if text := getattr(row, name, ""):
                    answer = client.get(rows, {"q": text})
                    assert row.pk not in [found.pk for found in answer.context["cl"].result_list], (model, name)
                    assert not shows(answer, text), (model, name)
                    asked += 1
    assert asked > 60
    for text in known[::5]:
        for address in ("search/?s={0}", "search/?s={0}&extended=1", f"{test_roles._autocomplete()}&term={{0}}"):
            assert not shows(client.get("/admin/" + address.format(text)), text)
    answer = client.get(f"/admin/{test_roles._autocomplete()}&term=")
    assert [row["id"] for row in answer.json()["results"]] == [str(mine(planted).pk)]


def _request(client: Client) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    return request


def test_every_page_of_the_desk_is_scoped() -> None:
    """What names no way to a shop is closed to shops' people; the way that is named is one."""
    reverse("admin:index")
    for model, page in admin.site._registry.items():
        assert isinstance(page, Scoped), model
        assert (page.of_shop is None) == (model._meta.app_label not in ("orders", "payments")), model
        if page.of_shop is not None:
            model._default_manager.filter(**{f"{page.of_shop}__in": [1]}).exists()


def test_the_ways_to_a_shop_lead_to_the_rows_own(planted: Rows, other: Rows) -> None:
    request = _request(of_shop(*every_right_but_all_shops(), merchant=mine(planted)))
    for model, page in admin.site._registry.items():
        if isinstance(page, Scoped) and page.of_shop is not None:
            copied = {row.pk for row in other[model._meta.label_lower]}
            own = {*model._default_manager.values_list("pk", flat=True)} - copied
            assert {row.pk for row in page.get_queryset(request)} == own, model
            assert own
            assert copied


def test_who_works_for_no_shop_sees_none_and_a_right_of_its_own_shows_all(planted: Rows, other: Rows) -> None:
    rights = [right for right in every_right_but_all_shops() if ".view_" in right]
    nobody = desk.staff(*rights, name="nobody", shops=[])
    assert desk.found(nobody, Order, "") == []
    assert nobody.get(desk.rows(User)).status_code == 403
    everybody = desk.staff(*rights)
    assert {row.pk for row in (*planted["orders.order"], *other["orders.order"])} <= {*desk.found(everybody, Order, "")}
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    Membership.objects.create(user=gone, merchant=mine(planted), added_at=mine(planted).created_at)
    assert scope.shops_of(gone) == frozenset()


def test_nothing_is_written_into_another_shop(planted: Rows, other: Rows) -> None:
    client, shop = of_shop(*every_right_but_all_shops(), merchant=mine(planted)), other["orders.merchant"][0]
    rule = planted["payments.rolloutrule"][0]
    form = {"method": "sandbox", "share_percent": "10", "merchant": shop.pk, "provider": "sandbox", "name": "x"}
    before = counts()
    for model in (RolloutRule, ProviderAccount):
        answer = client.post(reverse(f"admin:payments_{model._meta.model_name}_add"), form)
        assert answer.status_code == 200
        assert "merchant" in answer.context["adminform"].form.errors
    assert client.post(desk.page(rule), form).status_code == 200
    rule.refresh_from_db()
    assert (rule.merchant_id, counts()) == (mine(planted).pk, before)  # type: ignore[attr-defined]
    assert client.get(reverse("admin:orders_merchant_add")).status_code == 403
    assert client.post(reverse("admin:orders_merchant_add"), {"name": "new", "contact": "new"}).status_code == 403
    assert counts() == before


def test_the_rules_simulator_and_the_friction_meter_know_ones_own_shops(planted: Rows, other: Rows) -> None:
    client, shop = of_shop(*roles.ROLES[roles.DEVELOPER], merchant=mine(planted)), other["orders.merchant"][0]
    order = other["orders.order"][0]
    assert isinstance(order, Order)
    for query in (
        {"order": order.public_id, "screen": "desktop"},
        {"shop": shop.pk, "currency": "CNY", "amount": "1", "screen": "desktop"},
    ):
        answer = client.get("/admin/payments/rolloutrule/try/", query)
        assert not answer.context["panels"]
        assert not shows(answer, order.public_id)
    Step.objects.all().update(kind="request_created")
    assert client.get(desk.rows(Step), {"days": 7}).context["total"] == 1
    assert not client.get(desk.rows(Step), {"shop": shop.pk}).context["form"].is_valid()
    assert "All shops" not in desk.text(client, desk.rows(Step))
    assert desk.staff(*test_roles.READ).get(desk.rows(Step), {"days": 7}).context["total"] == 2


def test_who_works_for_one_shop_is_offered_no_choice_of_shops(planted: Rows, other: Rows) -> None:
    both = desk.staff(*every_right_but_all_shops(), shops=[mine(planted), mine(other)])
    for client, offered in ((of_shop(*every_right_but_all_shops(), merchant=mine(planted)), False), (both, True)):
        filters = [type(it).__name__ for it in client.get(desk.rows(Order)).context["cl"].filter_specs]
        assert ("ShopFilter" in filters, len(filters) > 1) == (offered, True)


def test_a_pairing_is_consented_to_for_ones_own_shop(planted: Rows, other: Rows) -> None:
    client, shop = of_shop(*roles.ROLES[roles.DEVELOPER], merchant=mine(planted)), other["orders.merchant"][0]
    now = clock.now()
    site, ends = "https://till.example", now + limits.PAIRING_LIFE
    asked = Pairing.objects.create(app="Till", site=site, return_url=f"{site}/back", created_at=now, expires_at=ends)
    address = reverse("pairing", args=[asked.public_id])
    page = client.get(address)
    assert not shows(page)
    assert [row.pk for row in page.context["form"].fields["shop"].queryset] == [mine(planted).pk]
    for form in ({"shop": shop.pk}, {"name": "New", "contact": "new"}):
        assert client.post(address, form).context["state"] == "asks"
    assert Merchant.objects.count() == 2
    assert client.post(address, {"shop": mine(planted).pk}).context["state"] == "done"


def test_the_front_page_counts_ones_own_work(planted: Rows, other: Rows) -> None:
    client = of_shop(*every_right_but_all_shops(), merchant=mine(planted))
    everybody = desk.staff(*test_roles.READ)
    own, all_ = (sum(kind.count for kind in who.get("/admin/").context["work"]) for who in (client, everybody))
    assert (own > 3, all_) == (True, 2 * own)


def test_no_export_holds_a_row_of_another_shop(planted: Rows, other: Rows) -> None:
    client, today = of_shop(*every_right_but_all_shops(), merchant=mine(planted)), clock.now().date()
    asked = {"since": today - timedelta(days=2), "until": today + timedelta(days=1), "zone": days.WALLETS_OWN}
    text = ""
    for name in exports.names():
        answer = client.post(desk.rows(Movement), {**asked, "mode": "test", "export": name})
        assert answer.status_code == 200, name
        said = answer.getvalue().decode()
        assert not SENTINEL.findall(said), name
        text += said
    assert "A-1001" in text
    whose = {**asked, "mode": "test", "export": "orders", "shop": other["orders.merchant"][0].pk}
    assert client.post(desk.rows(Movement), whose).status_code == 422
