"""What is known of payers is forgotten in time, and the books still prove themselves."""

from collections.abc import Callable

import pytest
from django.conf import settings

from friendpay.kit import clock
from orders.models import Event
from payments import tasks
from payments.models import Payment, ProviderEvent, Refund
from payments.settlement import inbox, ledger, refunds, requests, retention
from sandbox import bank
from sandbox.models import Charge, Notice
from tests import shop
from tests.payments.settlement.test_checkout import begin
from tests.payments.settlement.test_inbox import headers

pytestmark = pytest.mark.django_db
DAY = 86_400


def told_of_payers() -> str:
    return str([*Payment.objects.values_list("payer_name", "visitor", "network"), *Event.objects.values_list("data")])


def paid_by_mei() -> Payment:
    request = shop.make_request()
    requests.decline(request.pk, name="Bo", words="Not this time")
    payment = begin(request, "Mei")
    bank.approve(Charge.objects.get().ref)
    account, body = shop.account_of(request), Notice.objects.get().body.encode()
    inbox.receive("sandbox", account.public_id, headers(account.config["secret"], body), body)
    inbox.apply()
    return Payment.objects.get(pk=payment.pk)


def test_names_cookies_networks_and_words_go_and_the_ledger_stays(move_time: Callable[[float], None]) -> None:
    payment = paid_by_mei()
    refunds.refund_payment(payment.pk, 100, actor="merchant")
    assert all(known in told_of_payers() for known in ("Mei", "Bo", "Not this time", payment.visitor))
    move_time(settings.PAYER_DATA_DAYS * DAY - 60)
    tasks.forget_payers()
    assert "Mei" in told_of_payers()
    move_time(120)
    tasks.forget_payers()
    assert not any(known in told_of_payers() for known in ("Mei", "Bo", "Not this time", payment.visitor))
    assert {
        data["payer_name"] for data in Event.objects.filter(type__startswith="payment.").values_list("data", flat=True)
    } == {""}
    assert bytes(ProviderEvent.objects.get().body) == b""
    payment.refresh_from_db()
    assert (payment.amount_captured, payment.provider_ref != "") == (9000, True)
    assert Refund.objects.get().amount == 100
    assert ledger.check() == []
    assert retention.forget_payers(clock.now()) == 0


def test_what_is_not_decided_keeps_what_support_may_need(move_time: Callable[[float], None]) -> None:
    payment = begin(shop.make_request(), "Mei")
    move_time(400 * DAY)
    Payment.objects.filter(pk=payment.pk).update(next_attempt_at=clock.now())
    tasks.forget_payers()
    assert Payment.objects.get().payer_name == "Mei"
