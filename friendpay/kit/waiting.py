"""Views that wait for a wallet's server say so here; `friendpay.lanes` gives them threads of their own (bulkheads)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "waits_for_wallet"


@dataclass(frozen=True)
class Waiting:
    """By which methods a view may wait, and in which lane; "" is the lane of the wallet that the form names."""

    methods: tuple[str, ...]
    lane: str


def waits_for_wallet(*methods: str, lane: str = "") -> Callable[[View], View]:
    """A view that may call a wallet when asked by these methods, POST where none is named. It never holds the threads
    that serve pages and notifications.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, Waiting(methods or ("POST",), lane))  # what wraps it takes it over, as `wraps` does
        return view

    return mark


def waiting(view: Callable[..., Any]) -> Waiting | None:
    """What a view said of itself."""
    return getattr(view, _MARK, None)
