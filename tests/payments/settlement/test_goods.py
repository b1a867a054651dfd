"""A line that goes back counts as returned as long as money for it is with its payer or on its way there."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from friendpay.kit.errors import Refused
from orders.models import Order, OrderLine
from orders.returns import LineReturn
from orders.services import LineDraft, place_order
from payments.models import Payment, Refund
from payments.settlement import goods, ledger, refund_moves, refunds, remedies
from payments.settlement.chip_in import Split
from payments.wallets.base import Outcome, State
from tests import shop

pytestmark = pytest.mark.django_db

TEA, CUPS = 1, 2
LINES = [LineDraft("Tea", 3, None, amount=1000), LineDraft("Cups", 2, 4000)]


@pytest.fixture(autouse=True)
def _books_are_right() -> Iterator[None]:
    yield
    assert ledger.check() == []


def bought(*parts: int) -> Order:
    """Three packets of tea for 10.00 and two cups for 40.00 each, paid by so many friends."""
    order = place_order(shop.make_merchant(), reference="A-1", currency="CNY", lines=LINES, buyer_name="Lin")
    request = shop.make_request(order, split=Split(len(parts), 100) if parts else None)
    for part in parts or (order.amount,):
        request.refresh_from_db()
        shop.succeed(shop.hold(request, part))
    return order


def back(order: Order, *lines: LineReturn) -> list[Refund]:
    return refunds.refund_order(order, lines=lines, actor="merchant")


def fail(*refunds: Refund) -> None:
    for refund in refunds:
        refund_moves.move_refund(refund.pk, "failed", outcome=Outcome(State.FAILED, refund.reference, code="NO"))


def succeed(*refunds: Refund) -> None:
    for refund in refunds:
        refund_moves.move_refund(refund.pk, "succeeded")


def returned() -> list[int]:
    """How much of each line, which are whole numbers here."""
    return [int(quantity) for quantity in OrderLine.objects.order_by("id").values_list("quantity_returned", flat=True)]


def rows() -> list[tuple[str, int]]:
    return list(Refund.objects.order_by("id").values_list("status", "amount"))


def test_lines_whose_refund_failed_can_be_refunded_again_in_its_place() -> None:
    order = bought()
    (first,) = back(order, LineReturn(TEA), LineReturn(CUPS, Decimal(1)))
    assert returned() == [3, 1]
    fail(first)
    assert returned() == [0, 0]
    assert refunds.left_of(order) == order.amount
    back(order, LineReturn(TEA), LineReturn(CUPS, Decimal(1)))
    assert (rows(), returned()) == ([("withdrawn", 5000), ("requested", 5000)], [3, 1])
    with pytest.raises(Refused, match="refund_not_failed"):
        remedies.send_again(first.pk, actor="support:ada")


def test_of_one_payment_as_well() -> None:
    order = bought()
    payment = Payment.objects.get()
    fail(refunds.refund_payment(payment.pk, lines=[LineReturn(CUPS)], actor="merchant"))
    assert returned() == [0, 0]
    refunds.refund_payment(payment.pk, lines=[LineReturn(CUPS)], actor="merchant")
    assert (rows(), returned()) == ([("withdrawn", 8000), ("requested", 8000)], [0, 2])
    assert refunds.left_of(order) == 1000


def withdrawn(refund: Refund) -> None:
    fail(refund)
    remedies.withdraw(refund.pk, actor="support:ada")


def bounced(refund: Refund) -> None:
    succeed(refund)
    fail(refund)


def returned_elsewhere(refund: Refund) -> None:
    fail(refund)
    remedies.return_elsewhere(refund.pk, "in cash", actor="support:ada")


def sent_again(refund: Refund) -> None:
    fail(refund)
    remedies.send_again(refund.pk, actor="support:ada")


def got_through(refund: Refund) -> None:
    fail(refund)
    succeed(refund)


def got_through_though_withdrawn(refund: Refund) -> None:
    withdrawn(refund)
    succeed(refund)


def sent_in_parts(refund: Refund) -> None:
    fail(refund)
    remedies.send_in_parts(refund.pk, 1, actor="support:ada")


def failed_in_one_part(refund: Refund) -> None:
    fail(refund)
    succeed(remedies.send_in_parts(refund.pk, 1, actor="support:ada")[0])
    fail(Refund.objects.order_by("id")[2])


def failed_in_both_parts(refund: Refund) -> None:
    fail(refund)
    fail(*remedies.send_in_parts(refund.pk, 1, actor="support:ada"))


def partly_returned_elsewhere(refund: Refund) -> None:
    fail(refund)
    remedies.return_elsewhere(refund.pk, "in cash", 1, actor="support:ada")
    fail(Refund.objects.order_by("id")[2])


@pytest.mark.parametrize(
    ("end", "is_returned"),
    [
        (succeed, True),
        (returned_elsewhere, True),
        (sent_again, True),
        (got_through, True),
        (got_through_though_withdrawn, True),
        (sent_in_parts, True),
        (failed_in_one_part, True),
        (partly_returned_elsewhere, True),
        (fail, False),
        (withdrawn, False),
        (bounced, False),
        (failed_in_both_parts, False),
    ],
)
def test_a_line_is_returned_as_long_as_money_for_it_is_back_or_on_its_way(
    end: Callable[[Refund], None], is_returned: bool
) -> None:
    order = bought()
    end(back(order, LineReturn(TEA))[0])
    assert returned() == ([3, 0] if is_returned else [0, 0])
    back(order, LineReturn(CUPS))
    assert returned() == ([3, 2] if is_returned else [0, 2])
    if not is_returned:
        assert sum(refund.amount for refund in back(order, LineReturn(TEA))) == 1000


def test_a_line_of_several_friends_is_returned_until_the_last_of_their_refunds_has_failed() -> None:
    order = bought(3000, 6000)
    first, second = back(order, LineReturn(TEA, Decimal(1)))
    fail(first)
    assert returned() == [1, 0]
    fail(second)
    assert returned() == [0, 0]
    remedies.send_again(first.pk, actor="support:ada")
    remedies.send_again(second.pk, actor="support:ada")
    assert returned() == [1, 0]


def test_pieces_bring_exactly_what_was_paid_whichever_of_them_failed() -> None:
    order = bought()
    pieces = [back(order, LineReturn(TEA, Decimal(1)))[0] for _number in range(3)]
    assert [piece.amount for piece in pieces] == [333, 333, 334]
    fail(pieces[0])
    succeed(*pieces[1:])
    assert back(order, LineReturn(TEA))[0].amount == 333
    fail(pieces[2], pieces[1])
    together = [back(order, LineReturn(TEA, Decimal(1)))[0].amount for _number in range(2)]
    assert sum(together) + 333 == 1000
    assert returned() == [3, 0]


def test_only_failed_refunds_of_lines_that_went_back_otherwise_are_withdrawn_the_oldest_first() -> None:
    order = bought()
    one, two = (back(order, LineReturn(TEA, Decimal(1)))[0] for _number in range(2))
    (cup,) = back(order, LineReturn(CUPS, Decimal(1)))
    fail(one, two, cup)
    back(order, LineReturn(TEA, Decimal(2)))
    assert [status for status, _amount in rows()] == ["withdrawn", "failed", "failed", "requested"]
    assert returned() == [2, 0]
    remedies.send_again(two.pk, actor="support:ada")
    remedies.send_again(cup.pk, actor="support:ada")
    assert returned() == [3, 1]


def test_a_part_that_failed_is_not_withdrawn_for_another_call_of_the_same_line() -> None:
    """The rest of its call has gone back, so its own pieces are returned already."""
    order = bought(3000, 6000)
    first, second = back(order, LineReturn(TEA, Decimal(1)))
    fail(first)
    succeed(second)
    back(order, LineReturn(TEA))
    assert [status for status, _amount in rows()][:2] == ["failed", "succeeded"]
    assert returned() == [3, 0]


def test_a_line_that_went_back_twice_after_all_is_returned_once_and_as_long_as_one_stands() -> None:
    """The wallet makes a refund that was withdrawn, beside the one in its place. There was money for both."""
    order = bought()
    (first,) = back(order, LineReturn(TEA))
    fail(first)
    (second,) = back(order, LineReturn(TEA))
    succeed(first, second)
    assert (returned(), refunds.left_of(order)) == ([3, 0], 7000)
    fail(second)
    assert (returned(), refunds.left_of(order)) == ([3, 0], 8000)
    fail(first)
    assert returned() == [0, 0]


@pytest.mark.parametrize("order_of_news", ["withdrawn one went through", "both did, and one came back"])
def test_a_line_that_went_back_after_all_is_not_sent_once_more(order_of_news: str) -> None:
    order = bought()
    (first,) = back(order, LineReturn(TEA))
    fail(first)
    (second,) = back(order, LineReturn(TEA))
    if order_of_news.startswith("both"):
        succeed(first, second)
        assert refund_moves.move_refund(second.pk, "failed").status == "withdrawn"
    else:
        fail(second)
        succeed(first)
    assert (rows(), returned()) == ([("succeeded", 1000), ("withdrawn", 1000)], [3, 0])
    with pytest.raises(Refused, match="refund_not_failed"):
        remedies.send_again(second.pk, actor="support:ada")


def test_an_amount_in_place_of_a_failed_refund_counts_no_line() -> None:
    order = bought()
    fail(back(order, LineReturn(TEA))[0])
    refunds.refund_order(order, 9000, actor="merchant")
    assert (rows(), returned()) == ([("withdrawn", 1000), ("requested", 9000)], [0, 0])


def test_what_was_returned_before_refunds_said_of_what_stays_returned() -> None:
    order = bought()
    (first,) = back(order, LineReturn(TEA, Decimal(1)))
    Refund.objects.update(goods=None)  # as the version before wrote it
    (second,) = back(order, LineReturn(TEA))
    assert second.amount == 667
    first.refresh_from_db()
    fail(first, second)
    assert returned() == [1, 0]
    assert back(order, LineReturn(TEA))[0].amount == 667
    assert goods.returned(order)[TEA].quantity == 2
