"""Credentials that no key of ours opens any more: nothing is shown that cannot finish, and nothing is forgotten."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from payments.models import Payment, ProviderAccount, ProviderEvent, Refund
from payments.offers import weighing
from payments.offers.weighing import Surface
from payments.settlement import inbox, ledger, lifecycle, reconcile, refunds
from payments.share import text
from tests import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def lose_key() -> Callable[[ProviderAccount], None]:
    def lose(account: ProviderAccount) -> None:
        ProviderAccount.objects.filter(pk=account.pk).update(
            sealed=Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
        )

    return lose


def test_the_wallet_is_withheld_with_its_reason_and_the_pages_stand(
    client: Client, lose_key: Callable[[ProviderAccount], None]
) -> None:
    request = shop.make_request()
    lose_key(shop.account_of(request))
    assert [offer.reason for offer in weighing.consider(request.order, Surface())] == ["credentials_locked"]
    assert weighing.for_page(request.order, Surface()) == []
    assert client.get(text.link(request)).status_code == 200
    assert client.get(f"/checkout/{request.order.token}/pay/").status_code == 200


def test_a_notification_is_to_be_sent_again_and_leaves_nothing(
    client: Client, lose_key: Callable[[ProviderAccount], None]
) -> None:
    account = shop.account_of(shop.make_request())
    lose_key(account)
    answer = client.post(f"/notify/sandbox/{account.public_id}/", b"{}", content_type="application/json")
    assert answer.status_code == 503
    account.refresh_from_db()
    assert (account.refused_notifications, ProviderEvent.objects.count()) == (0, 0)
    assert inbox.apply() == 0


def test_questions_and_refunds_wait_for_the_key_and_hold_up_nobody(
    lose_key: Callable[[ProviderAccount], None], move_time: Callable[[float], None]
) -> None:
    refunded = shop.succeed(shop.hold(shop.make_request()))
    waiting = shop.hold(shop.make_request())
    refund = refunds.refund_payment(refunded.pk, actor="merchant")
    lifecycle.cancel_request(waiting.request_id, actor="buyer")
    lose_key(refunded.account)
    lose_key(waiting.account)
    move_time(60)
    assert (reconcile.ask(), refunds.send()) == (1, 1)
    assert Payment.objects.get(pk=waiting.pk).status == Payment.Status.PENDING
    assert Refund.objects.get(pk=refund.pk).status == Refund.Status.REQUESTED
    assert Refund.objects.get(pk=refund.pk).next_attempt_at is not None
    assert ledger.check() == []
