"""The guides inside the API's documentation: every page is there, every code and every event has its place."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from friendpay.api.guides import GUIDES
from friendpay.api.openapi_events import TYPES, data_of, example
from orders.api.schemas import EventOut
from tests.caller import Caller
from tests.friendpay.api.test_description import codes_of_calls

DOCS = "/api/v1/docs"


def text(name: str) -> str:
    response = Client().get(f"{DOCS}/{name}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_a_page_with_nothing_from_elsewhere_and_every_link_leads_somewhere(name: str) -> None:
    page = text(name)
    assert GUIDES[name].title in page
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'src="(https?:)?//', page)
    for target in re.findall(r'href="([^"]+)"', page):
        address, _hash, fragment = target.partition("#")
        if address.startswith(DOCS):
            page_there = Client().get(address).content.decode()
            assert not fragment or f'id="{fragment}"' in page_there, target
        else:
            assert address.startswith(("https://", f"/{settings.STATIC_URL.strip('/')}/")) or (
                not address and f'id="{fragment}"' in page
            ), target


def test_every_guide_is_in_the_contents_of_the_manual() -> None:
    page = Client().get(DOCS).content.decode()
    assert [name for name in GUIDES if f'href="{DOCS}/{name}"' not in page] == []


def test_a_guide_that_is_not_there_is_a_problem() -> None:
    answer = Client().get(f"{DOCS}/settings")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_every_code_has_its_place_on_the_page_of_errors() -> None:
    page = text("errors")
    assert {code for code in codes_of_calls() - {"forbidden"} if f'id="{code}"' not in page} == set()


@pytest.mark.django_db
def test_the_type_of_a_problem_leads_to_its_code() -> None:
    answer = Caller().post("/orders", {})
    assert answer["type"] == f"{settings.PUBLIC_URL}{DOCS}/errors#invalid"
    assert Caller(key="").get("/orders")["type"].endswith("#unauthorized")


@pytest.mark.parametrize("type", TYPES)
def test_every_event_has_an_example_that_is_as_described(type: str) -> None:
    told: dict[str, Any] = example(type)
    EventOut.model_validate(told)
    kind = data_of(type)
    kind.model_validate(told["data"])
    assert set(told["data"]) == set(kind.model_fields)
    assert (told["type"], told["object"], told["timestamp"]) == (type, told["data"]["id"], told["created_at"])
    page = text("events")
    assert f'id="{type}"' in page
    assert f"&quot;type&quot;: &quot;{type}&quot;" in page
