"""An order's statuses while a friend is asked. The shop's own pipeline is kept, and given one more beginning."""

from django.conf import settings
from oscar.core.loading import get_model

WAITING = "Waiting for a friend"
"""The goods are held, nothing is paid."""


def paid() -> str:
    """What every other order of the shop begins with: from here on a friend's order is like any other."""
    return getattr(settings, "OSCAR_INITIAL_ORDER_STATUS", "")


def given_up() -> str:
    return getattr(settings, "FRIENDPAY_CANCELLED_STATUS", "Cancelled")


def add_to_pipeline() -> None:
    """Waiting leads to the two others, and to nothing else."""
    pipeline = get_model("order", "Order").pipeline
    pipeline[WAITING] = (paid(), given_up())
    pipeline.setdefault(paid(), ())
    pipeline.setdefault(given_up(), ())
