"""A Stripe dispute from opening to lost: books stay provable, shop and desk are told, the evidence is one click."""

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from friendpay.kit import clock
from friendpay.kit.money import Money
from orders.models import Access, Adjustment, Event, Order, WebhookDelivery
from orders.services import LineDraft, place_order
from orders.webhooks import endpoints
from payments.books import days, evidence, settlement_report
from payments.models import Dispute, Payment, PaymentRequest
from payments.settlement import ledger, outside, refund_moves, refunds, requests
from payments.settlement.rules import Split
from payments.wallets.base import Outcome, State
from payments.wallets.stripe.emulator.server import Stripe
from tests import desk, shop
from tests.caller import Caller, fields
from tests.payments.scene import Scene

pytestmark = pytest.mark.django_db
RIGHTS = ("payments.view_dispute", "payments.view_payment", "orders.view_order")


def disputed(payment: Payment, number: str = "dp_1") -> Dispute:
    return outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", number, Money(5000, "CNY"), "fraudulent"))


def pack(dispute: Dispute, client: Client | None = None) -> str:
    return desk.text(client or desk.staff(*RIGHTS), desk.page(dispute, "evidence"))


def told() -> list[str]:
    return [event.type for event in Event.objects.filter(type__contains="dispute").order_by("id")]


@pytest.mark.parametrize("stage", ["card"], indirect=True)
def test_a_stripe_dispute_from_opening_to_lost(scene: Scene) -> None:
    assert isinstance(scene.wallet, Stripe)
    merchant = scene.account.merchant
    endpoints.create(merchant, url="https://shop.example/hooks", live=False)
    scene.pay()
    scene.hear()
    refund = refunds.refund_payment(scene.payment.pk, 1000, actor="merchant")
    refunds.send()
    scene.hear()
    [intent] = scene.wallet.book.all("payment_intent")
    dispute = scene.wallet.book.open_dispute(intent)
    scene.hear()
    assert (told(), ledger.check(), scene.payment.amount_disputed) == (["payment.disputed"], [], 8000)
    assert refund_moves.refundable(scene.payment) == 0
    shown = desk.staff(*RIGHTS).get(desk.page(Dispute.objects.get())).content.decode()
    assert desk.page(Dispute.objects.get(), "evidence") in shown
    scene.wallet.book.close_dispute(dispute, won=False)
    scene.hear()
    assert (told(), ledger.check()) == (["payment.disputed", "payment.dispute_lost"], [])
    order = Order.objects.get()
    assert (order.status, order.amount_paid, order.amount_refunded) == ("paid", 9000, 1000)
    sent = WebhookDelivery.objects.filter(event__type__contains="dispute").order_by("id")
    assert [delivery.event.told()["data"]["dispute_status"] for delivery in sent] == ["open", "lost"]
    assert {delivery.event.told()["data"]["order"] for delivery in sent} == {order.public_id}
    today = clock.now().date()
    [line] = settlement_report.report(days.Scope(today, today, days.zone_of("UTC"), None, live=False))
    assert (line.captured, line.refunded, line.disputed, line.closing) == (9000, 1000, 8000, 0)
    assert refund.pk
    text = pack(Dispute.objects.get(), desk.staff(*RIGHTS, name="berta"))
    assert "lost" in text
    assert Dispute.objects.get().provider_ref in text


def test_the_pack_says_what_the_payer_saw_and_when_she_tapped() -> None:
    with translation.override("de"):
        payment = shop.hold(shop.make_request(), name="Mei")
    payment = shop.succeed(payment)
    refund = refunds.refund_payment(payment.pk, 500, actor="merchant", text="one cup broken")
    refund_moves.move_refund(refund.pk, "succeeded")
    text = pack(disputed(payment))
    for part in ("Mei", "Lin", "Harbour Tea", "Spring oolong", "CN¥90.00", "fraudulent", payment.provider_ref):
        assert part in text
    assert f"{payment.created_at:%Y-%m-%d %H:%M:%S}" in text
    assert "CN¥5.00" in text
    with translation.override("de"):
        assert translation.gettext("If you do nothing, you won't be charged.") in text
    assert "Language: de" in text
    assert "sent no delivery note" in text


def test_the_words_are_those_of_the_page(client: Client) -> None:
    """What the pack quotes is compared with the page itself, in another language than the desk's."""
    for split in (None, Split(3)):
        request = shop.make_request(amount=10000, split=split)
        page = client.get(f"/p/{request.token}/", headers={"Accept-Language": "de"}).content.decode()
        with translation.override("de"):
            payment = shop.hold(request, 5000 if split else None)
        seen = evidence.of(disputed(shop.succeed(payment), f"dp_{payment.pk}")).seen
        spoken = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>|[\u2066-\u2069]", "", page)))
        for line in seen[: -2 if split else None]:  # of a chip-in, the amount is the payer's own choice
            assert line.replace("\xa0", " ") in spoken, line


