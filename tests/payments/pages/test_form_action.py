"""Where a page's forms may lead: to the wallets of its shop, and nowhere else."""

import re
from typing import Any

import pytest
from django.test import Client

from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.pages import form_action
from payments.wallets import registry
from payments.wallets.base import NextStep, Rail
from tests import shop

pytestmark = pytest.mark.django_db

SANDBOX = "http://127.0.0.1:8000"


def leads_to(answer: Any) -> set[str]:
    found = re.search(r"form-action ([^;]*)$", answer.headers["Content-Security-Policy"])
    assert found
    return set(found[1].split())


def account(payment_request: PaymentRequest, provider: str, **more: Any) -> ProviderAccount:
    return ProviderAccount.objects.create(merchant=payment_request.merchant, provider=provider, **more)


def pages(payment_request: PaymentRequest) -> list[str]:
    return [f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/pay/"]


def test_a_page_names_the_wallets_of_its_shop(client: Client) -> None:
    payment_request = shop.make_request()
    for page in pages(payment_request):
        assert leads_to(client.get(page)) == {"'self'", SANDBOX}
    account(payment_request, "stripe")
    account(payment_request, "alipay", base_url="https://openapi-sandbox.dl.alipaydev.com")
    account(payment_request, "wechatpay", base_url="https://stand-in.example/wechat")
    for page in pages(payment_request):
        assert leads_to(client.get(page)) == {
            "'self'",
            SANDBOX,
            "https://checkout.stripe.com",
            "https://*.alipay.com",
            "https://*.alipaydev.com",
            "https://stand-in.example",
        }


def test_wallets_that_are_off_live_or_anothers_are_not_named(client: Client) -> None:
    payment_request = shop.make_request()
    account(payment_request, "stripe", enabled=False)
    account(payment_request, "alipay", live=True)
    account(shop.make_request(), "wechatpay")
    assert leads_to(client.get(pages(payment_request)[0])) == {"'self'", SANDBOX}


def test_it_is_the_same_in_every_state_a_page_draws_itself_anew_in(client: Client) -> None:
    payment_request = shop.make_request()
    page = pages(payment_request)[0]
    before = leads_to(client.get(page))
    held = shop.hold(payment_request)
    assert leads_to(client.get(page)) == before
    shop.succeed(held)
    assert leads_to(client.get(page)) == before
    refused = client.post(f"{page}pay/", {"method": "none"})
    assert (refused.status_code, leads_to(refused)) == (422, before)


def test_no_other_page_leads_to_a_wallet_or_anywhere_else(client: Client) -> None:
    payment_request = shop.make_request()
    payment = shop.hold(payment_request)
    for page in (
        f"/checkout/{payment_request.order.token}/",
        "/open/",
        f"/r/{payment.token}/",
        f"/p/{payment_request.token}/report/",
    ):
        answer = client.get(page)
        assert answer.status_code == 200
        assert leads_to(answer) == {"'self'"}


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("https://checkout.stripe.com/c/pay/cs_1", True),
        ("https://pay.shop.example/c/pay/cs_1", False),  # Stripe's page under a name of the shop's own
        ("https://checkout.stripe.com.evil.example/c", False),
        ("http://checkout.stripe.com/c", False),
        ("https://evil.example/https://checkout.stripe.com", False),
        ("/scan/1/", True),
    ],
)
def test_a_form_ends_where_its_page_may_lead(
    client: Client, monkeypatch: pytest.MonkeyPatch, url: str, reached: bool
) -> None:
    """Else on the page it was on, which then has a link that leads on."""
    payment_request = shop.make_request()
    account(payment_request, "stripe")
    step = NextStep(Rail.REDIRECT, url=url)
    monkeypatch.setattr(registry.get("sandbox"), "start", lambda *_args: step)
    answer = client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox"})
    assert answer.status_code == 303
    assert answer.headers["location"] == (url if reached else f"/p/{payment_request.token}/")
    assert url in client.get(f"/p/{payment_request.token}/").content.decode()
    assert Payment.objects.get().status == "pending"


def test_every_wallets_address_is_one_of_its_pages() -> None:
    """What the providers send payers to by themselves."""
    from payments.wallets.alipay import gateway
    from payments.wallets.wechatpay.provider import LOGIN

    payment_request = shop.make_request()
    for provider, addresses in {
        "alipay": [gateway._LIVE, gateway._SANDBOX, "https://mclient.alipay.com"],
        "wechatpay": [LOGIN, "https://wx.tenpay.com"],
        "stripe": ["https://checkout.stripe.com"],
    }.items():
        account(payment_request, provider)
        accounts = ProviderAccount.objects.taking(payment_request.order)
        for address in addresses:
            assert form_action.next_url(accounts, f"{address}/x?y=z", "elsewhere") == f"{address}/x?y=z"
