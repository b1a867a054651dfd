"""Which shops somebody of staff works for. Every page, search and export of the desk asks here."""

from typing import Any

from django.db.models import QuerySet

from friendpay.admin_kit.roles import ALL_SHOPS
from friendpay.admin_kit.scope import Shops, within
from orders.models import Membership, Merchant


def shops_of(user: Any) -> Shops:
    """The ids of the shops this person sees; None for all there are, which a right of its own says. By default nobody
    sees any. As with rights, what is found holds for as long as this object of the user does: a request.
    """
    if user.has_perm(ALL_SHOPS):
        return None
    if not hasattr(user, "_shops"):
        own = Membership.objects.alive().filter(user_id=user.pk) if user.is_active else Membership.objects.none()
        user._shops = frozenset(own.values_list("merchant_id", flat=True))
    found: frozenset[int] = user._shops
    return found


def only_mine(user: Any, rows: QuerySet[Any], way: str = "merchant") -> QuerySet[Any]:
    """Those of the rows that are of this person's shops. `way` leads from a row to its shop."""
    return within(rows, way, shops_of(user))


def merchants_of(user: Any) -> QuerySet[Merchant]:
    """The shops themselves, to choose one."""
    return only_mine(user, Merchant.objects.all(), "pk")
