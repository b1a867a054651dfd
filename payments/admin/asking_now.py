"""Asking wallets at once where the money of a case is; what they say is done, and put on record."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext

from friendpay.kit import desk_limits
from friendpay.kit.templatetags.money import amount
from orders.models import Order
from payments.admin import parts
from payments.admin.story import Story
from payments.models import Payment, Refund
from payments.settlement import reconcile, refunds
from payments.wallets.base import Outcome, ProviderError, State


def _say(outcome: Outcome) -> str:
    said = {
        State.SUCCEEDED: gettext("paid"),
        State.PENDING: gettext("not decided yet"),
        State.FAILED: gettext("not paid"),
        State.RETURNED: gettext("paid, and given back"),
        State.UNKNOWN: gettext("it knows of no such number"),
    }.get(outcome.state, str(outcome.state))
    sum = amount(outcome.amount.minor, outcome.amount.currency) if outcome.amount else ""
    return " ".join(filter(None, (said, sum, outcome.code)))


def ask_wallets(request: HttpRequest, thing: Any, payments: list[Payment], owed: list[Refund]) -> None:
    """Ask wallets where payments and refunds stand, the latest first, do what they say, and put it on record."""
    questions: list[tuple[Payment, Callable[[], Outcome]]] = [
        (payment, partial(reconcile.ask_now, payment.pk)) for payment in reversed(payments)
    ]
    questions += [(refund.payment, partial(_ask_refund, refund)) for refund in reversed(owed)]
    for payment, question in questions[: desk_limits.ASKED_NOW]:
        try:
            said = _say(question())
        except ProviderError as error:
            said = gettext("it cannot be asked now (%(error)s)") % {"error": error.code or error}
        except ValueError as error:
            said = str(error)
        words = gettext("%(wallet)s was asked about %(payment)s, and says: %(said)s.")
        told = words % {"wallet": parts.wallet(payment), "payment": parts.numbered(payment), "said": said}
        admin.site.get_model_admin(type(thing)).log_change(request, thing, told)
        messages.info(request, told)


def _ask_refund(refund: Refund) -> Outcome:
    outcome = refunds.ask(refund)
    refunds.apply(refund, outcome)
    return outcome


def of_order(request: HttpRequest, order: Order, _result: Any) -> None:
    """For `Act.after`: all that was begun on the order, and its refunds that are not decided."""
    story = Story(order)
    undecided = [
        it for it in story.refunds if it.sent_at and it.status in (Refund.Status.SUBMITTED, Refund.Status.FAILED)
    ]
    ask_wallets(request, order, story.payments, undecided)
