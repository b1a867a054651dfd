"""What stands in a cell of the desk: badges, links, amounts and times, said the same way on every page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.kit.templatetags.money import amount

Cell = Any  # what a template can show: text, or markup that is safe already

KINDS = {
    "open": "info",
    "awaiting_payment": "info",
    "created": "info",
    "pending": "info",
    "requested": "info",
    "submitted": "info",
    "paid": "success",
    "succeeded": "success",
}
"""The colour of a status. Red is for what somebody must look at, and is said where it is so."""


def badge(text: object, kind: str = "") -> SafeString:
    """A small label: info, success, warning, danger, or plain."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": kind})


def mode(live: bool) -> SafeString:
    """Whether real money moves."""
    return badge(_("live"), "success") if live else badge(_("test"), "warning")


def money(minor: int, currency: str) -> SafeString:
    """An amount that no line break splits, in figures of equal width."""
    return format_html('<span class="desk-num">{}</span>', amount(minor, currency))


_FORM = "%Y-%m-%d %H:%M:%S"


def moment(when: datetime | None) -> SafeString | str:
    """A point in time, in the reader's time zone, which stands above every page; in UTC for whoever points at it, to
    compare it with a provider's logs.
    """
    if when is None:
        return ""
    return format_html(
        '<time class="desk-num" datetime="{}" title="{} UTC">{}</time>',
        when.isoformat(),
        when.astimezone(UTC).strftime(_FORM),
        timezone.localtime(when).strftime(_FORM),
    )


def address(thing: Model, page: str = "change") -> str:
    """The desk's page of a thing."""
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{page}", args=[thing.pk])


def link(thing: Model, text: object = "") -> SafeString:
    """To the page of a thing."""
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address(thing), text or thing
    )


def code(text: str) -> SafeString:
    """Something to copy: an id, a reference, an address."""
    return format_html('<code class="desk-code">{}</code>', text) if text else SafeString("")


def labelled(label: object, cell: Cell) -> SafeString:
    """What a thing is and the thing, with the colon of the reader's language between them."""
    return format_html(gettext("{label}: {value}"), label=label, value=cell)


@dataclass(frozen=True)
class Panel:
    """A table on a thing's page. One that `flows` is read as lines of text on a phone, not as cards."""

    title: object
    headers: Sequence[object]
    rows: Iterable[Sequence[Cell]]
    flows: bool = False

    @property
    def table(self) -> dict[str, Any]:
        return {"headers": self.headers, "rows": [list(row) for row in self.rows]}
