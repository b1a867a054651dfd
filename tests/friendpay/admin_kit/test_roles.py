"""Each role of the desk at every address, filter and action: no token, key or secret is learnt, and nobody rises."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import URLResolver, reverse
from django.utils.http import urlencode
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from friendpay.admin_kit import roles
from friendpay.kit import clock
from orders import access
from orders.models import Access, ApiCall, ApiKey, Event, Membership, Merchant, Order, WebhookDelivery, WebhookEndpoint
from orders.webhooks import endpoints
from payments.models import (
    Dispute,
    Movement,
    Payment,
    PaymentRequest,
    Proposal,
    ProviderAccount,
    ProviderEvent,
    Report,
    RolloutRule,
    Step,
    StoppedBuyer,
    TrustLimit,
)
from tests import desk, shop
from tests.payments.admin.test_actions import failed_refund
from tests.payments.admin.test_pages import mismatch, notification

pytestmark = pytest.mark.django_db

admin.autodiscover()
READ = tuple(f"{model._meta.app_label}.view_{model._meta.model_name}" for model in admin.site._registry)
ROLES: dict[str, tuple[str, ...] | None] = {
    "nobody": (),
    "reader": tuple(right for right in READ if not right.startswith("auth.")),
    **roles.ROLES,
    "people": (
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.delete_user",
        "auth.view_group",
        "auth.add_group",
        "auth.change_group",
        "auth.delete_group",
        "auth.change_permission",
        "otp_totp.delete_totpdevice",
        "otp_totp.view_totpdevice",
        "otp_totp.change_totpdevice",
    ),
    "every right": None,
    "superuser": None,
}
FINE = {200, 302, 400, 403, 404, 405, 409, 422, 429, 502}
MARK = "zq7"
PASSWORD = "a long password"

Rows = dict[str, list[Model]]


def visitor(role: str) -> Client:
    """Somebody who logged in just now and may do just what the role may: a shop's own at that shop alone."""
    if role == "superuser":
        client = desk.staff(name=role)
        User.objects.filter(username=role).update(is_superuser=True)
        return client
    rights = ROLES[role]
    if rights is None:
        found = Permission.objects.values_list("content_type__app_label", "codename")
        rights = tuple(f"{app}.{codename}" for app, codename in found)
    return desk.staff(*rights, name=role, shops=Merchant.objects.all() if role == roles.DEVELOPER else None)


@pytest.fixture
def secrets() -> set[str]:
    """What stands in no answer; `planted` fills it."""
    return set()


