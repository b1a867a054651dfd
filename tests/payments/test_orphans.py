"""Money with a reference of nobody's: support counts it for a request or sends it back, once."""

import pytest

from orders.errors import Refused
from payments import ledger, orphans, tasks
from payments.models import Payment, PaymentRequest, ProviderEvent, Refund
from sandbox.models import Charge, ChargeRefund
from tests import desk, shop
from tests.payments.test_inbox import approved, deliver

pytestmark = pytest.mark.django_db


def an_orphan() -> tuple[ProviderEvent, PaymentRequest]:
    """The sandbox wallet was paid, but for a charge we have no payment of."""
    request, account, notice = approved()
    body = notice.body.replace(Payment.objects.get().reference, "fp-lost").encode()
    Charge.objects.update(reference="fp-lost")
    assert deliver(notice, account, body=body) == 204
    tasks.sweep_notifications()
    return ProviderEvent.objects.get(orphaned_at__isnull=False), request


def test_an_orphan_is_counted_for_the_request_it_was_meant_for() -> None:
    event, request = an_orphan()
    payment = orphans.adopt(event.pk, request, actor="support:ada")
    request.refresh_from_db()
    assert (request.status, payment.amount_applied, payment.reference) == ("paid", 9000, "fp-lost")
    assert ledger.check() == []
    with pytest.raises(Refused, match="not_an_orphan"):
        orphans.adopt(event.pk, request, actor="support:ada")
    assert Payment.objects.filter(status="succeeded").count() == 1


def test_an_orphan_is_sent_back_to_whoever_paid_it() -> None:
    event, request = an_orphan()
    orphans.send_back(event.pk, actor="support:ada")
    tasks.sweep_refunds()
    assert (Refund.objects.get().status, Refund.objects.get().amount) == ("succeeded", 9000)
    assert ChargeRefund.objects.get().amount == 9000
    request.refresh_from_db()
    assert (request.status, ledger.check()) == ("open", [])
    with pytest.raises(Refused, match="not_an_orphan"):
        orphans.send_back(event.pk, actor="support:ada")
    assert Refund.objects.count() == 1


def test_an_orphan_stays_with_its_shop() -> None:
    event, _request = an_orphan()
    other = shop.make_request(shop.make_order(shop.make_merchant("Other")))
    with pytest.raises(Refused, match="other_shop"):
        orphans.adopt(event.pk, other, actor="support:ada")
    assert ProviderEvent.objects.get(pk=event.pk).orphaned_at
    assert not Payment.objects.filter(status="succeeded").exists()


def test_support_has_a_button_for_each() -> None:
    event, request = an_orphan()
    client = desk.staff(*desk.READ, "payments.assign_providerevent")
    answer = client.post(desk.page(event, "count"), {"request": "7K3M-9QXW"})
    assert answer.status_code == 200
    assert ProviderEvent.objects.get(pk=event.pk).orphaned_at
    assert client.post(desk.page(event, "count"), {"request": request.public_id}).status_code == 302
    request.refresh_from_db()
    assert request.status == "paid"
    again = client.post(desk.page(event, "send_back"))
    assert again.status_code == 409
    assert not Refund.objects.exists()
