"""Reminders of an open request: the choices of when, and the calendar file (iCalendar) that does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.kit import limits
from payments.models import PaymentRequest
from payments.share import phrases, text

_AFTER = {
    "hour": (timedelta(hours=1), gettext_lazy("In 1 hour")),
    "later": (timedelta(hours=4), gettext_lazy("In 4 hours")),
    "tomorrow": (timedelta(hours=24), gettext_lazy("Tomorrow at this time")),
}


@dataclass(frozen=True)
class Choice:
    """A time to be reminded at."""

    key: str
    label: str
    moment: datetime


def choices(request: PaymentRequest, now: datetime) -> list[Choice]:
    """The times that leave enough to pay in before the request ends; none when its end is near.

    They are counted from now or from the end, so that nobody's time zone needs to be known.
    """
    found = [Choice(key, str(label), now + after) for key, (after, label) in _AFTER.items()]
    found = [choice for choice in found if choice.moment <= request.expires_at - limits.REMINDER_MARGIN]
    if request.expires_at - limits.REMINDER_BEFORE_END > now + 2 * limits.REMINDER_BEFORE_END:
        found.append(Choice("last", _("1 hour before it ends"), request.expires_at - limits.REMINDER_BEFORE_END))
    return found


def calendar_file(request: PaymentRequest, moment: datetime, now: datetime, share: int | None = None) -> str:
    """An iCalendar event with an alarm at that moment: a first name, the shop and the link (of a share, where it is one
    that is paid), nothing else of anybody.
    """
    link = text.share_link(request, share)
    host = urlsplit(settings.PUBLIC_URL).hostname
    name = phrases.first_name(request.order.buyer_name)
    title = _("%(name)s is asking for help with a payment at %(shop)s") % {"name": name, "shop": request.merchant.name}
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//friendpay//EN",
        "BEGIN:VEVENT",
        f"UID:{request.public_id}-{moment:%Y%m%d%H%M}@{host}",
        f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{moment:%Y%m%dT%H%M%SZ}",
        "DURATION:PT15M",
        f"SUMMARY:{_text(title)}",
        f"DESCRIPTION:{_text(link)}",
        f"URL:{link}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:PT0S",
        f"DESCRIPTION:{_text(title)}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _text(words: str) -> str:
    """Words as RFC 5545 wants them: on one line, and nothing in them that could end it."""
    words = " ".join(words.split()).replace("\\", "\\\\")
    return words.replace(",", "\\,").replace(";", "\\;")


def _fold(line: str) -> str:
    """At most 75 bytes a line, never broken within a letter; what goes on begins with a blank."""
    folded, room = "", 75
    for letter in line:
        size = len(letter.encode())
        if size > room:
            folded, room = f"{folded}\r\n ", 74
        folded, room = folded + letter, room - size
    return folded
