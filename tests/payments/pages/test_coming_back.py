"""Whoever comes back from the wallet is told what the wallet says, at once, whatever it says."""

from collections.abc import Callable

import pytest
from django.test import Client

from payments.models import Payment
from payments.wallets.base import Outcome, ProviderError, State
from payments.wallets.sandbox.provider import SandboxProvider
from sandbox import bank
from sandbox.models import Charge
from tests import shop
from tests.pages import words
from tests.payments.settlement.test_checkout import begin

pytestmark = pytest.mark.django_db

Wallet = Callable[[pytest.MonkeyPatch], None]


def paid_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    bank.approve(Charge.objects.get().ref, tell=False)


def refused_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    bank.refuse(Charge.objects.get().ref)


def says(outcome: Outcome | Exception) -> Wallet:
    def answer(*_given: object) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return lambda monkeypatch: monkeypatch.setattr(SandboxProvider, "fetch", answer)


@pytest.mark.parametrize(
    ("wallet", "status", "heading"),
    [
        (paid_in_silence, "succeeded", "Thank you!"),
        (refused_in_silence, "failed", "Nothing was paid"),
        (lambda _monkeypatch: None, "pending", "Checking your payment"),
        (says(Outcome(State.UNKNOWN, "")), "pending", "Checking your payment"),
        (says(ProviderError("down", permanent=False)), "pending", "Checking your payment"),
        (says(ProviderError("no rights", permanent=True)), "pending", "Checking your payment"),
        (says(KeyError("an answer of another shape")), "pending", "Checking your payment"),
    ],
    ids=["paid", "refused", "still open", "unknown", "unreachable", "wrong keys", "nonsense"],
)
def test_coming_back_tells_what_the_wallet_says(
    client: Client, monkeypatch: pytest.MonkeyPatch, wallet: Wallet, status: str, heading: str
) -> None:
    payment = begin(shop.make_request())
    wallet(monkeypatch)
    receipt = client.post(f"/r/{payment.token}/check/", follow=True)
    assert receipt.status_code == 200
    assert heading in words(receipt)
    assert Payment.objects.get().status == status
    if status == "pending":
        assert 'class="btn"' not in receipt.content.decode()
