"""A friend's part, where several pay together: what is typed, what is on the button, and what she may tap instead."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.forms import Form
from django.utils.translation import get_language

from friendpay.kit import amounts
from friendpay.kit.money import Money
from payments.pages.fields import Field, shown
from payments.pages.forms import PayForm
from payments.pages.friend_reading import Reading
from payments.settlement import chip_in


@dataclass(frozen=True)
class Part:
    """`sum` is what is in the field, None while that is no amount; `choices` fill it by a tap. None may give less than
    `least`, but all that is missing.
    """

    field: Field
    sum: Money | None
    choices: tuple[Money, ...]
    least: Money

    @classmethod
    def of(cls, reading: Reading, sent: Form | None, typed: str | None) -> Self:
        """`typed` is what the friend would give, None where she has not said."""
        request, language = reading.request, get_language() or settings.LANGUAGE_CODE
        given, currency = len(reading.given), request.currency
        unpaid = Money(request.amount - request.amount_paid, currency)
        step = chip_in.step_among(unpaid, chip_in.taking(request.order, reading.shop.accounts))
        missing = request.remaining or unpaid.minor
        if typed is None:
            share = chip_in.share_of_next(request, joined=given + reading.begun, step=step)
            typed = Money(share or missing, currency).figures(language)
        choices = tuple(Money(part, currency) for part in chip_in.fitting(request, given=given, step=step))
        field = shown(sent, PayForm, "amount", typed[:40])
        return cls(
            field=field.typed() if isinstance(sent, PayForm) else field,
            sum=_read(typed[:40], currency, language) if typed.strip() else Money(missing, currency),
            choices=choices,
            least=Money(min(request.split_min_amount or 1, missing), currency),
        )


def _read(typed: str, currency: str, language: str) -> Money | None:
    try:
        return amounts.read(typed, currency, language)
    except amounts.Unreadable:
        return None
