"""The demo shop: what a visitor takes is what the order holds."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from orders.models import ApiKey, Merchant, Order
from orders.shop.demo_goods import MERCHANT
from payments.models import ProviderAccount
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRIENDPAY_DEMO_KEY", "sk_test_a-key-for-tests")
    call_command("seed_demo")


def put_in(client: Client, slug: str, change: object = 1) -> int:
    return client.post("/basket/", {"slug": slug, "change": change}).status_code


@pytest.mark.usefixtures("demo")
def test_from_the_shelf_to_the_checkout(client: Client) -> None:
    assert "Spring oolong, 100 g" in words(client.get("/"))
    assert put_in(client, "spring-oolong") == put_in(client, "spring-oolong") == put_in(client, "gaiwan") == 303
    assert "CN¥176.00" in words(client.get("/basket/"))
    answer = client.post("/basket/order/")
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/checkout/{order.token}/")
    assert (order.amount, order.currency, order.buyer_name) == (17600, "CNY", "Lin")
    assert [(it.name, int(it.quantity), it.unit_amount, it.category) for it in order.lines.all()] == [
        ("Spring oolong, 100 g", 2, 4500, "tea"),
        ("Porcelain gaiwan, 110 ml", 1, 8600, "teaware"),
    ]
    assert "Nothing in it yet." in words(client.get("/basket/"))
    client.get(f"/checkout/{order.token}/")
    assert Order.objects.count() == 1


@pytest.mark.usefixtures("demo")
def test_looking_around_writes_nothing(client: Client) -> None:
    for address in ("/", "/basket/"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "basket" not in answer.cookies
    assert not Order.objects.exists()


@pytest.mark.usefixtures("demo")
def test_a_basket_is_never_below_none_nor_above_twenty(client: Client) -> None:
    put_in(client, "gaiwan", -1)
    assert "Nothing in it yet." in words(client.get("/basket/"))
    for _time in range(25):
        put_in(client, "gaiwan")
    assert "CN¥1,720.00" in words(client.get("/basket/"))


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "sent",
    [{}, {"slug": "gold", "change": 1}, {"slug": "gaiwan", "change": "many"}, {"slug": "gaiwan", "change": 10**30}],
)
def test_what_is_not_on_the_shelf_cannot_be_taken(client: Client, sent: dict[str, object]) -> None:
    answer = client.post("/basket/", sent)
    assert answer.status_code == 400
    assert "Nothing was changed." in words(answer)
    assert "basket" not in client.cookies


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("cookie", ["", "rubbish", "e30:1abcde:forged"])
def test_a_basket_of_somebody_elses_making_is_empty(client: Client, cookie: str) -> None:
    client.cookies["basket"] = cookie
    assert "Nothing in it yet." in words(client.get("/basket/"))
    assert client.post("/basket/order/")["Location"] == "/basket/"
    assert not Order.objects.exists()


@pytest.mark.usefixtures("demo")
def test_the_shop_speaks_chinese_and_keeps_to_it(client: Client) -> None:
    answer = client.post("/lang/", {"language": "zh-hans", "next": "/basket/"})
    assert answer["Location"] == "/basket/"
    page = client.get("/", headers={"Accept-Language": "en"})
    assert page.headers["Content-Language"] == "zh-hans"
    put_in(client, "gaiwan")
    client.post("/basket/order/")
    assert Order.objects.get().locale == "zh-hans"


@pytest.mark.usefixtures("demo")
def test_the_language_switch_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/lang/", {"language": "zh-hans", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


def test_without_a_demo_shop_the_front_page_is_for_friends(client: Client) -> None:
    assert client.get("/")["Location"] == "/open/"


@pytest.mark.usefixtures("demo")
def test_seeding_again_changes_nothing_but_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Merchant.objects.values().get(public_id=MERCHANT), ProviderAccount.objects.get().config
    monkeypatch.setenv("FRIENDPAY_DEMO_KEY", "sk_test_another-key")
    call_command("seed_demo")
    call_command("seed_demo")
    assert (Merchant.objects.values().get(), ProviderAccount.objects.get().config) == before
    assert ApiKey.objects.get().digest == ApiKey.digest_of("sk_test_another-key")
    assert capsys.readouterr().out == ""


def test_there_is_no_demo_shop_outside_the_demo(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo only"):
        call_command("seed_demo")
    assert not Merchant.objects.exists()
    settings.DEMO = True
    call_command("seed_demo")
    assert Merchant.objects.exists()
