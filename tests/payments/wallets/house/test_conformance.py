"""`manage.py check_house` finds a good gateway good, and names what is wrong with each bad one."""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from friendpay.demo.emulation.base import running
from payments.models import ProviderAccount, ProviderEvent
from payments.wallets.house.emulator import book, requests, server, signing
from tests import shop

pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
SECRET = "whsec_c2ltdWxhdGVkOiBubyBtb25leSBtb3ZlcyBoZXJlLiE="


@pytest.fixture
def gateway() -> Iterator[server.House]:
    with running(emulator := server.House(compress=0.0001)):
        yield emulator


def open_account(url: str, secret: str = SECRET, **changes: Any) -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="house", base_url=url, **changes)
    account.config = {"secret": secret}
    account.save()
    return account


def check(account: ProviderAccount, **options: Any) -> tuple[bool, str]:
    """Whether all is well, and what was printed."""
    out = io.StringIO()
    try:
        call_command("check_house", account.public_id, stdout=out, **{"patience": 5.0, **options})
    except CommandError as error:
        return False, f"{out.getvalue()}{error}"
    return True, out.getvalue()


def test_the_stand_in_passes_and_nothing_is_written_here(gateway: server.House) -> None:
    assert server.SECRET == SECRET
    fine, words = check(open_account(gateway.url, granted=["bill"]))
    assert fine, words
    assert "MEND" not in words
    assert words.count("\nok  ") == 13
    assert not ProviderEvent.objects.exists()


def test_the_example_passes(tmp_path: Path) -> None:
    account = open_account("http://127.0.0.1:9/")
    command = [sys.executable, str(ROOT / "docs/examples/house/gateway.py"), "0", str(tmp_path / "books.db")]
    told = os.environ | {"FRIENDPAY_ACCOUNT": account.public_id, "FRIENDPAY_SECRET": SECRET}
    with subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        account.base_url = process.stdout.readline().strip()
        account.save()
        try:
            fine, words = check(account)
        finally:
            process.kill()
    assert fine, words


def test_only_a_test_account_of_this_kind_is_tried(gateway: server.House) -> None:
    live, other = open_account(gateway.url, live=True), open_account(gateway.url)
    ProviderAccount.objects.filter(pk=other.pk).update(provider="stripe")
    for account in (live, other):
        assert "no such test account" in check(account)[1]
    assert gateway.calls == []


def test_a_gateway_that_takes_no_call_of_ours_is_tried_no_further(gateway: server.House) -> None:
    other = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3I="
    fine, words = check(open_account(gateway.url, other))
    assert (fine, words.count("MEND")) == (False, 1)
    assert "1 to mend" in words


def _trusts_everybody(_key: bytes, headers: Any, _body: bytes, _now: float) -> str:
    return str(headers.get("webhook-id", "")) + os.urandom(4).hex()


def _reads_any_link(_key: bytes, token: str) -> Any:
    payload = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _never_closes(self: book.Book, account: str, reference: str) -> book.Order:
    return self.find(account, reference) or book.Order(reference, account, {})


def _refunds_each_time(self: book.Book, call: book.Thing) -> book.Thing:
    order, capture = self._captured(call)
    return order.refund_shown(capture, self._add(order, capture, call["reference"], call["amount"]))


def _captures_one_less(self: book.Book, reference: str, *, short: int = 0) -> book.Capture:
    order = self.orders[reference]
    order.captures.append(capture := book.Capture("cap_short", order.link["amount"] - 1, self.clock.now()))
    return capture


def _of_another_capture(self: book.Order, _capture: book.Capture, dispute: book.Dispute) -> book.Thing:
    money = {"amount": dispute.amount, "currency": self.link["currency"]}
    return {"number": dispute.number, "payment": self.reference, "capture": "other", "status": "open", **money}


def _forgets_disputes(_self: book.Book, _account: str, number: str) -> book.Thing:
    return {"number": number, "status": "unknown"}


@pytest.mark.parametrize(
    ("where", "name", "wrong", "said"),
    [
        (requests, "check_message", _trusts_everybody, "A call without a signature was answered with 200"),
        (requests, "read_link", _reads_any_link, "A link with another amount was answered with 200"),
        (book.Book, "close", _never_closes, "After payment.close it is"),
        (book.Book, "refund", _refunds_each_time, "Asked for twice under one reference, it is two refunds"),
        (book.Book, "capture", _captures_one_less, "and was asked for"),
        (server.House, "_tell", lambda *_args: None, "No event came to notify_url"),
        (server, "signature", lambda *_args: "v1,AAAA", "An event was refused: the signature does not fit"),
        (book.Order, "dispute_shown", _of_another_capture, "The dispute is of"),
        (book.Book, "find_dispute", _forgets_disputes, "dispute.get says that"),
        (server.House, "schedule", (), "Answered with 503, it did not come again"),
    ],
)
def test_what_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, wrong: Any, said: str
) -> None:
    monkeypatch.setattr(where, name, wrong)
    monkeypatch.setattr("payments.wallets.house.conformance.play._SETTLES", 1.0)
    with running(emulator := server.House(compress=0.0001)):
        fine, words = check(open_account(emulator.url), patience=1.0)
    assert not fine
    assert said in words


def test_who_has_no_dispute_get_is_told_what_it_is_for(gateway: server.House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(requests.CALLS, "dispute.get")
    fine, words = check(open_account(gateway.url))
    assert fine, words
    assert "It has no dispute.get" in words


def test_who_has_no_test_capture_pays_by_hand(gateway: server.House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.House, "_capture", lambda *_args: (_ for _ in ()).throw(signing.Wrong(422, "type", "")))
    fine, words = check(open_account(gateway.url), patience=1.0)
    assert not fine
    assert "Open this link and pay by hand, within 1 s" in words
    assert f"{gateway.url}?friendpay=" in words
