"""What an order's sum has beside its lines: shipping, discounts, taxes and the like."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _


class AdjustmentKind(models.TextChoices):
    SHIPPING = "shipping", _("shipping")
    TAX = "tax", _("tax")
    DISCOUNT = "discount", _("discount")
    FEE = "fee", _("fee")
    CREDIT = "credit", _("credit")
    ROUNDING = "rounding", _("rounding")


TAKE_AWAY = (AdjustmentKind.DISCOUNT, AdjustmentKind.CREDIT)
"""At most zero. Rounding goes either way, and all others are at least zero."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One of them; `amount` in minor units, with its sign. It is kept within its order's row: it is written with the
    order, read with it and never alone.

    `included`: a tax that the prices have in them already. It is shown, and adds nothing to the sum.
    """

    kind: str
    name: str
    amount: int
    included: bool = False

    @property
    def adds(self) -> int:
        """What it adds to the order's sum."""
        return 0 if self.included else self.amount

    @classmethod
    def kept(cls, stored: Iterable[dict[str, Any]]) -> tuple[Self, ...]:
        return tuple(cls(**it) for it in stored)

    def stored(self) -> dict[str, Any]:
        return asdict(self)


def well_formed(column: str) -> RawSQL:
    """For a constraint: that a column has adjustments, each of a kind we know and with the sign of its kind."""
    kinds = " || ".join(
        f'@.kind == "{kind}"' + ("" if kind == AdjustmentKind.ROUNDING else f" && @.amount {_sign(kind)} 0")
        for kind in AdjustmentKind
    )
    is_one = (
        f'@.name.type() == "string" && @.amount.type() == "number" && @.amount.floor() == @.amount && ({kinds})'
        ' && (@.included == false || @.included == true && @.kind == "tax")'
    )
    sql = f"jsonb_typeof({column}) = 'array' AND NOT ({column} @? '$[*] ? (!({is_one}))')"
    return RawSQL(sql, (), output_field=models.BooleanField())


def _sign(kind: AdjustmentKind) -> str:
    return "<=" if kind in TAKE_AWAY else ">="
