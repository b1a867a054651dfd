"""CSV that a spreadsheet opens without running any of it: what strangers wrote is text, whatever it begins with."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

BOM = "\ufeff"
"""Stands before all: without it Excel reads UTF-8 as the letters of some other time. Programs read `utf-8-sig`."""

_BEGIN_FORMULAS = frozenset("=+-@|%＝＋－＠−﹢﹣﹦﹫⁺⁻⁼₊₋₌")
_UNSEEN = ("C", "Z")  # categories: controls, marks that are not seen, and spaces


def guarded(text: str) -> str:
    """The text behind an apostrophe, if a spreadsheet might take it for a formula: for what it begins with, once all
    that is not seen is passed by, or for a control character before that.
    """
    for character in text:
        if character in _BEGIN_FORMULAS or character in "\t\r\n\v\f\0":
            return f"'{text}"
        if not unicodedata.category(character).startswith(_UNSEEN):
            return text
    return text


def cell(value: Any) -> str:
    """A value as it is written: times in UTC as ISO 8601, numbers as they are, texts guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return guarded(value)
    return str(value)


def lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file's text, a line at a time, with a BOM before all. Every cell is quoted, so nothing splits one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")

    def taken() -> str:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    writer.writerow(header)
    yield BOM + taken()
    for row in rows:
        writer.writerow([cell(value) for value in row])
        yield taken()
