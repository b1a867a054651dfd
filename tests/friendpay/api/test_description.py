"""The API's description is complete, and the pages made from it show all of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import orders.api.delivery_schemas
import orders.api.pairing_schemas
import orders.api.schemas
import orders.api.webhook_schemas
import payments.api.schemas
import payments.api.shop_schemas
from friendpay.api.app import api
from friendpay.api.examples import BODIES
from friendpay.api.openapi import NOT_KEPT
from friendpay.api.openapi_events import data_of
from friendpay.api.problems import WORDS
from friendpay.kit.errors import Refused
from orders.events import TYPES
from orders.webhooks import transport

SCHEMAS = (
    orders.api.delivery_schemas,
    orders.api.pairing_schemas,
    orders.api.schemas,
    orders.api.webhook_schemas,
    payments.api.schemas,
    payments.api.shop_schemas,
)
ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = [
    (address, method, operation)
    for address, methods in api.get_openapi_schema()["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture(scope="module")
def description() -> Any:
    return Client().get("/api/v1/openapi.json").json()


def _references(thing: Any) -> set[str]:
    if isinstance(thing, dict):
        own = {thing["$ref"]} if "$ref" in thing else set()
        return own.union(*map(_references, thing.values()))
    return set().union(*map(_references, thing)) if isinstance(thing, list) else set()


def test_it_is_openapi_3_1_and_nothing_it_points_to_is_missing(description: Any) -> None:
    assert description["openapi"].startswith("3.1.")
    for reference in _references(description):
        target = description
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


@pytest.mark.parametrize(("address", "method", "operation"), OPERATIONS)
def test_every_call_says_what_it_can_answer(address: str, method: str, operation: Any) -> None:
    statuses = set(operation["responses"])
    assert statuses >= {"401", "403", "429", "500", "503"}
    assert ("404" in statuses) == ("{" in address)
    if method == "post":
        assert statuses >= {"400", "408", "409", "413", "415", "422"}
        names = [parameter["$ref"].rpartition("/")[2] for parameter in operation["parameters"] if "$ref" in parameter]
        assert names == ([] if operation["operationId"] in NOT_KEPT else ["Idempotency-Key"])
    keyless = operation["operationId"] in ("begin_pairing", "redeem_pairing")
    assert operation.get("security") == (None if keyless else [{"BearerKey": []}])
    assert operation["summary"]
    assert operation["tags"]


def test_every_problem_has_the_one_shape_and_an_example(description: Any) -> None:
    for said in description["components"]["responses"].values():
        content = said["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert set(content["example"]) >= set(description["components"]["schemas"]["Problem"]["required"])


@pytest.mark.parametrize("name", BODIES)
def test_every_example_is_what_its_schema_says(name: str) -> None:
    [schema] = {getattr(module, name) for module in SCHEMAS if hasattr(module, name)}
    schema.model_validate(BODIES[name])
    assert set(BODIES[name]) >= {field for field, info in schema.model_fields.items() if info.is_required()}
    assert set(BODIES[name]) <= set(schema.model_fields)


def test_the_manual_shows_every_call_and_takes_nothing_from_elsewhere() -> None:
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    for address, _method, operation in OPERATIONS:
        assert f'id="{operation["operationId"]}"' in page
        assert address in page
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for target in re.findall(r'href="#(\w+)"', page):
        assert f'id="{target}"' in page


def codes_of_calls() -> set[str]:
    """Every code that a call of the API can answer, by the sources it runs through."""
    settling = (
        "asking",
        "checkout",
        "chip_in",
        "lifecycle",
        "refunds",
        "requests",
        "rules",
        "simulation",
    )  # what payments.api calls
    sources = [path for room in ("", "api", "webhooks") for path in (ROOT / "orders" / room).glob("*.py")]
    sources.remove(ROOT / "orders" / "members.py")  # the desk's alone
    sources += [ROOT / "payments" / "settlement" / f"{name}.py" for name in settling]
    sources += [ROOT / "payments" / "offers" / f"{name}.py" for name in ("rollout", "weighing")]
    sources += [ROOT / "friendpay" / "kit" / f"{name}.py" for name in ("paging", "text_filter", "counters", "errors")]
    codes = {code for path in sources for code in re.findall(r'Refused\(\s*"(\w+)"', path.read_text())}
    of_pages = {"amount_changed", "amount_not_taken", "asked_often", "begun", "too_many_tries"}
    of_support = {"endpoint_deleted", "pairing_over", "refund_not_failed", "refundable_changed"}
    return (codes | {code for code, _words in WORDS.values()}) - of_pages - of_support


def test_the_guide_names_every_code_a_call_can_answer() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert {code for code in codes_of_calls() - {"forbidden"} if f"`{code}`" not in text} == set()


def test_the_description_lists_exactly_the_codes_that_calls_answer(description: Any) -> None:
    listed, _any = description["components"]["schemas"]["Problem"]["properties"]["code"]["anyOf"]
    assert set(listed["enum"]) == codes_of_calls()


@pytest.mark.parametrize("type", TYPES)
def test_every_event_is_described_with_what_it_carries(type: str, description: Any) -> None:
    message = description["webhooks"][type]["post"]["requestBody"]["content"]["application/json"]["schema"]
    _event, own = message["allOf"]
    assert own["properties"]["type"] == {"const": type}
    fields = description["components"]["schemas"][data_of(type).__name__]
    assert "id" in fields["properties"]
    assert set(fields["required"]) == set(fields["properties"])


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.org",
        "https://shop.org/?token=a-secret",
        "https://shop.org?token=a-secret",
        "https://hooks.shop.co.uk:8443/friendpay/v1?a=b&c=d%20e",
        "https://my-shop.myshopify.store/webhooks/friendpay;v=1",
        "https://Hooks.Shop.COM/FriendPay",
        "https://xn--80aaxridipd.xn--p1ai/hooks",
        "https://shop_1.herokuapp.com/~lin/[hook]?a=%40&b=$1",
    ],
)
def test_the_address_of_a_real_endpoint_is_as_described(address: str, description: Any) -> None:
    told = description["components"]["schemas"]["EndpointIn"]["properties"]["url"]
    assert re.search(told["pattern"], address)
    transport.check(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.org",
        "https://shop",
        "https://shop.org:80/",
        "https://10.0.0.1/",
        "https://shop.org/#hooks",
        "https://lin:secret@shop.org/",
        "https://shop.org/@lin",
        "https://shop.org\\@evil.example/",
        "https://127.1/",
        "https://shop-.org/",
    ],
)
def test_an_address_that_is_refused_is_described_so(address: str, description: Any) -> None:
    told = description["components"]["schemas"]["EndpointIn"]["properties"]["url"]
    assert not re.search(told["pattern"], address)
    with pytest.raises(Refused, match="url_not_allowed"):
        transport.check(address)
