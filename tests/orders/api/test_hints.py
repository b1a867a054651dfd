"""What a shop tells and nothing depends on never refuses an order."""

from typing import Any

import pytest

from orders.models import Order
from tests.caller import ORDER, Caller

pytestmark = pytest.mark.django_db

LINE: dict[str, Any] = ORDER["lines"][0]
FAMILY = "👨‍👩‍👧"


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("zh-Hans", "zh-Hans"),
        ("en_US", "en-US"),
        ("zh_CN.UTF-8", "zh-CN"),
        ("pt_BR@euro", "pt-BR"),
        (" fr-CA ", "fr-CA"),
        ("sr-Latn-RS-1996", "sr-Latn-RS"),
        ("zh-Hant-TW-u-co-stroke", "zh-Hant-TW"),
        ("en-US,en;q=0.9", "en-US"),
        ("English", ""),
        ("C", ""),
        ("", ""),
        ("_", ""),
        ("x" * 5000, ""),
        ("\x00\u202e", ""),
        ("中文", ""),
    ],
)
def test_a_locale_is_read_in_any_form(caller: Caller, sent: str, kept: str) -> None:
    assert caller.order(locale=sent)["locale"] == kept
    assert caller.client.get(f"/checkout/{Order.objects.get().token}/").status_code == 200


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"name": "Tea\tgreen"}, {"name": "Tea green"}),
        ({"name": "Tea\r\n  green\n"}, {"name": "Tea green"}),
        ({"name": "Tea\u202e neerg\x00"}, {"name": "Tea neerg"}),
        ({"name": "\u202e"}, {"name": "-"}),
        ({"name": "x" * 121}, {"name": "x" * 119 + "…"}),
        ({"name": "字" * 5000}, {"name": "字" * 119 + "…"}),
        ({"name": "x" * 117 + FAMILY + "!"}, {"name": "x" * 117 + "…"}),
        ({"name": "x" * 118 + "e\u0301\u0323\u0324xx"}, {"name": "x" * 118 + "…"}),
        ({"name": "x" * 115 + FAMILY}, {"name": "x" * 115 + FAMILY}),
        ({"category": "tea\tpots"}, {"category": "tea pots"}),
        ({"category": "x" * 200}, {"category": "x" * 59 + "…"}),
    ],
)
def test_a_hint_never_refuses_an_order(caller: Caller, change: dict[str, Any], kept: dict[str, Any]) -> None:
    order = caller.order(lines=[{**LINE, **change}])
    assert {name: order["lines"][0][name] for name in kept} == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Lin\tWang", "Lin Wang"), ("Lin\nMei", "Lin Mei"), ("Lin\u202eniL", "LinniL"), ("L" * 90, "L" * 59 + "…")],
)
def test_a_buyers_name_is_made_to_fit(caller: Caller, sent: str, kept: str) -> None:
    assert caller.order(buyer={"id": "17", "name": sent})["buyer"]["name"] == kept


def test_what_somebody_depends_on_is_still_refused(caller: Caller) -> None:
    for change in ({"reference": "A\t1"}, {"reference": "x" * 65}, {"buyer": {"id": "1\t7", "name": "Lin"}}):
        assert caller.post("/orders", ORDER | change).status == 422
    assert caller.post("/orders", {**ORDER, "lines": [{**LINE, "name": " \t"}]}).status == 422
    assert not Order.objects.exists()