@pytest.fixture
def planted(settings: Settings, secrets: set[str]) -> Rows:
    """One row or more of everything the desk has pages of, with something to find in each column that is secret."""
    settings.DEMO = True

    def plant(name: str, length: int = 32) -> str:
        secret = f"{MARK}{name}{'x' * length}"[:length]
        secrets.add(secret)
        return secret

    refund = failed_refund()
    payment = refund.payment
    request, account, order = payment.request, payment.account, payment.request.order
    request_open = shop.make_request(shop.make_order(order.merchant, reference="A-2"))
    Order.objects.filter(pk=order.pk).update(token=plant("order"))
    PaymentRequest.objects.filter(pk=request.pk).update(token=plant("request"))
    Payment.objects.filter(pk=payment.pk).update(
        token=plant("payment"),
        visitor=plant("visitor"),
        network=plant("network"),
        provider_session=plant("session"),
        next_step={"rail": "redirect", "url": f"https://wallet.example/{plant('step')}"},
    )
    secrets |= {Order.objects.get(reference="A-2").token, request_open.token}
    account.config = {"secret": plant("wallet", 40)}
    account.save()
    key, secret = ApiKey.make(order.merchant, name="till", live=False, can_read=True)
    ApiKey.objects.filter(pk=key.pk).update(digest=plant("digest", 64))
    call = ApiCall.objects.create(
        public_id="req_1",
        merchant=order.merchant,
        key=key,
        live=False,
        at=clock.now(),
        method="GET",
        path="/orders",
        status=200,
        milliseconds=1,
    )
    endpoint, signing = endpoints.create(order.merchant, live=False, url="https://shop.example/hook")
    event = Event.objects.filter(order=order).latest("pk")
    delivery = WebhookDelivery.objects.create(merchant=order.merchant, endpoint=endpoint, event=event)
    secrets |= {secret, signing, signing.removeprefix("whsec_"), endpoint.sealed, account.sealed}
    said = notification(account, orphaned_at=clock.now(), body=plant("body").encode())
    dispute = Dispute.objects.create(
        account=account, payment=payment, currency="CNY", amount=1, provider_ref="D1", opened_at=clock.now()
    )
    report = Report.objects.create(
        request=request_open,
        merchant=order.merchant,
        reason=Report.Reason.values[0],
        network=plant("reporter"),
        created_at=clock.now(),
    )
    stopped = StoppedBuyer.objects.create(
        merchant=order.merchant, buyer_id="lin", buyer_name="Lin", stopped_at=clock.now()
    )
    movement = Movement.objects.create(
        payment=payment, dispute=dispute, kind="disputed", currency="CNY", amount=1, at=clock.now()
    )
    access.note("anna", "page", "a page", merchant_id=order.merchant_id)
    rule = RolloutRule.objects.create(merchant=order.merchant, method="sandbox")
    limit = TrustLimit.objects.create(merchant=order.merchant, subject="buyer")
    step = Step.objects.create(merchant=order.merchant, request=request, kind="share_invoked", at=clock.now())
    people = [User.objects.create_superuser("root"), User.objects.create_user("richer", is_staff=True)]
    people += [User.objects.create_user("poorer", is_staff=True)]
    people[1].user_permissions.add(Permission.objects.get(codename="refund_payment"))
    for user in people:
        User.objects.filter(pk=user.pk).update(password=plant(user.username, 60))
        TOTPDevice.objects.create(user=user, name="phone", key=plant(f"phone{user.username}", 40).encode().hex())
    secrets |= set(TOTPDevice.objects.values_list("key", flat=True))
    member = Membership.objects.create(
        user=User.objects.create_user("clerk", is_staff=True), merchant=order.merchant, added_at=clock.now()
    )
    strong, weak = Group.objects.create(name="strong"), Group.objects.create(name="weak")
    strong.permissions.set(Permission.objects.all())
    rows: list[Model] = [order, event, order.merchant, key, endpoint, delivery, request_open, request, payment, refund]
    rows += [
        _proposal(payment, people[0]),
        call,
        said,
        account,
        mismatch(account),
        dispute,
        report,
        stopped,
        rule,
        limit,
        step,
        movement,
        Access.objects.get(),
        member,
        *people,
        strong,
        weak,
    ]
    found: Rows = {}
    for row in rows:
        found.setdefault(row._meta.label_lower, []).append(row)
    reverse("admin:index")  # the desk's pages are registered with the first address that is looked up
    assert set(found) == {model._meta.label_lower for model in admin.site._registry}
    return found


def _proposal(payment: Payment, user: User) -> Proposal:
    """A refund that waits for a second person."""
    now = clock.now()
    return Proposal.objects.create(
        merchant=payment.merchant,
        order=payment.request.order,
        kind=ContentType.objects.get_for_model(Payment),
        thing_id=payment.pk,
        act="refund",
        form="amount=1.00&note=&seen=9000&why=shop&why_words=",
        what="Refund",
        currency="CNY",
        amount=100,
        proposed_by=user,
        proposed_at=now,
        expires_at=now + timedelta(days=1),
    )


