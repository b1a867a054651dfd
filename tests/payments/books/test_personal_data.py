"""One person's data: taken along, or erased everywhere; the ledger stays, and open money is settled first."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import BinaryField, CharField, JSONField, Model, TextField

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders import access, tasks
from orders.models import Access, ApiCall, ApiKey, DeliveryNote, Event, Order, WebhookAttempt, WebhookDelivery
from orders.webhooks import endpoints
from payments.books import erasure, persons
from payments.models import (
    Dispute,
    Mail,
    MailAddress,
    Payment,
    PaymentRequest,
    Proposal,
    ProviderEvent,
    Refund,
    Report,
    RolloutRule,
    StoppedBuyer,
)
from payments.pages import addresses
from payments.settlement import ledger, outside, refund_moves, refunds
from payments.share import receipt_numbers
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import notification

pytestmark = pytest.mark.django_db
MARK = "Zsaklina"
BUYER, PAYER = "buyer", "payer"

PLANTED: dict[str, dict[type[Model], set[str]]] = {
    BUYER: {
        Order: {"buyer_id", "buyer_name", "metadata", "return_url"},
        DeliveryNote: {"carrier", "tracking_number", "note"},
        PaymentRequest: {"message", "metadata", "network"},
        Event: {"data"},
        Refund: {"note", "words", "error"},
        Dispute: {"words", "error"},
        Report: {"words", "network", "owner"},
        Proposal: {"form", "what", "why"},
        RolloutRule: {"allowed_buyers", "denied_buyers"},
        MailAddress: {"address", "subscription", "visitor", "network"},
        Mail: {"error"},
        WebhookAttempt: {"answer"},
        ApiCall: {"body", "answer", "query"},
    },
    PAYER: {
        Payment: {"payer_name", "visitor", "network", "next_step", "words", "error"},
        Event: {"data"},
        ProviderEvent: {"body", "outcome", "note", "error"},
        Refund: {"note", "words", "error"},
        Dispute: {"words", "error"},
        MailAddress: {"address", "subscription", "visitor", "network"},
        Mail: {"error"},
        WebhookAttempt: {"answer"},
        ApiCall: {"body", "answer", "query"},
    },
}
"""Every column that a person's data can reach."""

HOLD_NOTHING: dict[str, str] = {
    "orders": "Access ApiKey Logo Membership Merchant Pairing Picture StoredAnswer WebhookEndpoint Adjustment",
    "payments": "Assignment Beat BillDay BillMismatch Fee LedgerAlarm LedgerCheck Movement ProviderAccount Step "
    "StoppedBuyer TrustLimit",
}
"""Models whose texts are of shops, wallets and staff. What is stored for repeated calls is sealed, and gone in a day; a
stopped buyer is not erased.
"""
OURS: dict[type[Model], str] = {
    Order: "public_id token reference status currency adjustments locale paid_elsewhere_note",
    PaymentRequest: "public_id token code status currency shares hint",
    Payment: "public_id token method rail status currency reference provider_session provider_ref language code",
    Refund: "public_id status reason currency reference past_references merchant_reference provider_ref code "
    "returned_how goods",
    Dispute: "public_id status currency provider_ref code",
    Event: "public_id type request object_id actor",
    ProviderEvent: "event_id kind about reference number charge charge_ref",
    Report: "reason outcome",
    Proposal: "public_id act currency outcome",
    RolloutRule: "method note excluded_categories currencies amount_currency screens",
    MailAddress: "token role digest language",
    Mail: "public_id kind",
    WebhookAttempt: "error",
    WebhookDelivery: "public_id status",
    ApiCall: "public_id method path code agent",
}
"""Columns of the others that hold numbers, names of ours, or the shop's own numbers. (Names of shares and the words of
a return by other means have tests of their own.)
"""


