"""What a caller says of sums and days is understood in English and Chinese, in the reader's own time zone."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from payments.admin import said

NOW = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)  # a Friday; in Shanghai it is Saturday, 4 o'clock


def days(text: str) -> list[date]:
    return [timezone.localtime(begins).date() for begins, _ends in said.read(text, NOW, "en").days]


DAYS = {
    "90 today": "11-27",
    "90 yesterday": "11-26",
    "yesterday ¥90": "11-26",
    "the day before yesterday, 90": "11-25",
    "90 3 days ago": "11-24",
    "90.00 27 Nov": "11-27",
    "90 on November 3rd": "11-03",
    "90, 3rd of November 2026": "11-03",
    "90 2026-11-20": "11-20",
    "90 2026/11/20": "11-20",
    "90 20/11": "11-20",
    "90 20.11.2026": "11-20",
    "90 on Wednesday": "11-25",
    "90 last Friday": "11-20",
    "昨天 90": "11-26",
    "今天90元": "11-27",
    "前天 90块": "11-25",
    "3天前 ¥90": "11-24",
    "11月20日 ¥90": "11-20",
    "2026年11月20号90元": "11-20",
    "周三 90": "11-25",
    "星期天90块钱": "11-22",
}


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_a_day_and_a_sum_are_heard_however_they_are_said(text: str, day: str) -> None:
    assert [f"{found:%m-%d}" for found in days(text)] == [day]
    heard = said.read(text, NOW, "en")
    assert "CNY" in heard.sums[9000]
    assert heard.words in ("", "the")


def test_a_date_of_two_readings_is_both() -> None:
    assert days("90 3/5") == [date(2026, 3, 5), date(2026, 5, 3)]


def test_a_day_without_a_year_is_the_last_there_was() -> None:
    assert days("90 28 Nov") == [date(2025, 11, 28)]


def test_days_are_the_readers_own() -> None:
    with timezone.override("Asia/Shanghai"):
        ((begins, ends),) = said.read("yesterday", NOW, "en").days
    assert begins == datetime(2026, 11, 26, 16, tzinfo=UTC)
    assert ends == datetime(2026, 11, 27, 16, tzinfo=UTC)


SUMS = {
    "90": {9000: "CNY", 90: "JPY", 90_000: "KWD"},
    "¥90": {9000: "CNY", 90: "JPY"},
    "90元": {9000: "CNY", 90: "JPY"},
    "90块": {9000: "CNY"},
    "90.50": {9050: "CNY", 90_500: "KWD"},
    "CNY 1,234.50": {123450: "CNY"},
    "US$ 90": {9000: "USD"},
    "90 EUR": {9000: "EUR"},
    "KRW 12000": {12000: "KRW"},
}


@pytest.mark.parametrize(("text", "sums"), SUMS.items())
def test_a_sum_is_looked_for_in_every_currency_it_may_be_of(text: str, sums: dict[int, str]) -> None:
    found = said.read(text, NOW, "en").sums
    assert set(found) == set(sums)
    assert all(currency in found[minor] for minor, currency in sums.items())


def test_what_stands_beside_sum_and_day_is_kept() -> None:
    heard = said.read("Lin Wei, ¥90 yesterday", NOW, "en")
    assert heard.words == "lin wei"
    assert set(heard.sums) == {9000, 90}


@pytest.mark.parametrize("text", ["A-1001", "Lin", "ord_x", "2222-2222", "30 Feb", "31.31.2026", "9" * 20])
def test_what_is_no_sum_and_no_day_is_words(text: str) -> None:
    heard = said.read(text, NOW, "en")
    assert not heard.days
    assert not heard.sums or text == "30 Feb"
