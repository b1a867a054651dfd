"""Exports: what is in them, that no spreadsheet runs any of it, and that they take the same memory however long."""

import csv
import gzip
import io
import tracemalloc
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from friendpay.kit import clock
from friendpay.kit.money import Money
from orders.models import Access, Order
from payments.books import days, exports, safe_csv
from payments.models import Movement
from payments.settlement import outside, refund_moves, refunds
from payments.wallets.base import Outcome, State
from tests import desk, shop
from tests.payments.admin.test_pages import mismatch

pytestmark = pytest.mark.django_db
RIGHTS = ("payments.view_movement", "payments.export_movement")


def scope(shops: list[int] | None = None, *, live: bool = False, back: int = 1) -> days.Scope:
    today = clock.now().date()
    return days.Scope(today - timedelta(days=back), today + timedelta(days=1), None, shops, live)


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def exported(name: str, of: days.Scope | None = None) -> list[dict[str, str]]:
    return read("".join(exports.text(name, of or scope())))


@pytest.fixture
def paid() -> Any:
    payment = shop.succeed(shop.hold(shop.make_request()))
    refund = refunds.refund_payment(payment.pk, 1234, actor="merchant", text="=cmd|' /C calc'!A0")
    refund_moves.move_refund(refund.pk, "succeeded")
    outside.hear_dispute(payment.pk, Outcome(State.PENDING, "", "dp_1", Money(500, "CNY"), "fraudulent"))
    mismatch(payment.account)
    return payment


@pytest.mark.parametrize("name", exports.names())
def test_every_export_can_be_read_back_and_names_its_columns(name: str, paid: Any) -> None:
    rows = exported(name)
    assert len(rows) == {"journal": 4, "fees": 0, "bills": 0}.get(name, 1)
    for row in rows:
        assert None not in row
        assert None not in row.values()
        for column, value in row.items():
            if column.endswith("_minor"):
                major = row[column.removesuffix("_minor")]
                assert Money.from_decimal(Decimal(major), row["currency"]).minor == int(value)


def test_amounts_stand_in_both_units_and_times_in_iso(paid: Any) -> None:
    [row] = exported("payments")
    assert (row["captured_minor"], row["captured"], row["currency"]) == ("9000", "90.00", "CNY")
    assert row["succeeded_at"] == paid.succeeded_at.isoformat().replace("+00:00", "Z")
    yen = shop.succeed(shop.hold(shop.make_request(amount=500, currency="JPY")))
    assert {row["id"]: row["captured"] for row in exported("payments")}[yen.public_id] == "500"


def test_all_exports_of_a_day_add_up_with_its_settlement_report(paid: Any) -> None:
    [line] = exported("settlement")
    journal = exported("journal")
    for column, kind in (("captured", "captured"), ("refunded", "refunded"), ("disputed", "disputed")):
        assert sum(int(row["amount_minor"]) for row in journal if row["kind"] == kind) == int(line[f"{column}_minor"])
    assert sum(int(row["captured_minor"]) for row in exported("payments")) == int(line["captured_minor"])
    assert sum(int(row["returned_minor"]) for row in exported("refunds")) == int(line["refunded_minor"])
    assert sum(int(row["taken_minor"]) for row in exported("disputes")) == int(line["disputed_minor"])
    assert line["closing"] == "72.66"


def test_nothing_of_other_shops_modes_or_days_is_in_it(paid: Any) -> None:
    other = shop.succeed(shop.hold(shop.make_request()))
    for name in ("orders", "payments", "journal", "settlement"):
        shops = {row["shop"] for row in exported(name, scope([other.merchant_id]))}
        assert shops == {other.merchant.public_id}
        assert exported(name, scope(live=True)) == []
    ago = days.Scope(date(2020, 1, 1), date(2020, 1, 31), None, None, live=False)
    assert exported("payments", ago) == exported("settlement", ago) == []


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
    " =1",
    "\u200b=1",
    "\ufeff=1",
    "\n=1",
    "|x",
    "%0",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_becomes_a_formula(formula: str) -> None:
    assert safe_csv.guarded(formula) == f"'{formula}"