def addresses(rows: Rows, patterns: Iterable[Any] | None = None, before: str = "/admin/") -> Iterator[str]:
    """Every address of the desk, of every planted row where it is about one."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(rows, pattern.url_patterns, route)
        elif "object_id>" in route and "content_type_id" not in route or "<id>" in route:
            app, model = route.split("/")[2:4]
            for row in rows[f"{app}.{model}"]:
                yield re.sub(r"<[^>]+>", str(row.pk), route)
        elif "content_type_id" in route:
            yield "/admin/r/1/1/"
        elif "app_label" in route:
            yield from (f"/admin/{app}/" for app in ("orders", "payments", "auth"))
        else:
            yield route.replace("(?P<url>.*)$", "nowhere/at-all/")


def lists() -> Iterator[tuple[type[Model], Any]]:
    """What has a list with filters; the friction meter and the books are pages of their own."""
    own = (Step, Movement)
    yield from ((model, desk_of) for model, desk_of in admin.site._registry.items() if model not in own)


def reveals(answer: Any, secrets: set[str]) -> list[str]:
    text = answer.content.decode() + str(answer.headers) + answer.cookies.output()
    assert answer.status_code in FINE
    return [secret for secret in secrets if secret in text]


class Power:
    """Who may what, and by which password."""

    def __init__(self) -> None:
        own = User.user_permissions.through.objects.values_list("user_id", "permission_id")
        shared = User.groups.through.objects.values_list("user_id", "group__permissions")
        self.rights = {*own, *shared}
        self.above = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
        self.groups = set(Group.permissions.through.objects.values_list("group_id", "permission_id"))
        self.logins = dict(User.objects.values_list("pk", "password"))
        self.phones = set(TOTPDevice.objects.values_list("user_id", "key"))

    def of(self, user: int) -> set[int]:
        return {right for owner, right in self.rights if owner == user and right}


def check_nobody_rose(actor: User, before: Power, after: Power) -> None:
    may = before.of(actor.pk)
    assert after.of(actor.pk) <= may
    assert after.above == before.above
    assert after.groups == before.groups
    assert {right for _user, right in after.rights - before.rights if right} <= may
    for user, login in before.logins.items():
        if user in before.above or not before.of(user) <= may:
            assert after.logins[user] == login
            assert {phone for phone in before.phones if phone[0] == user} <= after.phones


def everything(rows: Rows) -> dict[str, Any]:
    """A form that asks for all there is to get, as far as one may have fields."""
    groups = [row.pk for row in rows["auth.group"]]
    return {
        "post": "yes",
        "action": "delete_selected",
        "_selected_action": [1, *groups],
        "username": "climber",
        "password1": "a quite new one",
        "password2": "a quite new one",
        "usable_password": "true",
        "is_superuser": "on",
        "is_staff": "on",
        "is_active": "on",
        "groups": groups,
        "user_permissions": list(Permission.objects.values_list("pk", flat=True))[::3][:50],
        "permissions": list(Permission.objects.values_list("pk", flat=True))[::3][:50],
        "name": "climber",
        "email": "climber@shop.example",
        "url": "https://shop.example/hooks",
        "live": "on",
        "can_read": "on",
        "can_write": "on",
        "can_refund": "on",
        "overlap": "24",
        "amount": "1.00",
        "seen": "9000",
        "how": "in cash",
        "note": "said before",
        "reason": "letter 7",
        **desk.WHY,
        "request": "A-2",
        "enabled": "on",
        "base_url": "https://evil.example",
        "provider": "sandbox",
        "_popup": "1",
    }


@contextmanager
def undone() -> Iterator[None]:
    """What is done within stays undone; it may call wallets, which no transaction of its own may surround."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


