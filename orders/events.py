"""The one place where something is said to have happened."""

from typing import Any

from orders.models import Event, Order


def record(
    type: str,
    *,
    order: Order,
    object_id: str,
    actor: str,
    data: dict[str, Any],
    request: str = "",
    seq: int | None = None,
) -> Event:
    """Write an event in the caller's transaction, so that it is true exactly when the change it tells of is.

    `type` is `object.past_participle`; `actor` says who did it: buyer, payer, merchant, provider, system or
    support:NAME.
    """
    return Event.objects.create(
        merchant_id=order.merchant_id,
        live=order.live,
        type=type,
        order=order,
        request=request,
        seq=seq,
        object_id=object_id,
        actor=actor,
        data=data,
    )