@pytest.mark.parametrize("text", ["Lin", "a=1", "林", "🎁 =", "(1)", "", "  Lin", "3-4"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_csv.guarded(text) == text


def test_a_cell_cannot_be_left(paid: Any) -> None:
    Order.objects.update(buyer_name='","=1+1","\r\n=2')
    [row] = exported("orders")
    assert row["buyer_name"] == '","=1+1","\r\n=2'
    [refund] = exported("refunds")
    assert refund["note"].startswith("'=cmd")


def test_twenty_thousand_rows_take_no_more_memory_than_five_thousand() -> None:
    order = shop.make_order()
    scope_ = scope([order.merchant_id])
    _copy_order(1, 5000)
    rows, size, peak = _traced(scope_)
    assert (rows, size > 750_000) == (5002, True)
    _copy_order(5001, 20_000)
    rows, size, of_more = _traced(scope_)
    assert (rows, size > 3_000_000) == (20_002, True)
    assert of_more < 1.2 * peak < 12_000_000


def _copy_order(first: int, last: int) -> None:
    columns = [str(field.column) for field in Order._meta.concrete_fields if not field.primary_key]
    new = {"public_id": "'ord_' || n", "token": "'t' || n", "reference": "'R' || n"}
    chosen = ", ".join(new.get(column, f'"{column}"') for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    one = "(SELECT * FROM orders_order ORDER BY id LIMIT 1) o"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order ({named}) SELECT {chosen} FROM {one}, generate_series(%s, %s) n",  # noqa: S608
            [first, last],
        )


def _traced(scope_: days.Scope) -> tuple[int, int, int]:
    """Lines, characters, and the most memory they took at once."""
    lines = size = 0
    tracemalloc.start()
    try:
        for line in exports.text("orders", scope_):
            lines, size = lines + 1, size + len(line)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return lines, size, peak


# At the desk


def ask(client: Client, **changes: str) -> Any:
    today = clock.now().date()
    asked = {"since": f"{today - timedelta(days=1)}", "until": f"{today + timedelta(days=1)}", "zone": "wallet"}
    return client.post(desk.rows(Movement), asked | {"mode": "test", "export": "payments"} | changes)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_desk_gives_a_file_and_writes_down_who_took_it(paid: Any) -> None:
    client = desk.staff(*RIGHTS)
    answer = ask(client)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "payments-" in answer["Content-Disposition"]
    assert [row["id"] for row in read(body(answer).decode())] == [paid.public_id]
    [access] = Access.objects.filter(kind="export")
    assert (access.who, access.about.split()[0]) == ("anna", "payments")


def test_a_file_is_packed_for_who_takes_it_packed(paid: Any) -> None:
    client = desk.staff(*RIGHTS)
    today = clock.now().date().isoformat()
    asked = {"since": today, "until": today, "zone": "UTC", "mode": "test", "export": "journal"}
    answer = client.post(desk.rows(Movement), asked, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(read(gzip.decompress(body(answer)).decode())) == 4


def test_the_report_is_shown_to_readers_and_files_are_for_finance_alone(paid: Any) -> None:
    reader = desk.staff("payments.view_movement", name="reader")
    today = clock.now().date().isoformat()
    shown = reader.get(desk.rows(Movement), {"since": today, "until": today, "mode": "test", "zone": "UTC"})
    assert "CN¥72.66" in desk.words(shown)
    assert 'name="export"' not in shown.content.decode()
    assert ask(reader).status_code == 403
    assert desk.staff("payments.view_payment", name="other").get(desk.rows(Movement)).status_code == 403
    assert not Access.objects.filter(kind="export").exists()


def test_who_works_for_one_shop_has_its_books_alone(paid: Any) -> None:
    other = shop.succeed(shop.hold(shop.make_request(shop.make_order(shop.make_merchant("Night Market")))))
    client = desk.staff(*RIGHTS, shops=[other.merchant])
    assert [row["id"] for row in read(body(ask(client)).decode())] == [other.public_id]
    assert ask(client, shop=str(paid.merchant_id)).status_code == 422
    today = clock.now().date().isoformat()
    shown = desk.words(client.get(desk.rows(Movement), {"since": today, "until": today, "mode": "test", "zone": "UTC"}))
    assert "Night Market" in shown
    assert "Harbour Tea" not in shown
    assert "All shops" not in shown
    both = desk.staff(*RIGHTS, shops=[other.merchant, paid.merchant], name="both")
    assert "All shops" in desk.text(both, desk.rows(Movement))
    nobody = desk.staff(*RIGHTS, shops=[], name="nobody")
    assert read(body(ask(nobody)).decode()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"export": "users"},
        {"zone": "Mars/Olympus"},
        {"since": "tomorrow"},
        {"until": "2020-01-01"},
        {"until": "2099-01-01"},
        {"shop": "99"},
    ],
)
def test_nonsense_is_refused_and_nothing_is_read(changes: dict[str, str], paid: Any) -> None:
    answer = ask(desk.staff(*RIGHTS), **changes)
    assert (answer.status_code, answer.streaming) == (422, False)
    assert not Access.objects.filter(kind="export").exists()


def test_the_password_is_asked_for_again_before_a_file_is_given(paid: Any, settings: Any) -> None:
    settings.DESK_PASSWORD_MINUTES = 0
    answer = ask(desk.staff(*RIGHTS))
    assert "password" in desk.words(answer)
    assert not answer.streaming


# By command


def command(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("export_books", *args, stdout=out, **options)
    return out.getvalue()


def test_the_command_writes_the_same_as_the_desk_gives(paid: Any) -> None:
    today = clock.now().date()
    given = [f"--since={today - timedelta(days=1)}", f"--until={today + timedelta(days=1)}", "--zone=wallet", "--test"]
    assert command("payments", *given) == "".join(exports.text("payments", scope()))
    assert command("payments", *given, f"--shop={paid.merchant.public_id}") == command("payments", *given)
    assert read(command("payments")) == []  # real money of yesterday


@pytest.mark.parametrize(
    "given",
    [
        ["--zone=Mars"],
        ["--shop=mer_none"],
        ["--since=2026-05-03", "--until=2026-05-02"],
        ["--since=2020-01-01", "--until=2026-05-02"],
    ],
)
def test_the_command_says_what_it_does_not_know(given: list[str]) -> None:
    with pytest.raises(CommandError):
        command("orders", *given)