@pytest.mark.proof
@pytest.mark.parametrize("role", ROLES)
def test_no_page_and_no_action_tells_a_secret_or_lifts_anybody(role: str, planted: Rows, secrets: set[str]) -> None:
    client = visitor(role)
    actor = User.objects.get(username=role)
    planted["auth.user"].append(actor)
    cookies = client.cookies.output(header="", sep=";")
    before = Power()
    seen = 0
    if actor.has_perm("payments.work_case"):  # friends' links are shown to those who help with them
        secrets -= set(PaymentRequest.objects.values_list("token", flat=True))
    for address in addresses(planted):
        for form in (None, everything(planted)):
            with undone():
                answer = client.get(address) if form is None else client.post(address, form)
                if form is not None and answer.status_code in (200, 302) and role != "superuser":
                    check_nobody_rose(actor, before, Power())
            client.cookies = SimpleCookie(cookies)
            assert not reveals(answer, secrets), address
            seen += answer.status_code == 200
    assert seen > {"every right": 100, "superuser": 100, "nobody": 5}.get(role, 10)  # without rights: one's own pages


OPEN = tuple(f"/admin/{page}/" for page in ("login", "logout", "second-factor", "invitation"))


@pytest.mark.proof
@pytest.mark.parametrize("half", ["stranger", "customer", "password alone"])
def test_who_is_not_in_sees_nothing_at_all(half: str, planted: Rows, secrets: set[str], settings: Settings) -> None:
    settings.DEMO = half != "password alone"
    client = Client() if half == "stranger" else visitor("superuser")
    if half == "customer":
        User.objects.filter(username="superuser").update(is_staff=False)
    for address in addresses(planted):
        for answer in (client.get(address), client.post(address, everything(planted))):
            assert not reveals(answer, secrets), address
            if not address.startswith(
                ("/admin/login/", "/admin/logout/", "/admin/second-factor/", "/admin/invitation/")
            ):
                assert answer.status_code == 302, address
                assert answer.headers["location"].startswith(("/admin/login/", "/admin/second-factor/")), address


SECRET = {
    Order: ("token",),
    PaymentRequest: ("token", "code"),
    Payment: ("token", "visitor", "network", "provider_session", "next_step"),
    ProviderAccount: ("sealed",),
    ApiKey: ("digest",),
    WebhookEndpoint: ("sealed",),
    ProviderEvent: ("body",),
    Report: ("network",),
    User: ("password", "totpdevice__key", "logentry__change_message"),
}
LOOKUPS = ("", "__exact", "__regex", "__istartswith", "__contains", "__gt", "__in", "__isnull", "__range", "__length")


def secret_paths(model: type[Model], depth: int = 3) -> Iterator[str]:
    """Every way from a row to a secret column, over at most so many relations."""
    yield from SECRET.get(model, ())
    for field in model._meta.get_fields() if depth else ():
        if isinstance(field, ForeignKey) or field.auto_created and field.related_model and field.one_to_many:
            related = field.related_model
            name = field.name if isinstance(field, ForeignKey) else getattr(field, "related_query_name", field.name)
            if isinstance(name, str) and isinstance(related, type):
                yield from (f"{name}__{path}" for path in secret_paths(related, depth - 1))


def test_no_list_can_be_filtered_or_ordered_by_a_secret(planted: Rows, secrets: set[str]) -> None:
    """What stands between a reader and a column is one function of the list, so it is asked for every way there is."""
    asked = 0
    for model, desk_of in lists():
        for path in {*secret_paths(model)}:
            for lookup in LOOKUPS:
                asked += 1
                assert not desk_of.lookup_allowed(path + lookup, "a"), (model, path, lookup)
    assert asked > 300


@pytest.mark.proof
@pytest.mark.parametrize("role", ["reader"])
def test_a_filter_by_a_secret_or_a_broken_one_is_a_400(role: str, planted: Rows, secrets: set[str]) -> None:
    client = visitor(role)
    for model, desk_of in lists():
        rows = desk.rows(model)
        if client.get(rows).status_code == 403:
            continue
        own = [f"{path}__startswith=z" for path in SECRET.get(model, ())]
        shown = [
            entry if isinstance(entry, str) else entry[0]
            for entry in desk_of.list_filter
            if not isinstance(entry, type)
        ]
        broken = [
            urlencode({f"{name}{kind}": "\x00"}) for name in shown for kind in ("", "__exact", "__in", "__isnull")
        ]
        for query in (*own, "nothing=1", "pk__regex=1", "_to_field=token", *broken):
            answer = client.get(f"{rows}?{query}")
            assert not reveals(answer, secrets)
            assert answer.status_code == 400 or query in broken, (model, query)


