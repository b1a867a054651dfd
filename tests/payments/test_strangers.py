"""Strangers with a link, wherever they come from: what they may do, how often, and what becomes of it."""

import pytest
from django.test import Client

from payments import codes, consumers
from payments.models import Payment, Report
from tests import shop
from tests.payments.test_codes import guesses
from tests.payments.test_consumers import looking, told

pytestmark = pytest.mark.django_db

UNREADABLE = ("unknown", "a.phone.example", "010.000.000.001", "")


@pytest.mark.parametrize("address", UNREADABLE)
def test_a_friend_whose_address_is_unreadable_pays_and_types_a_code(address: str) -> None:
    plea = shop.make_request()
    friend = Client(REMOTE_ADDR=address)
    assert friend.post("/open/", {"text": plea.code}).status_code == 303
    paid = friend.post(f"/p/{plea.token}/pay/", {"method": "sandbox"})
    assert paid.status_code == 303
    assert Payment.objects.get().network == ""


def test_who_cannot_be_told_from_others_limits_nobody() -> None:
    plea = shop.make_request()
    for text in guesses(codes.CALM[1] + 1):
        assert Client(REMOTE_ADDR="unknown").post("/open/", {"text": text}).status_code == 422
    assert Client(REMOTE_ADDR="unknown").post("/open/", {"text": plea.code}).status_code == 303
    for words in ("first", "second"):
        answer = Client(REMOTE_ADDR="unknown").post(f"/p/{plea.token}/report/", {"reason": "other", "words": words})
        assert answer.status_code == 303
    assert Report.objects.count() == 2


@pytest.mark.parametrize("address", UNREADABLE)
async def test_a_socket_opens_from_an_unreadable_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(tokens: list[str]) -> dict[str, dict[str, object]]:
        return {token: {"seq": 1, "status": "open"} for token in tokens}

    monkeypatch.setattr(consumers, "_read", read)
    monkeypatch.setattr(consumers, "SOCKETS_OF_A_NETWORK", 1)
    async with looking("known", address) as first, looking("known", address) as second:
        assert [(await told(first))["seq"], (await told(second))["seq"]] == [1, 1]
