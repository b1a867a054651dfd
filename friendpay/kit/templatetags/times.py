"""Template tags for times and countdowns. The server writes UTC; the script turns it into the reader's own zone."""

from datetime import UTC, datetime
from functools import lru_cache

from babel.dates import format_skeleton
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

register = template.Library()


@register.simple_tag
def moment(when: datetime) -> SafeString:
    """A point in time: "Nov 22 14:02 UTC" until the script knows the reader's zone."""
    return format_html('<time datetime="{}">{}</time>', f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", written(when))


def written(when: datetime) -> str:
    """The same for mails, which no script reads."""
    return _written(when.astimezone(UTC).replace(second=0, microsecond=0), get_language() or "en")


@lru_cache(maxsize=2000)  # of a minute, which many things have in common: formatting it takes 60 us
def _written(minute: datetime, language: str) -> str:
    text = " ".join(format_skeleton(form, minute, locale=to_locale(language)) for form in ("MMMd", "Hm"))
    return f"{text} UTC"


@register.simple_tag
def countdown(seconds: int) -> SafeString:
    """The time left, as 23:41:07 or 2:10; it runs where there is a script, and asks for news when it is over."""
    return format_html('<span class="num" data-left="{}">{}</span>', seconds, digits(seconds))


def digits(seconds: int) -> str:
    """Hours only when there are any; `clock.js` writes the same."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