def shown(desk_of: Any) -> Iterator[str]:
    """The names of the filters that stand on a list."""
    for entry in desk_of.list_filter:
        if isinstance(entry, type):
            yield str(getattr(entry, "parameter_name", ""))
        else:
            name = entry if isinstance(entry, str) else entry[0]
            yield from (name, f"{name}__exact", f"{name}__in", f"{name}__isnull", f"{name}__id__exact")


BROKEN = ("x", "-1", "9" * 30, "1,x", "{}", "'", "é" * 300, "2026-13-45", "\x00", "%", "null")


@pytest.mark.proof
def test_no_nonsense_in_an_address_is_an_error_of_ours(planted: Rows, secrets: set[str]) -> None:
    client = visitor("superuser")
    for model, desk_of in lists():
        rows = desk.rows(model)
        names = ["q", "p", "o", "all", "e", "_facets", "_popup", "_to_field"]
        names += ["_changelist_filters", *shown(desk_of)]
        if desk_of.date_hierarchy:
            names += [f"{desk_of.date_hierarchy}__{part}" for part in ("year", "month", "day", "gte")]
        for place, name in enumerate(names):
            value = BROKEN[place % len(BROKEN)]
            assert not reveals(client.get(rows, {name: value}), secrets), (model, name, value)
        for value in BROKEN:
            address = f"{rows}{quote(value)}/change/"
            assert not reveals(client.get(address), secrets), address


@pytest.mark.proof
@pytest.mark.parametrize("role", ["superuser"])
def test_no_search_finds_by_a_part_of_a_secret(role: str, planted: Rows, secrets: set[str]) -> None:
    client = visitor(role)
    shown = set(ApiKey.objects.values_list("start", flat=True))  # the desk knows a key by it, and so may look for it
    parts = [secret[12:24] if secret[:12] in shown else secret[:12] for secret in secrets]
    for model, desk_of in lists():
        if desk_of.search_fields and client.get(desk.rows(model)).status_code == 200:
            for part in parts[:: 1 if model in SECRET else 7]:
                assert desk.found(client, model, part) == [], (model, part)
    for part in parts:
        for address in ("search/?s={0}", "search/?s={0}&extended=1", f"{_autocomplete()}&term={{0}}"):
            answer = client.get("/admin/" + address.format(part))
            assert not reveals(answer, secrets)
            assert part not in answer.content.decode().replace(f"“{part}”", "")


def _autocomplete() -> str:
    return "autocomplete/?app_label=payments&model_name=provideraccount&field_name=merchant"


@pytest.mark.parametrize(
    "query",
    [
        "search/?s=a&page=x",
        "search/?s=a&page=99",
        "search/?s=a&page=-1",
        "search/?s=%00",
        "search/?s=a&extended=1&page=",
        "autocomplete/",
        "autocomplete/?app_label=auth&model_name=user&field_name=password&term=z",
        "autocomplete/?app_label=payments&model_name=payment&field_name=request&term=z",
        "autocomplete/?app_label=payments&model_name=provideraccount&field_name=merchant&term=%00",
        "autocomplete/?app_label=payments&model_name=provideraccount&field_name=merchant&page=x",
        "autocomplete/?app_label=no&model_name=no&field_name=no",
        "payments/rolloutrule/try/?order=%00&screen=x",
        "payments/step/?days=%00&shop=x",
        "payments/step/?since=9999-99-99",
    ],
)
def test_the_other_questions_are_answered_or_refused(query: str, planted: Rows, secrets: set[str]) -> None:
    client = visitor("superuser")
    assert not reveals(client.get(f"/admin/{query}"), secrets)
