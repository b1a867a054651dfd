"""The document gives the protocol byte for byte: its vectors are what our code signs, its samples what it reads."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from payments.wallets.base import Account, State
from payments.wallets.house import reading, signing
from payments.wallets.house.emulator import requests
from payments.wallets.house.emulator.signing import read_link
from payments.wallets.house.provider import House
from tests.payments.wallets.house.shop import order

TEXT = (Path(settings.BASE_DIR) / "docs/wallets/house.md").read_text("utf-8")
SECRET = re.findall(r"`secret` `(whsec_[^`]+)`", TEXT)[0]
ACCOUNT = Account("acc_1", live=False, config={"secret": SECRET}, base_url="https://shop.example/friendpay")
KEY = signing.key_of(ACCOUNT)


def fenced(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)\n```", TEXT, re.MULTILINE | re.DOTALL)


def samples() -> list[dict[str, Any]]:
    return [json.loads(block) for block in fenced("json")]


def test_the_link_of_the_document_is_the_one_we_make() -> None:
    says, token = samples()[0], fenced("text")[0]
    start = order(
        "01J9ZQ4T8N6X2V7C5B3M1K0HDP",
        notify="https://pay.example/notify/house/acc_1/",
        deadline=datetime.fromtimestamp(says["expires"], UTC),
        return_url="https://pay.example/r/token/",
        cancel_url="https://pay.example/r/token/back/",
    )
    assert House().start(ACCOUNT, start).url == f"https://shop.example/friendpay?friendpay={token}"
    assert read_link(KEY, token) == says
    assert says.keys() == requests.LINK.keys()


def test_every_field_of_the_link_is_explained() -> None:
    for name in requests.LINK:
        assert f"`{name}`" in TEXT.partition("## The payer's link")[2].partition("Test vector")[0]


def test_the_call_of_the_document_is_signed_as_we_sign() -> None:
    head, _blank, body = fenced("text")[1].partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines())
    stamp = int(headers["webhook-timestamp"])
    assert signing.headers(KEY, headers["webhook-id"], stamp, body.encode()) == headers
    said = json.loads(body)
    assert said["type"] == "payment.get"
    assert said.keys() == (requests.EVERY_CALL | requests.CALLS["payment.get"]).keys()


def test_every_call_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)`[^|]*\| ([^|]*)\|", TEXT.partition("## Calls you answer")[2], re.MULTILINE))
    for kind, form in requests.CALLS.items():
        assert set(re.findall(r"`(\w+)`", rows[kind])) == form.keys()


def test_answers_and_events_of_the_document_are_read() -> None:
    _link, paid, refunded, *events = samples()
    assert reading.payment(paid["payment"], "p1").state is State.SUCCEEDED
    assert reading.refund(refunded["refund"], "r1").state is State.SUCCEEDED
    now = datetime.now(UTC)
    for event in events:
        body = json.dumps(event).encode()
        headers = signing.headers(KEY, "evt_1", int(now.timestamp()), body)
        assert reading.read_event(replace(ACCOUNT), headers, body, now).outcome is not None


@pytest.mark.parametrize("states", [reading._PAYMENTS, reading._REFUNDS])
def test_every_status_is_named(states: dict[str, State]) -> None:
    for status in states:
        assert f"`{status}`" in TEXT
