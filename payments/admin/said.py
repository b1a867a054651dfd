"""What a caller says of a payment without naming it: a sum, a day, and the words beside them ("Lin, ¥90 yesterday")."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache

from babel.dates import get_day_names, get_month_names
from django.utils import timezone

from friendpay.kit import amounts, limits
from friendpay.kit.money import EXPONENT

_NEAR = {
    "day before yesterday": 2,
    "yesterday": 1,
    "today": 0,
    "今天": 0,
    "今日": 0,
    "昨天": 1,
    "昨日": 1,
    "大前天": 3,
    "前天": 2,
}
_NEARBY = re.compile("|".join([*sorted(_NEAR, key=len, reverse=True), r"(\d{1,3}) days? ago", r"(\d{1,3}) ?天前"]))
_YEAR_FIRST = re.compile(r"(?<!\d)(20\d\d)(?:[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)|年(\d{1,2})月(\d{1,2})[日号]?)")
_CHINESE = re.compile(r"(?<!\d)(\d{1,2})月(\d{1,2})[日号]?")
_FIGURES = re.compile(r"(?<![\d.])(\d{1,2})[/.](\d{1,2})[/.](20\d\d)(?![\d.])|(?<![\d.])(\d{1,2})/(\d{1,2})(?![\d/])")
_WEEKDAY = re.compile(r"(?:上?(?:周|星期|礼拜))([一二三四五六日天])")
_BETWEEN = re.compile(r"\b(?:on|last|of|from|at|for|about|around)\b|[,;，；。的]")


@dataclass(frozen=True)
class Said:
    """The sums it may be, by minor units, each with its currencies; the days it may be; and what else was said."""

    words: str
    sums: dict[int, list[str]] = field(default_factory=dict)
    days: tuple[tuple[datetime, datetime], ...] = ()


def read(text: str, now: datetime, language: str) -> Said:
    """Days are those of the reader's own time zone; one without a year is the last there was. Nothing is guessed of a
    sum: what could be of several currencies is looked for in each.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    found, rest = _days(plain, timezone.localtime(now).date())
    sums, words = _sums(" ".join(_BETWEEN.sub(" ", rest).split()), language)
    return Said(words, sums, tuple(_whole(day) for day in found))


def _whole(day: date) -> tuple[datetime, datetime]:
    begins = timezone.make_aware(datetime.combine(day, time.min))
    return begins, timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _days(text: str, today: date) -> tuple[list[date], str]:
    """The days that a text names, and the text without them."""
    for found, days in _readings(text, today):
        if known := sorted({day for day in days if day is not None and day <= today}):
            return known, f"{text[: found.start()]} {text[found.end() :]}"
    return [], text


def _readings(text: str, today: date) -> Iterator[tuple[re.Match[str], list[date | None]]]:
    if found := _NEARBY.search(text):
        ago = next((int(number) for number in found.groups() if number), _NEAR.get(found[0]))
        yield found, [today - timedelta(days=ago or 0)]
    if found := _YEAR_FIRST.search(text):
        yield found, [_day(*(int(number) for number in found.groups() if number))]
    if found := _CHINESE.search(text):
        yield found, [_last(today, int(found[1]), int(found[2]))]
    for pattern, order in _named():
        if found := pattern.search(text):
            month, day = _months()[found[order[0]]], int(found[order[1]])
            yield found, [_day(int(found[3]), month, day) if found[3] else _last(today, month, day)]
    if found := _FIGURES.search(text):
        first, second, *years = (int(number) for number in found.groups() if number)
        ways = ((first, second), (second, first))  # the 5th of March, and May 3rd
        yield found, [_day(years[0], *way) if years else _last(today, *way) for way in ways]
    if found := _WEEKDAY.search(text) or _weekday().search(text):
        back = (today.weekday() - _number_of(found[1])) % 7
        yield found, [today - timedelta(days=back or 7)]


@cache
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for width in ("wide", "abbreviated"):
        names |= {name.casefold(): number for number, name in get_month_names(width, locale="en").items()}
    return names | {"sept": 9}


@cache
def _named() -> tuple[tuple[re.Pattern[str], tuple[int, int]], ...]:
    """A month by its name, before or after the day; where month and day stand in what is found."""
    name = "|".join(sorted(_months(), key=len, reverse=True))
    day, year = r"(\d{1,2})(?:st|nd|rd|th)?", r"(?:,? (20\d\d))?\b"
    return (
        (re.compile(rf"\b{day}\.? (?:of )?({name})\.?{year}"), (2, 1)),
        (re.compile(rf"\b({name})\.? {day}{year}"), (1, 2)),
    )


@cache
def _weekday() -> re.Pattern[str]:
    names = [name.casefold() for name in get_day_names("wide", locale="en").values()]
    return re.compile(rf"\b({'|'.join(names)})\b")


def _number_of(name: str) -> int:
    """Of a day of the week; Monday is 0."""
    if name in (chinese := "一二三四五六日"):
        return chinese.index(name)
    names = {day.casefold(): number for number, day in get_day_names("wide", locale="en").items()}
    return names.get(name, 6)  # 天 is Sunday too


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _last(today: date, month: int, day: int) -> date | None:
    """The last such day there was."""
    years = (_day(today.year - ago, month, day) for ago in range(9))
    return next((when for when in years if when is not None and when <= today), None)


def _sums(text: str, language: str) -> tuple[dict[int, list[str]], str]:
    """The first sum in a text, with the word or sign beside it, and the text without it."""
    tokens = text.split()
    for wide in (3, 2, 1):
        for start in range(len(tokens) - wide + 1):
            part = " ".join(tokens[start : start + wide])
            if any(char.isdecimal() for char in part) and (sums := _readable(part, language)):
                return sums, " ".join(tokens[:start] + tokens[start + wide :])
    return {}, text


def _readable(text: str, language: str) -> dict[int, list[str]]:
    sums = defaultdict(list)
    for currency in EXPONENT:
        try:
            minor = amounts.read(text, currency, language).minor
        except amounts.Unreadable:
            continue
        if 0 < minor <= limits.MAX_MINOR:
            sums[minor].append(currency)
    return dict(sums)
