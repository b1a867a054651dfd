"""A wallet whose package was uninstalled: nothing fails, nothing is lost, and the desk says what to do."""

import pytest
from django.test import Client

from friendpay.kit import clock
from payments.admin import credentials
from payments.models import Payment, ProviderAccount, ProviderEvent, Refund
from payments.settlement import inbox, reconcile, refunds
from payments.wallets import registry
from payments.wallets.about import LACKS
from payments.wallets.base import Account, Rail
from tests import desk, shop
from tests.pages import words
from tests.payments.admin.test_pages import notification

pytestmark = pytest.mark.django_db

RIGHTS = (*desk.READ, "payments.change_provideraccount")


def uninstall(account: ProviderAccount) -> ProviderAccount:
    ProviderAccount.objects.filter(pk=account.pk).update(provider="gone")
    account.refresh_from_db()
    return account


def test_the_desk_shows_its_account_says_what_to_do_and_changes_nothing() -> None:
    account = uninstall(shop.account_of(shop.make_request()))
    client = desk.staff(*RIGHTS)
    page = client.get(desk.page(account))
    assert page.status_code == 200
    assert "The package of the wallet gone is not installed." in words(page)
    assert "credential_" not in page.content.decode()
    assert desk.page(account, "test") not in page.content.decode()
    before = ProviderAccount.objects.values().get()
    assert client.post(desk.page(account), {"name": "another", "enabled": "on"}).status_code == 403
    assert ProviderAccount.objects.values().get() == before


def test_asking_for_its_account_says_why_not() -> None:
    account = uninstall(shop.account_of(shop.make_request()))
    assert desk.staff(*RIGHTS).post(desk.page(account, "test")).status_code == 302
    assert credentials.ask(account) == (False, "the package of the wallet gone is not installed (not_installed)")


def test_its_notification_is_to_be_sent_again(client: Client) -> None:
    account = uninstall(shop.account_of(shop.make_request()))
    answer = client.post(f"/notify/gone/{account.public_id}/", b"{}", content_type="application/json")
    assert answer.status_code == 503
    assert not ProviderEvent.objects.exists()
    account.refresh_from_db()
    assert account.refused_notifications == 0  # nobody forged anything
    assert client.post("/notify/gone/acc_nobody/", b"{}", content_type="application/json").status_code == 404


def test_what_was_received_and_what_is_to_go_back_waits_and_goes_on_afterwards() -> None:
    held = shop.hold(shop.make_request())
    paid = shop.succeed(shop.hold(shop.make_request()))
    account = uninstall(held.account)
    uninstall(paid.account)
    refund = refunds.refund_payment(paid.pk, 1000, actor="merchant")
    event = notification(account, reference=held.reference, asks=True, next_attempt_at=clock.now())
    Payment.objects.filter(pk=held.pk).update(next_attempt_at=clock.now())
    inbox.apply()
    reconcile.ask()
    refunds.send()
    held.refresh_from_db()
    event.refresh_from_db()
    refund.refresh_from_db()
    assert (held.status, refund.status) == (Payment.Status.PENDING, Refund.Status.REQUESTED)
    assert refund.code == "not_installed"
    for row in (held, event, refund):
        assert row.next_attempt_at is not None
        assert row.next_attempt_at > clock.now()
        assert "not installed" in row.error
    ProviderAccount.objects.update(provider="sandbox")
    Refund.objects.update(next_attempt_at=clock.now())
    refunds.send()
    refund.refresh_from_db()
    assert refund.code != "not_installed"


def test_whatever_an_account_lacks_has_words() -> None:
    bare = Account(id="acc", live=False, config={}, base_url="", notify_url="", granted=frozenset())
    for name in registry.NAMES:
        for rail in Rail:
            assert registry.get(name).lacks(bare, rail) in {"", *LACKS}, (name, rail)