def test_nothing_of_other_people_is_in_it() -> None:
    request = shop.make_request(amount=9000, split=Split(3))
    requests.decline(request.pk, name="Nobody", words="never", visitor="Nobody")
    others = shop.succeed(shop.hold(request, 3000, name="Otherwise"))
    payment = shop.succeed(shop.hold(request, 6000, name="Mei"))
    text = pack(disputed(payment))
    assert "Mei" in text
    for hidden in ("Otherwise", "Nobody", "never", others.public_id, others.provider_ref):
        assert hidden not in text


def test_the_pack_needs_nothing_from_elsewhere_and_prints(client: Client) -> None:
    dispute = disputed(shop.succeed(shop.hold(shop.make_request())))
    page = desk.staff(*RIGHTS).get(desk.page(dispute, "evidence")).content.decode()
    assert "@media print" in page
    assert not re.search(r"·\s*</td>", page)
    assert not re.search(r"<(script|link|img|iframe)|(src|href)=|url\(|@import", page)


def test_its_goods_stand_as_on_a_receipt() -> None:
    """What is in the sum comes after the sum, and no column is empty."""
    tax = Adjustment("tax", "VAT 19%", 1437, included=True)
    extra = [Adjustment("shipping", "Shipping", 1000), tax]
    lines = [LineDraft("Soap", 3, None, amount=8000)]
    merchant = shop.make_merchant()
    order = place_order(merchant, reference="A-1", currency="CNY", lines=lines, adjustments=extra, buyer_name="Lin")
    dispute = disputed(shop.succeed(shop.hold(shop.make_request(order))))
    page = desk.staff(*RIGHTS).get(desk.page(dispute, "evidence")).content.decode()
    _before, _goods, table = page.partition("<h2>Goods</h2>")
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table.partition("</table>")[0])
    assert cells[:4] == ["Soap × 3", "CN¥80.00", "Shipping", "CN¥10.00"]
    assert cells[4:] == ["Total", "CN¥90.00", "Includes VAT 19%", "CN¥14.37"]


def test_who_opened_it_is_on_record_and_others_do_not() -> None:
    dispute = disputed(shop.succeed(shop.hold(shop.make_request())))
    pack(dispute)
    [access] = Access.objects.filter(kind="evidence")
    assert (access.who, access.about, access.merchant_id) == ("anna", dispute.public_id, dispute.payment.merchant_id)
    other = desk.staff("payments.view_payment", name="other")
    assert other.get(desk.page(dispute, "evidence")).status_code == 403
    assert Access.objects.filter(kind="evidence").count() == 1


# The delivery note


def test_the_shops_delivery_note_is_in_the_pack() -> None:
    caller = Caller()
    asked, payment = caller.paid()
    body = {
        "carrier": "SF Express",
        "tracking_number": "SF-77",
        "delivered_at": "2026-05-03T18:20:11Z",
        "note": "to her",
    }
    told = caller.post(f"/orders/{asked['order']}/delivery", body)
    assert (told.status, told["tracking_number"], told["delivered_at"]) == (200, "SF-77", "2026-05-03T18:20:11Z")
    assert caller.get(f"/orders/{asked['order']}/delivery").json == told.json
    text = pack(disputed(payment))
    for part in ("SF Express", "SF-77", "2026-05-03 18:20:11", "to her"):
        assert part in text


def test_a_newer_note_takes_the_place_of_the_older_and_the_order_stays_as_it_is() -> None:
    caller = Caller()
    order = caller.order()
    before = list(Order.objects.values())
    caller.post(f"/orders/{order['id']}/delivery", {"carrier": "DHL", "note": "sent"})
    assert caller.post(f"/orders/{order['id']}/delivery", {"carrier": "UPS"})["note"] == ""
    assert caller.get(f"/orders/{order['id']}/delivery")["carrier"] == "UPS"
    assert list(Order.objects.values()) == before


def test_a_note_is_of_the_shops_own_orders_and_of_known_fields() -> None:
    caller, order = Caller(), Caller().order()
    assert caller.post(f"/orders/{order['id']}/delivery", {"carrier": "DHL"}).status == 404
    mine = caller.order()
    assert caller.get(f"/orders/{mine['id']}/delivery").status == 404
    answer = caller.post(f"/orders/{mine['id']}/delivery", {"by": "hand", "delivered_at": "yesterday"})
    assert fields(answer) == {"by": "unknown_field", "delivered_at": "wrong_type"}
    reader = Caller(caller.merchant, can_write=False)
    assert reader.post(f"/orders/{mine['id']}/delivery", {}).status == 403
    assert PaymentRequest.objects.count() == 0
