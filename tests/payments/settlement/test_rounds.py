"""A round over what is due: account by account, each for its turn, within its time, and no account twice at once."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from friendpay.kit import limits
from payments.models import Payment
from payments.settlement import calls, rounds
from payments.wallets.base import ProviderError
from tests import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a round's clock says; a test lets it go on."""
    passed = [0.0]
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    return passed


def due(*counts: int) -> list[int]:
    """So many payments of each of several accounts, all due; their accounts."""
    accounts = []
    for count in counts:
        merchant = shop.make_merchant()
        payments = [shop.hold(shop.make_request(shop.make_order(merchant))) for _number in range(count)]
        accounts.append(payments[0].account_id)
    Payment.objects.update(next_attempt_at=Payment.objects.earliest("created_at").created_at)
    return accounts


def round_of(
    work: Callable[[Payment], object] = lambda _payment: None, limit: int | None = None
) -> tuple[int, list[int]]:
    """How many it says were done, and of which accounts, in turn."""
    order: list[int] = []

    def noted(payment: Payment) -> None:
        order.append(payment.account_id)
        work(payment)

    moment = Payment.objects.latest("created_at").created_at
    return rounds.work_through(Payment.objects.due_for_question(moment), noted, limit=limit), order


def test_a_round_does_all_that_is_due_and_an_error_stays_with_its_row() -> None:
    due(2, 1)

    def failing(_payment: Payment) -> None:
        raise ProviderError("no", permanent=False)

    done, order = round_of(failing)
    assert (done, len(order)) == (3, 3)
    assert round_of() == (0, [])


def test_a_round_ends_at_its_limit() -> None:
    due(3)
    assert round_of(limit=2)[0] == 2


def test_an_account_has_its_turn_and_the_others_theirs_before_it_goes_on(seconds: list[float]) -> None:
    due(3, 3)

    def slow(_payment: Payment) -> None:
        seconds[0] += limits.SWEEP_TURN_SECONDS * 0.6

    done, order = round_of(slow)
    assert done == 6
    first, second = order[0], next(it for it in order if it != order[0])
    assert order[:4] == [first, first, second, second]


def test_a_round_whose_time_is_over_begins_no_other_account(seconds: list[float]) -> None:
    due(1, 1, 1)

    def slow(_payment: Payment) -> None:
        seconds[0] += limits.SWEEP_SECONDS * 0.6

    assert round_of(slow)[0] == 2
    assert round_of(slow)[0] == 1


def test_only_accounts_that_have_something_due_have_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = due(1, 1)
    Payment.objects.filter(account=accounts[0]).update(next_attempt_at=Payment.objects.latest("id").held_until)
    moment = Payment.objects.latest("created_at").created_at
    assert rounds._turns(Payment.objects.due_for_question(moment)) == accounts[1:]
    under_way = {accounts[0]: 0, accounts[1]: 2}
    monkeypatch.setattr(calls, "under_way", under_way.__getitem__)
    assert rounds._turns(Payment.objects.all()) == accounts
