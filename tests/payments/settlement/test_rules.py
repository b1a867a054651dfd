"""What a buyer may write to a friend."""

import pytest

from friendpay.kit import text_filter
from friendpay.kit.errors import Refused
from payments.models import PaymentRequest
from payments.settlement import requests
from tests import shop


@pytest.mark.parametrize(
    "message",
    [
        "see https://evil.example/pay",
        "go to www.evil.example",
        "evil-pay.com has it cheaper",
        "ＥＶＩＬ．ＣＯＭ",
        "mail me: lin@evil.example",
        "call +86 138 0013 8000",
        "call (020) 7946-0958",
    ],
)
def test_words_that_lead_elsewhere_are_refused(message: str) -> None:
    with pytest.raises(Refused, match="message_has_contact"):
        text_filter.check(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Could you get this for me? I'll cook on Sunday.",
        "2 × 100 g, 45.00 each",
        "谢谢！💚 周日我做饭。",
        "Dr. Who... ok.",
        "at 14:02 on 22.11.",
    ],
)
def test_ordinary_words_pass(message: str) -> None:
    text_filter.check(message)


@pytest.mark.django_db
def test_a_refused_message_changes_nothing() -> None:
    request = shop.make_request()
    with pytest.raises(Refused, match="message_has_contact"):
        requests.change_message(request.pk, "www.evil.example", actor="buyer")
    assert PaymentRequest.objects.get().message == ""