def texts(model: type[Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if isinstance(field, CharField | TextField | JSONField | BinaryField | ArrayField):
            yield field.name


def test_every_text_is_erased_or_known_to_be_nobodys() -> None:
    """A new column fails here, until somebody says whose it is: erased (`erasure`) and planted above, or nobody's."""
    unknown = []
    for app, none in HOLD_NOTHING.items():
        for model in apps.get_app_config(app).get_models():
            if model.__name__ in none.split() or model.__name__ in ("OrderLine", "PictureFile"):
                continue
            said = set(OURS.get(model, "").split())
            said |= {name for of in PLANTED.values() for name in of.get(model, ())}
            unknown += [f"{model.__name__}.{name}" for name in texts(model) if name not in said]
    assert unknown == []


def everywhere() -> list[str]:
    """The tables in which the mark stands, in whatever form."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS it WHERE it::text LIKE %s OR it::text LIKE %s',  # noqa: S608
                [f"%{MARK}%", f"%{MARK.encode().hex()}%"],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def value(model: type[Model], name: str, number: int) -> Any:
    field = model._meta.get_field(name)
    if isinstance(field, JSONField):
        return [MARK] if name.endswith("_buyers") else {"words": MARK, "metadata": {"k": MARK}, "payer_name": MARK}
    if isinstance(field, BinaryField):
        return MARK.encode()
    return MARK if name == "buyer_id" else f"{MARK}"[: getattr(field, "max_length", None) or 99]


def story() -> Payment:
    """Of a payment everything has happened, and all is settled."""
    order = shop.make_order()
    endpoints.create(order.merchant, url="https://shop.example/hooks", live=False)
    request = shop.make_request(order)
    payment = shop.succeed(shop.hold(request))
    refund = refunds.refund_payment(payment.pk, 500, actor="merchant")
    refund_moves.move_refund(refund.pk, "succeeded")
    outside.hear_dispute(payment.pk, Outcome(State.FAILED, "", "dp_1", Money(400, "CNY")))
    now = clock.now()
    for role, of in ((MailAddress.Role.BUYER, None), (MailAddress.Role.PAYER, payment)):
        for stopped in (None, now):
            address = MailAddress.objects.create(
                role=role, order=order, request=request, payment=of, digest=f"{role}{stopped}", language="en",
                created_at=now, ends_at=now + timedelta(days=9), stopped_at=stopped,
            )  # fmt: skip
            Mail.objects.create(to=address, kind="paid")
    DeliveryNote.objects.create(order=order, told_at=now)
    Report.objects.create(
        request=request, merchant=order.merchant, reason="other", network="n", created_at=now, settled_at=now,
        outcome="nothing",
    )  # fmt: skip
    RolloutRule.objects.create(merchant=order.merchant, method="friend")
    anna, berta = (User.objects.create_user(name, is_staff=True) for name in ("proposer", "decider"))
    Proposal.objects.create(
        merchant=order.merchant, order=order, kind=ContentType.objects.get_for_model(Payment), thing_id=payment.pk,
        act="refund", form="", what="", currency="CNY", amount=1, proposed_by=anna, proposed_at=now, expires_at=now,
        decided_by=berta, decided_at=now, outcome="confirmed",
    )  # fmt: skip
    notification(payment.account, reference=payment.reference, applied_at=now)
    key, _secret = ApiKey.make(order.merchant, live=False)
    ApiCall.objects.create(
        public_id="req_1", merchant=order.merchant, key=key, live=False, at=now, method="GET", status=200,
        path=f"/api/v1/payments/{payment.public_id}", milliseconds=1,
    )  # fmt: skip
    for delivery in WebhookDelivery.objects.all():
        WebhookAttempt.objects.create(delivery=delivery, at=now, milliseconds=1)
    return payment


def plant(whose: str, payment: Payment) -> None:
    of: dict[type[Model], dict[str, str]] = {MailAddress: {"role": whose}, Mail: {"to__role": whose}}
    if whose == PAYER:  # what is told of the order does not name her
        of |= {Event: {"object_id": payment.public_id}}
        of |= {WebhookAttempt: {"delivery__event__object_id": payment.public_id}}
    for model, names in PLANTED[whose].items():
        rows = model._default_manager.filter(**of.get(model, {}))
        assert rows.exists(), model
        for number, row in enumerate(rows):
            kept = row.data if isinstance(row, Event) else {}
            planted = {name: value(model, name, number) for name in names}
            if model is Event:
                planted = {"data": kept | planted["data"]}
            model._default_manager.filter(pk=row.pk).update(**planted)


def money() -> list[Any]:
    """What must stay as it is."""
    return [
        list(Order.objects.values("public_id", "reference", "status", "amount", "amount_paid", "amount_refunded")),
        list(PaymentRequest.objects.values("public_id", "status", "amount", "amount_paid", "seq")),
        list(Payment.objects.values("public_id", "status", "amount_captured", "amount_applied", "provider_ref")),
        list(Refund.objects.values("public_id", "status", "amount", "reference", "succeeded_at")),
        list(Event.objects.values("public_id", "type", "seq", "created_at")),
    ]


@pytest.mark.parametrize("whose", [BUYER, PAYER])
def test_nothing_of_a_person_is_left_anywhere_and_the_ledger_stays(whose: str) -> None:
    payment = story()
    plant(whose, payment)
    payment.refresh_from_db()
    person = persons.payer_of(payment) if whose == PAYER else persons.buyer_of(Order.objects.get())
    before = money()
    assert {model._meta.db_table for model in PLANTED[whose]} <= set(everywhere())
    assert erasure.erase(person, who="anna", reason="letter 17") > 10
    assert everywhere() == []
    assert (money(), ledger.check()) == (before, [])
    assert set(Event.objects.get(type="payment.succeeded").data) >= {"payer_name", "amount"}
    [access] = Access.objects.filter(kind="erased")
    assert (access.who, access.reason, MARK in access.about) == ("anna", "letter 17", False)


def test_other_people_are_left_alone() -> None:
    payment, other = story(), shop.succeed(shop.hold(shop.make_request(), name="Ann"))
    Order.objects.filter(pk=other.request.order_id).update(buyer_name="Bo", buyer_id="bo")
    erasure.erase(persons.buyer_of(payment.request.order), who="anna", reason="r")
    erasure.erase(persons.payer_of(payment), who="anna", reason="r")
    other.refresh_from_db()
    assert (other.payer_name, other.request.order.buyer_name) == ("Ann", "Bo")
    assert Event.objects.get(type="payment.succeeded", object_id=other.public_id).data["payer_name"] == "Ann"


def test_a_buyer_is_erased_in_all_her_orders_at_the_shop_and_at_no_other() -> None:
    first = story()
    second = shop.succeed(shop.hold(shop.make_request(shop.make_order(first.merchant))))
    elsewhere = shop.succeed(shop.hold(shop.make_request()))
    person = persons.buyer(first.merchant_id, "lin")
    assert set(person.orders) == {first.request.order_id, second.request.order_id}
    erasure.erase(person, who="anna", reason="r")
    names = {order.pk: order.buyer_name for order in Order.objects.all()}
    assert [names[payment.request.order_id] for payment in (first, second, elsewhere)] == ["", "", "Lin"]
    assert not persons.buyer(first.merchant_id, "lin").is_known


def test_what_was_paid_in_one_browser_is_one_payers() -> None:
    merchant = shop.make_merchant()
    names = ("Mei", "Mei", "Ann")
    made = [shop.succeed(shop.hold(shop.make_request(shop.make_order(merchant)), name=name)) for name in names]
    mine, also, other = made
    elsewhere = shop.succeed(shop.hold(shop.make_request(), name="Mei"))
    assert persons.payer_of(mine).payments == (mine.pk, also.pk)
    erasure.erase(persons.payer_of(mine), who="anna", reason="r")
    assert list(Payment.objects.order_by("id").values_list("payer_name", flat=True)) == ["", "", "Ann", "Mei"]
    assert (other.merchant_id, elsewhere.merchant_id) != (elsewhere.merchant_id, other.merchant_id)


def test_names_of_shares_and_words_of_a_return_go_too() -> None:
    payment = story()
    shares = [{"name": MARK, "amount": 4000}, {"name": MARK, "amount": 5000}]
    PaymentRequest.objects.filter(pk=payment.request_id).update(shares=shares)
    now = clock.now()
    Refund.objects.create(
        merchant=payment.merchant, payment=payment, account=payment.account, reason="merchant", currency="CNY",
        amount=1, reference="x", status="returned_elsewhere", returned_how=MARK, created_at=now, closed_at=now,
    )  # fmt: skip
    Order.objects.filter(pk=payment.request.order_id).update(buyer_name=MARK)
    erasure.erase(persons.buyer_of(payment.request.order), who="anna", reason="r")
    assert everywhere() == []
    payment.request.refresh_from_db()
    assert [share.amount for share in payment.request.named] == [4000, 5000]


def test_the_desks_log_forgets_her_name_and_keeps_what_was_done() -> None:
    payment = story()
    Order.objects.update(buyer_name=MARK)
    anna = User.objects.create_user("anna")
    report = Report.objects.get()
    for model, pk, name in (
        (StoppedBuyer, 7, MARK),
        (Report, report.pk, "a report"),
        (Order, payment.request.order_id, "an order"),
        (Payment, payment.pk, "a payment"),
    ):
        LogEntry.objects.create(
            user=anna, content_type=ContentType.objects.get_for_model(model), object_id=str(pk), object_repr=name,
            action_flag=CHANGE, change_message=f"{MARK} was stopped.",
        )  # fmt: skip
    erasure.erase(persons.buyer_of(payment.request.order), who="anna", reason="r")
    assert (everywhere(), LogEntry.objects.count()) == ([], 4)


# What stands in the way

Begin = Callable[[], Order | Payment]


def _undecided_refund() -> Payment:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refunds.refund_payment(payment.pk, 500, actor="merchant")
    return payment


def _failed_refund() -> Payment:
    payment = _undecided_refund()
    refund_moves.move_refund(Refund.objects.get().pk, "failed")
    return payment


def _disputed() -> Payment:
    payment = shop.succeed(shop.hold(shop.make_request()))
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(400, "CNY")))
    return payment


def _stopped() -> Order:
    order = shop.succeed(shop.hold(shop.make_request())).request.order
    StoppedBuyer.objects.create(merchant=order.merchant, buyer_id=order.buyer_id, stopped_at=clock.now())
    return order


def _reported() -> Order:
    request = shop.succeed(shop.hold(shop.make_request())).request
    Report.objects.create(
        request=request, merchant=request.merchant, reason="other", network="n", created_at=clock.now()
    )
    return request.order


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        (lambda: shop.make_order(), "open_order"),
        (lambda: shop.hold(shop.make_request()), "open_payment"),
        (_undecided_refund, "open_refund"),
        (_failed_refund, "open_refund"),
        (_disputed, "open_dispute"),
        (_stopped, "stopped_buyer"),
        (_reported, "open_report"),
    ],
)
def test_nothing_is_erased_before_money_is_settled(begin: Begin, code: str) -> None:
    thing = begin()
    person = persons.payer_of(thing) if isinstance(thing, Payment) else persons.buyer_of(thing)
    before = [list(model.objects.values()) for model in (Order, PaymentRequest, Payment, Refund, Event)]
    with pytest.raises(Refused, match=code):
        erasure.erase(person, who="anna", reason="r")
    assert [list(model.objects.values()) for model in (Order, PaymentRequest, Payment, Refund, Event)] == before
    assert not Access.objects.exists()


# By command


def command(*args: str) -> str:
    out = io.StringIO()
    call_command("personal_data", *args, "--reason", "letter 17", stdout=out)
    return out.getvalue()


def test_the_command_finds_her_by_id_receipt_or_address() -> None:
    payment = story()
    merchant, digest = payment.merchant.public_id, addresses.digest_of("lin@example.com")
    MailAddress.objects.filter(role="buyer", stopped_at=None).update(address="lin@example.com", digest=digest)
    ways = (
        ["--buyer", "lin", "--shop", merchant],
        ["--receipt", receipt_numbers.number(payment.pk)],
        ["--receipt", payment.public_id],
        ["--mail", "Lin@example.com"],
    )
    for way, has in zip(ways, ("orders", "payments", "payments", "addresses"), strict=True):
        assert json.loads(command("export", *way))[has], way
    assert Access.objects.filter(kind="person", who="command").count() == 4
    assert "Erased: 1 orders" in command("erase", "--mail", "lin@example.com")
    with pytest.raises(CommandError, match="Nobody"):
        command("erase", "--mail", "lin@example.com")


def test_what_is_exported_is_all_of_hers_and_nothing_of_others() -> None:
    payment = story()
    known = json.loads(command("export", "--receipt", payment.public_id))
    assert [it["payer_name"] for it in known["payments"]] == ["Mei"]
    assert [it["amount"] for it in known["refunds"]] == [500]
    assert known["orders"] == []
    assert "Lin" not in json.dumps(known)
    known = json.loads(command("export", "--buyer", "lin", "--shop", payment.merchant.public_id))
    assert (known["orders"][0]["buyer_name"], known["payments"]) == ("Lin", [])


@pytest.mark.parametrize("way", [["--buyer", "lin"], ["--receipt", "R-0000-0000"], ["--mail", "no@example.com"]])
def test_the_command_says_what_it_does_not_find(way: list[str]) -> None:
    with pytest.raises(CommandError):
        command("erase", *way)


# At the desk

RIGHTS = ("orders.view_order", "payments.view_payment", "orders.erase_person")


def test_a_button_erases_with_a_reason_and_leaves_a_record() -> None:
    payment = story()
    client = desk.staff(*RIGHTS)
    address = desk.page(payment, "erase")
    assert client.post(address, {}).status_code == 200  # no reason, no erasure
    assert Payment.objects.get().payer_name == "Mei"
    assert client.post(address, {"reason": "letter 17"}).status_code == 302
    assert Payment.objects.get().payer_name == ""
    assert Access.objects.get(kind="erased").reason == "letter 17"
    assert "letter 17" in LogEntry.objects.latest("id").change_message
    order = payment.request.order
    assert client.post(desk.page(order, "erase"), {"reason": "letter 18"}).status_code == 302
    assert Order.objects.get().buyer_name == ""


def test_a_button_gives_the_data_as_a_file() -> None:
    payment = story()
    answer = desk.staff(*RIGHTS).get(desk.page(payment, "personal_data"))
    assert "attachment" in answer["Content-Disposition"]
    assert json.loads(answer.content)["payments"][0]["payer_name"] == "Mei"
    assert Access.objects.get(kind="person").who == "anna"


@pytest.mark.parametrize("action", ["erase", "personal_data"])
def test_both_buttons_are_for_who_has_the_right(action: str) -> None:
    payment = story()
    client = desk.staff("orders.view_order", "payments.view_payment", "payments.refund_payment")
    for thing in (payment, payment.request.order):
        assert client.get(desk.page(thing, action)).status_code == 403
        assert client.post(desk.page(thing, action), {"reason": "r"}).status_code == 403
    assert not Access.objects.exclude(kind="page").exists()


def test_who_opened_whose_page_is_on_record_once_a_look(move_time: Callable[[float], None]) -> None:
    payment = story()
    client = desk.staff(*desk.READ, "orders.view_access")
    for thing in (payment, payment.request, payment.request.order, payment.merchant):
        assert client.get(desk.page(thing)).status_code == 200
    seen = list(Access.objects.order_by("id").values_list("who", "about"))
    assert [about.split()[0] for _who, about in seen] == [
        "payments.payment",
        "payments.paymentrequest",
        "orders.order",
    ]
    assert seen[0] == ("anna", f"payments.payment {payment.public_id}")
    assert f"payments.payment {payment.public_id}" in desk.text(client, desk.rows(Access))


def test_the_record_is_kept_for_so_many_days(settings: Any, move_time: Callable[[float], None]) -> None:
    settings.ACCESS_LOG_DAYS = 30
    access.note("anna", "page", "payments.payment pay_1")
    move_time(29 * 86400)
    tasks.purge_access_log()
    assert Access.objects.count() == 1
    move_time(2 * 86400)
    tasks.purge_access_log()
    assert Access.objects.count() == 0


def test_requests_stay_readable_after_their_people_are_gone(client: Any) -> None:
    payment = story()
    for person in (persons.buyer_of(payment.request.order), persons.payer_of(payment)):
        erasure.erase(person, who="anna", reason="r")
    request, order = payment.request, payment.request.order
    for address in (f"/p/{request.token}/", f"/checkout/{order.token}/", f"/r/{payment.token}/"):
        assert client.get(address).status_code == 200, address
