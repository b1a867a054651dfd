"""Sessions and logins are the desk's alone."""

import pytest
from django.test import Client

from friendpay.admin_kit.middleware import DESK
from tests import shop

pytestmark = pytest.mark.django_db
OF_THE_DESK = ("session", "user", "_messages")


def test_only_the_desk_knows_who_is_signed_in(admin_client: Client) -> None:
    desk = admin_client.get(DESK).wsgi_request
    assert [hasattr(desk, name) for name in OF_THE_DESK] == [True, True, True]
    for path in ("/open/", f"/p/{shop.make_request().token}/", "/api/v1/orders", "/nowhere/", "/adminn/"):
        page = admin_client.get(path)
        assert [name for name in OF_THE_DESK if hasattr(page.wsgi_request, name)] == []
        assert "sessionid" not in page.cookies


def test_the_desk_asks_who_comes_wherever_it_is_entered(client: Client) -> None:
    for path in (DESK, f"{DESK}payments/payment/", f"{DESK}nowhere/", f"{DESK}orders/order/1/change/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"{DESK}login/")
