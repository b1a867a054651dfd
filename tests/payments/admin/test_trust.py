"""The desk's page of trust limits, and the simulator that says which of them stops a case."""

import re
from typing import Any

import pytest
from django.test import Client

from friendpay.kit import trust_limits
from orders.models import Merchant
from payments.models import TrustLimit
from tests import desk, shop
from tests.payments.settlement.test_asking import ask, live_shop

pytestmark = pytest.mark.django_db

RIGHTS = [f"payments.{verb}_trustlimit" for verb in ("view", "add", "change", "delete")]
TRY = "/admin/payments/rolloutrule/try/"
NUMBERS = ("open_count", "hour_count", "day_count", "open_sum", "hour_sum", "day_sum", "first_sum", "cooling_hours")
EMPTY = dict.fromkeys(("note", "currency", *NUMBERS), "")


def write(client: Client, merchant: Merchant, **fields: Any) -> Any:
    plain = {**EMPTY, "merchant": merchant.pk, "subject": "buyer"}
    return client.post("/admin/payments/trustlimit/add/", plain | fields)


def test_a_shops_own_numbers_are_written_as_people_write_and_come_back_so() -> None:
    merchant, client = shop.make_merchant(), desk.staff(*desk.READ, *RIGHTS)
    assert write(client, merchant, open_count="40", currency="eur", day_sum="20000.50").status_code == 302
    limit = TrustLimit.objects.get()
    assert (limit.open_count, limit.currency, limit.day_sum, limit.hour_sum) == (40, "EUR", 2000050, None)
    assert 'value="20000.50"' in client.get(desk.page(limit)).content.decode()
    assert "requests open at once, sum within a day" in desk.words(client.get(desk.rows(TrustLimit)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"open_count": "201"}, "At most 200."),
        ({"currency": "USD", "day_sum": "100000.01"}, "At most 100000.00 USD."),
        ({"day_sum": "10"}, "An amount needs its currency."),
        ({"currency": "JPY", "day_sum": "10.5"}, "JPY has no such small coin."),
        ({"currency": "USD", "first_sum": "10"}, "This is for new buyers and new shops."),
        ({"subject": "new_shop", "open_count": "101"}, "At most 100."),
        ({"subject": "new_shop", "currency": "USD", "first_sum": "3000.01"}, "At most 3000.00 USD."),
        ({"subject": "new_shop", "cooling_hours": "71"}, "Between 72 and 720."),
        ({"subject": "new_buyer", "cooling_hours": "721"}, "Between 0 and 720."),
    ],
)
def test_numbers_stay_within_bounds_and_a_shops_are_never_eased(fields: dict[str, str], said: str) -> None:
    answer = write(desk.staff(*desk.READ, *RIGHTS), shop.make_merchant(), **fields)
    assert answer.status_code == 200
    assert said in desk.words(answer)
    assert not TrustLimit.objects.exists()


def test_the_simulator_says_which_limit_would_stop_a_case_and_why() -> None:
    caller = live_shop(is_verified=False)
    client = desk.staff(*desk.READ, "payments.view_rolloutrule")
    case: dict[str, Any] = {
        "shop": caller.merchant.pk,
        "currency": "CNY",
        "buyer": "lin",
        "live": "on",
        "screen": "desktop",
    }
    fits = desk.words(client.get(TRY, case | {"amount": "90"}))
    assert "What trust allows" in fits
    assert "stops it" not in fits
    for _ in range(trust_limits.ASKS_OF_A_NEW_BUYER[0]):
        assert ask(caller).status == 201
    told = desk.words(client.get(TRY, case | {"amount": "90"}))
    assert "new_buyer_open_count" in told
    assert "This buyer, who is new, may have 5 requests open at once." in told
    large = desk.words(client.get(TRY, case | {"amount": "35000", "buyer": "mei"}))
    assert re.search(r"new_shop_first_sum .{0,40}35700\.00 CNY .{0,40}21000\.00 CNY .{0,40}stops it", large)
    assert "What trust allows" not in desk.words(client.get(TRY, case | {"amount": "90", "live": ""}))
