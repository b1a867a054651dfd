"""The payer's page: it works without a script, and a double click or a stale tab does no harm."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from sandbox import amounts, bank
from sandbox.models import Charge, Notice
from tests.sandbox.conftest import MakeCharge

MoveTime = Callable[[float], None]


@pytest.fixture
def charge(new_charge: MakeCharge) -> bank.ChargeDetails:
    return bank.open_charge(new_charge())


def post(client: Client, charge: bank.ChargeDetails, action: str) -> Any:
    return client.post(f"/sandbox/{charge.ref}/", {"action": action})


def status() -> str:
    return Charge.objects.get().status


def test_the_payer_sees_how_much_what_for_and_that_it_is_play_money(client: Client, charge: bank.ChargeDetails) -> None:
    page = client.get(f"/sandbox/{charge.ref}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "CN¥90.00" in text
    assert "Order 1001" in text
    assert "No real money moves" in text
    assert "no-store" in page["cache-control"]


def test_looking_decides_nothing(client: Client, charge: bank.ChargeDetails, move_time: MoveTime) -> None:
    before = Charge.objects.values().get()
    for seconds in (0, 301):
        move_time(seconds)
        assert client.get(f"/sandbox/{charge.ref}/?action=approve").status_code == 200
        assert client.head(f"/sandbox/{charge.ref}/").status_code == 200
    assert Charge.objects.values().get() == before
    assert not Notice.objects.exists()


@pytest.mark.parametrize(("action", "end"), [("approve", "paid"), ("refuse", "refused")])
def test_a_decision_sends_the_payer_back_and_a_double_click_too(
    client: Client, charge: bank.ChargeDetails, action: str, end: str
) -> None:
    for _ in range(2):
        answer = post(client, charge, action)
        assert (answer.status_code, answer["location"]) == (303, "http://127.0.0.1:9/r/receipt/")
    assert status() == end
    assert Notice.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "then", "end", "words"),
    [
        ("approve", "refuse", "paid", "You approved this payment"),
        ("refuse", "approve", "refused", "You refused this payment"),
        ("refuse", "approve-late", "refused", "You refused this payment"),
    ],
)
def test_a_second_thought_in_another_tab_is_told_what_was_decided(
    client: Client, charge: bank.ChargeDetails, first: str, then: str, end: str, words: str
) -> None:
    post(client, charge, first)
    answer = post(client, charge, then)
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert "/r/receipt/" in answer.content.decode()
    assert status() == end
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("action", ["approve", "refuse"])
def test_after_the_close_or_the_deadline_a_decision_is_told_so(
    client: Client, charge: bank.ChargeDetails, move_time: MoveTime, action: str
) -> None:
    move_time(301)
    for _ in ("past its deadline", "closed by the shop"):
        answer = post(client, charge, action)
        assert answer.status_code == 409
        assert "This payment is closed" in answer.content.decode()
        bank.close("acc_shop", "ref-1")
    assert status() == "closed"
    assert not Notice.objects.exists()


def test_odd_things_can_be_tried(client: Client, new_charge: MakeCharge) -> None:
    late, untold = bank.open_charge(new_charge()), bank.open_charge(new_charge(reference="ref-2"))
    bank.close("acc_shop", "ref-1")
    assert post(client, late, "approve-late").status_code == 303
    assert post(client, untold, "approve-untold").status_code == 303
    due = Notice.objects.filter(next_attempt_at__isnull=False)
    assert [notice.charge.ref for notice in due] == [late.ref]
    assert post(client, untold, "tell-again").status_code == 303
    assert due.all().count() == 2
    assert set(Charge.objects.values_list("status", flat=True)) == {"paid"}


@pytest.mark.parametrize("state", ["open", "paid", "refused", "closed"])
def test_every_button_on_the_page_does_something(client: Client, charge: bank.ChargeDetails, state: str) -> None:
    Charge.objects.update(status="open")
    if state == "closed":
        bank.close("acc_shop", "ref-1")
    elif state != "open":
        {"paid": bank.approve, "refused": bank.refuse}[state](charge.ref)
    page = client.get(f"/sandbox/{charge.ref}/").content.decode()
    actions = re.findall(r'name="action" value="([a-z-]+)"', page)
    expected = {
        "open": ["approve", "refuse", "approve-untold"],
        "paid": ["tell-again"],
        "refused": ["tell-again"],
        "closed": ["approve-late"],
    }
    assert actions == expected[state]
    assert post(client, charge, actions[-1]).status_code == 303


@pytest.mark.parametrize("action", ["", "steal", "APPROVE", "approve\0"])
def test_an_unknown_action_is_refused(client: Client, charge: bank.ChargeDetails, action: str) -> None:
    assert post(client, charge, action).status_code == 400
    assert status() == "open"


@pytest.mark.parametrize("path", ["unknown", "x" * 5000, "%00", "%F0%9F%8D%B5", "..%2F", "a'b"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_links_are_not_found(client: Client, db: None, path: str, method: str) -> None:
    assert getattr(client, method)(f"/sandbox/{path}/").status_code == 404


def test_other_methods_are_refused(client: Client, charge: bank.ChargeDetails) -> None:
    for method in (client.put, client.delete, client.patch):
        assert method(f"/sandbox/{charge.ref}/").status_code == 405
    assert status() == "open"


def test_a_form_from_elsewhere_is_refused(charge: bank.ChargeDetails) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert post(strict, charge, "approve").status_code == 403
    assert status() == "open"
    page = strict.get(f"/sandbox/{charge.ref}/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    sent = {"action": "approve", "csrfmiddlewaretoken": token[1]}
    assert strict.post(f"/sandbox/{charge.ref}/", sent).status_code == 303


def test_a_subject_is_shown_as_text(client: Client, new_charge: MakeCharge) -> None:
    charge = bank.open_charge(new_charge(subject="<script>alert(1)</script>"))
    page = client.get(f"/sandbox/{charge.ref}/")
    assert page.status_code == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.content.decode()
    assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize(
    ("minor", "currency", "exponent", "text"),
    [
        (9000, "CNY", 2, "CN¥90.00"),
        (9000, "JPY", 0, "¥9,000"),
        (1234567, "KWD", 3, "KWD1,234.567"),
        (1005, "IQD", 3, "IQD1.005"),
        (1, "ALL", 2, "ALL0.01"),
        (10**12, "USD", 2, "$10,000,000,000.00"),
    ],
)
def test_an_amount_is_shown_to_its_last_decimal(minor: int, currency: str, exponent: int, text: str) -> None:
    assert amounts.text(minor, currency, exponent) == text
