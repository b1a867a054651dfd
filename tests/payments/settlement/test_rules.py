"""What a buyer may write to a friend."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation

from friendpay.kit import clock, limits, text_filter
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Merchant
from payments.models import Payment, PaymentRequest
from payments.settlement import chip_in, lifecycle, requests, rules, turns
from payments.settlement.rules import Payer, Split
from payments.wallets import registry
from tests import shop


@pytest.mark.parametrize(
    "message",
    [
        "see https://evil.example/pay",
        "go to www.evil.example",
        "evil-pay.com has it cheaper",
        "ＥＶＩＬ．ＣＯＭ",
        "mail me: lin@evil.example",
        "call +86 138 0013 8000",
        "call (020) 7946-0958",
    ],
)
def test_words_that_lead_elsewhere_are_refused(message: str) -> None:
    with pytest.raises(Refused, match="message_has_contact"):
        text_filter.check(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Could you get this for me? I'll cook on Sunday.",
        "2 × 100 g, 45.00 each",
        "谢谢！💚 周日我做饭。",
        "Dr. Who... ok.",
        "at 14:02 on 22.11.",
    ],
)
def test_ordinary_words_pass(message: str) -> None:
    text_filter.check(message)


@pytest.mark.django_db
def test_a_refused_message_changes_nothing() -> None:
    request = shop.make_request()
    with pytest.raises(Refused, match="message_has_contact"):
        requests.change_message(request.pk, "www.evil.example", actor="buyer")
    assert PaymentRequest.objects.get().message == ""


@pytest.mark.parametrize(("end", "code"), [("cancelled", "request_cancelled"), ("expired", "request_expired")])
@pytest.mark.django_db
def test_nobody_begins_on_a_request_that_has_ended(end: str, code: str) -> None:
    request = shop.make_request()
    lifecycle.cancel_request(request.pk, actor="buyer")
    PaymentRequest.objects.update(status=end)
    with pytest.raises(Refused, match=code):
        shop.hold(request)
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_an_amount_is_one_of_the_wallets_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "step", lambda *_: 1000)
    with pytest.raises(Refused, match="amount_step") as no:
        shop.hold(shop.make_request(amount=9500))
    assert (no.value.status, no.value.field) == (422, "amount")
    assert shop.hold(shop.make_request(amount=9000))


@pytest.mark.django_db
def test_a_crowded_network_stops_only_who_has_never_paid() -> None:
    begun = turns.Begun(clock.now(), [], 0, 0, limits.TRIES_OF_A_NETWORK, "")
    rules.check_tries(Payer("Ann", "Ann"), replace(begun, tries_of_network=limits.TRIES_OF_A_NETWORK - 1))
    shop.succeed(shop.hold(shop.make_request(amount=1), name="Mei"))
    lifecycle.cancel_request((late := shop.hold(shop.make_request(), name="Bo")).request_id, actor="buyer")
    shop.succeed(late)  # and it all went back
    for stranger in (Payer("Ann", "Ann"), Payer("", ""), Payer("Bo", "Bo")):
        with pytest.raises(Refused, match="too_many_tries") as no:
            rules.check_tries(stranger, begun)
        assert no.value.status == 429
    rules.check_tries(Payer("Mei", "Mei"), begun)
    rules.check_tries(Payer("Lin", "", by_buyer=True), begun)


@pytest.mark.django_db
def test_a_no_to_an_amount_is_in_the_payers_language() -> None:
    request = shop.make_request(amount=1234500, currency="EUR", split=Split(3, 100000))
    with translation.override("de"):
        price = Money(1234500, "EUR").text("de")
        with pytest.raises(Refused, match="amount_out_of_range") as no:
            rules.check_amount(request, 1234501)
        assert (price in str(no.value.message), no.value.status) == (True, 422)
        with pytest.raises(Refused, match="amount_changed") as no:
            rules.check_price(request, 1)
        assert price in str(no.value.message)
    with pytest.raises(Refused, match="share_required") as no:
        rules.amount_of(request, None)
    assert no.value.status == 422


@pytest.mark.django_db
def test_others_hold_what_is_left_to_the_smallest_unit() -> None:
    request = shop.make_request(amount=10000, split=Split(3, 1000))
    shop.hold(request, 3000)
    with pytest.raises(Refused, match="held"):
        shop.hold(request, 7001, name="Ann")
    assert shop.hold(request, 7000, name="Ann")


@pytest.mark.parametrize("life", [timedelta(seconds=59), timedelta(days=31)])
@pytest.mark.django_db
def test_a_request_lives_as_long_as_requests_may(life: timedelta) -> None:
    with pytest.raises(Refused):
        shop.make_request(expires_in=life)
    assert not PaymentRequest.objects.exists()


@pytest.mark.django_db
def test_nobody_begins_at_a_shop_that_is_frozen() -> None:
    request = shop.make_request()
    Merchant.objects.update(is_frozen=True)
    with pytest.raises(Refused, match="merchant_frozen"):
        shop.hold(request)
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("status", "seconds", "code"),
    [
        ("expired", -1, "order_expired"),
        ("awaiting_payment", 1, "order_expired"),
        ("paid", 1, "order_not_awaiting_payment"),
        ("cancelled", -1, "order_not_awaiting_payment"),
    ],
)
@pytest.mark.django_db
def test_an_order_that_is_over_is_asked_for_by_nobody(status: str, seconds: int, code: str) -> None:
    order = shop.make_order()
    order.status, order.expires_at = status, clock.now()
    with pytest.raises(Refused, match=code):
        rules.check_order_open(order, order.expires_at + timedelta(seconds=seconds))


@pytest.mark.django_db
@pytest.mark.parametrize(("amount", "fits"), [(1000, False), (1050, False), (1100, True), (1150, False), (3000, True)])
def test_a_part_is_of_whole_steps_and_no_smaller_than_the_smallest(
    monkeypatch: pytest.MonkeyPatch, amount: int, fits: bool
) -> None:
    request = shop.make_request(amount=9000, split=Split(3, 1050))
    monkeypatch.setattr(chip_in, "step_of_parts", lambda _order, _missing: 100)
    if fits:
        rules.check_amount(request, amount)
    else:
        with pytest.raises(Refused):
            rules.check_amount(request, amount)
