"""integrations/django-oscar in a real Oscar, beside a real friendpay: checkout, stock, coupons, dashboard, mails."""

import importlib
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import psycopg
import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import Person, pay
from tests.integrations import environments
from tests.integrations.stand import INTEGRATIONS, Friendpay, Shop, clean, until

PACKAGE = INTEGRATIONS / "django-oscar"
PROJECT = Path(__file__).parent / "shops" / "oscar"
TEA, HARBOUR = 1, 2
"""Keys of the goods, which cost 19.99 and 10.00 with 19% in them."""
TOTAL = 4199
"""Two times 19.99 less 10%, and 6.00 of shipping, as Oscar rounds."""


@dataclass
class Oscar:
    """The shop, as its merchant sees it."""

    shop: Shop
    python: Path
    friendpay: Friendpay
    key: str
    database: str
    mails: Path
    _visits: int = 0

    @property
    def address(self) -> str:
        return self.shop.address

    def manage(self, *words: str, **settings: str) -> str:
        done = subprocess.run(
            [str(self.python), "manage.py", *words],
            cwd=PROJECT,
            env={**clean(), **self.shop.environment, **settings},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def one(self, statement: str, *values: object) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute(statement, values).fetchone()
            return row and row[0]

    def status(self, number: str) -> str:
        return str(self.one("SELECT status FROM order_order WHERE number = %s", number))

    def allocated(self, goods: int) -> int:
        return int(self.one("SELECT coalesce(num_allocated, 0) FROM partner_stockrecord WHERE product_id = %s", goods))

    def events(self, number: str) -> list[tuple[str, Decimal]]:
        """What was paid and refunded, as the dashboard lists it."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(
                "SELECT kind.name, event.amount FROM order_paymentevent event"
                " JOIN order_paymenteventtype kind ON kind.id = event_type_id"
                " JOIN order_order o ON o.id = order_id WHERE number = %s ORDER BY event.id",
                [number],
            ).fetchall()

    def refunded(self, number: str) -> Decimal:
        return Decimal(
            self.one(
                "SELECT amount_refunded FROM payment_source JOIN order_order o ON o.id = order_id WHERE number = %s",
                number,
            )
        )

    def mails_about(self, number: str) -> int:
        return sum(number in file.read_text() for file in self.mails.iterdir())

    def request(self, number: str) -> dict[str, Any]:
        """The newest ask for an order, at friendpay."""
        asked = self.friendpay.call(self.key, "GET", f"/payment-requests?order_reference={number}")["data"]
        return dict(asked[0])

    def visitor(self) -> "Visitor":
        return Visitor(self)

    def desk(self) -> "Visitor":
        """Somebody of the shop's, logged in to the dashboard."""
        desk = Visitor(self)
        desk.post("/dashboard/login/", username="desk@shop.example", password="desk")
        return desk


@dataclass
class Visitor:
    """Somebody who needs no browser; forms are sent as a browser would."""

    oscar: Oscar
    web: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, follow_redirects=False))

    def get(self, path: str) -> httpx.Response:
        return self.web.get(f"{self.oscar.address}{path}", follow_redirects=True)

    def post(self, path: str, **form: str) -> httpx.Response:
        if "csrftoken" not in self.web.cookies:
            self.get("/basket/")
        proof = {"csrfmiddlewaretoken": self.web.cookies["csrftoken"]}
        return self.web.post(f"{self.oscar.address}{path}", data={**proof, **form})

    def fill(self, goods: int = TEA, quantity: int = 1, voucher: str = "") -> None:
        """A basket, and all that the checkout wants to know before the payment."""
        self.post(f"/basket/add/{goods}/", quantity=str(quantity))
        if voucher:
            self.post("/basket/vouchers/add/", code=voucher)
        self.post("/checkout/", username="lin@example.com", options="anonymous")
        address = {"first_name": "Lin", "last_name": "Wu", "line1": "1 Quay", "line4": "Hamburg"}
        self.post("/checkout/shipping-address/", **address, postcode="20457", country="DE")
        self.get("/checkout/shipping-method/")

    def form(self) -> dict[str, str]:
        """The last page's form, which asks a friend."""
        page = self.post("/checkout/preview/", payment_method="friendpay").text
        names = dict(re.findall(r'name="(\w+)" value="(\w+)"', page))
        return {"action": "place_order", "payment_method": "friendpay", "friendpay_attempt": names["friendpay_attempt"]}

    def ask(self, goods: int = TEA, quantity: int = 1, voucher: str = "") -> str:
        """Order, and ask a friend. The order's number."""
        self.fill(goods, quantity, voucher)
        placed = self.post("/checkout/preview/", **self.form())
        assert placed.headers.get("location", "").startswith(self.oscar.friendpay.address), placed.text
        return str(self.oscar.one("SELECT number FROM order_order ORDER BY id DESC LIMIT 1"))


@pytest.fixture(scope="module")
def oscar(
    friendpay: Friendpay, make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Oscar]:
    """Set up as README says."""
    folder = tmp_path_factory.mktemp("oscar")
    mails = folder / "mails"
    mails.mkdir()
    python = environments.oscar()
    database = make_database("oscar")
    settings = {"SHOP_DATABASE": database, "SHOP_MAILS": str(mails), "FRIENDPAY_URL": friendpay.address}
    shop = Shop([], PROJECT, settings, folder / "log", health="/catalogue/")
    shop.command += [str(python), "manage.py", "runserver", "--noreload", f"127.0.0.1:{shop.port}"]
    settings["FRIENDPAY_KEY"] = key = friendpay.add_shop("Harbour Books", shop.address)
    made = Oscar(shop, python, friendpay, key, database, mails)
    made.manage("migrate", "--verbosity", "0")
    made.manage("shell", "--verbosity", "0", "--command", (PROJECT / "seed.py").read_text())
    settings["FRIENDPAY_WEBHOOK_SECRET"] = made.manage("friendpay_connect", shop.address).split('"')[1]
    with shop:
        yield made


def test_a_friend_pays_and_every_sum_agrees(oscar: Oscar, buyer: Person, friend: Person) -> None:
    """The whole story, with two browsers: a coupon of 10%, shipping of 6.00, 19% of tax."""
    page = buyer.page

    def press(button: Locator) -> None:
        with page.expect_navigation():
            button.click()

    buyer.go(f"{oscar.address}/catalogue/a-year-of-tea_1/")
    for _twice in range(2):
        press(page.get_by_role("button", name="Add to basket").first)
    buyer.go(f"{oscar.address}/basket/")
    page.get_by_role("link", name="I have a voucher code").click()
    page.fill("#id_code", "WELCOME")
    press(page.get_by_role("button", name="Add voucher"))
    press(page.get_by_role("link", name="Proceed to checkout").first)
    page.fill("#id_username", "lin@example.com")
    press(page.get_by_role("button", name="Continue"))
    for name, words in (("first_name", "Lin"), ("last_name", "Wu"), ("line1", "1 Quay"), ("line4", "Hamburg")):
        page.fill(f"#id_{name}", words)
    page.fill("#id_postcode", "20457")
    press(page.get_by_role("button", name="Continue"))
    press(page.locator("#friendpay button"))
    page.locator("#place-order").click()
    page.wait_for_url(f"{oscar.friendpay.address}/checkout/**")

    number = str(oscar.one("SELECT number FROM order_order ORDER BY id DESC LIMIT 1"))
    order = oscar.friendpay.order(oscar.key, number)
    assert oscar.status(number) == "Waiting for a friend"
    assert oscar.one("SELECT total_incl_tax FROM order_order WHERE number = %s", number) == Decimal(TOTAL) / 100
    assert (order["amount"], order["currency"], order["locale"]) == (TOTAL, "EUR", "en-gb")
    assert [(line["name"], line["quantity"], line["amount"]) for line in order["lines"]] == [("A Year of Tea", 2, 3998)]
    assert [(each["kind"], each["name"], each["amount"]) for each in order["adjustments"]] == [
        ("discount", "WELCOME", -399),
        ("shipping", "Post", 600),
        ("tax", "Tax", oscar.one("SELECT 100 * (total_incl_tax - total_excl_tax) FROM order_order ORDER BY id DESC")),
    ]
    assert order["buyer"]["name"] == "Lin Wu"
    assert oscar.mails_about(number) == 0

    friend.go(oscar.request(number)["url"])
    for words in ("A Year of Tea", "WELCOME", "Post", "41.99"):
        friend.sees(words)
    friend.tap("Pay €41.99 with Sandbox wallet")
    friend.tap("Approve €41.99")
    until(lambda: oscar.status(number) == "Pending", "the shop confirmed the order")
    assert oscar.events(number) == [("Paid by a friend", Decimal("41.99"))]
    until(lambda: oscar.mails_about(number) == 1, "the buyer had a mail")

    buyer.button("Back to Harbour Books").click()
    page.wait_for_url(f"{oscar.address}/checkout/thank-you/")
    buyer.sees(number)


def test_a_paid_order_is_confirmed_once_however_often_and_late_it_is_told(oscar: Oscar) -> None:
    number = oscar.visitor().ask(HARBOUR)
    before = oscar.mails_about(number)
    with oscar.shop.down():
        pay(oscar.request(number)["url"])
        until(lambda: _tried(oscar), "the shop was told in vain")
    assert oscar.status(number) == "Waiting for a friend"
    oscar.friendpay.hurry_webhooks()
    until(lambda: oscar.status(number) == "Pending", "the shop confirmed the order")
    for _again in range(2):
        oscar.friendpay.deliver_again(oscar.key, "order.paid")
    assert oscar.events(number) == [("Paid by a friend", Decimal("16.00"))]
    assert oscar.mails_about(number) == before + 1
    assert (
        oscar.one(
            "SELECT count(*) FROM order_orderstatuschange c JOIN order_order o ON o.id = order_id WHERE number = %s",
            number,
        )
        == 1
    )


def _tried(oscar: Oscar) -> bool:
    newest = oscar.friendpay.deliveries(oscar.key, "order.paid")[:1]
    return bool(newest and newest[0]["status"] == "pending" and newest[0]["attempts"])


def test_goods_and_coupon_are_free_again_when_nobody_pays(oscar: Oscar) -> None:
    held = oscar.allocated(TEA)
    used = "SELECT num_orders + (SELECT count(*) FROM voucher_voucherapplication) FROM voucher_voucher"
    before = oscar.one(used)
    number = oscar.visitor().ask(TEA, voucher="WELCOME")
    assert (oscar.allocated(TEA), oscar.one(used)) == (held + 1, before + 2)
    oscar.friendpay.expire(oscar.request(number)["id"])
    until(lambda: oscar.status(number) == "Cancelled", "the shop gave the order up")
    assert (oscar.allocated(TEA), oscar.one(used)) == (held, before)
    assert oscar.friendpay.order(oscar.key, number)["status"] == "cancelled"
    assert (oscar.events(number), oscar.mails_about(number)) == ([], 0)


def test_the_shops_own_expiry_never_cancels_what_a_friend_has_paid(oscar: Oscar) -> None:
    """The race: paid while the shop was down, and its cron comes before the webhook does."""
    paid, unpaid = oscar.visitor().ask(HARBOUR), oscar.visitor().ask(TEA)
    held = oscar.allocated(TEA)
    with oscar.shop.down():
        pay(oscar.request(paid)["url"])
        until(lambda: _tried(oscar), "the shop was told in vain")
        said = oscar.manage("friendpay_sync", FRIENDPAY_HOLD_SECONDS="0")
    assert (oscar.status(paid), oscar.status(unpaid)) == ("Pending", "Cancelled")
    assert f"{paid}: Pending" in said
    assert oscar.allocated(TEA) < held
    assert oscar.friendpay.order(oscar.key, unpaid)["status"] == "cancelled"


def test_staff_cannot_cancel_what_a_friend_has_just_paid(oscar: Oscar) -> None:
    number = oscar.visitor().ask(TEA)
    desk = oscar.desk()
    with psycopg.connect(oscar.database, autocommit=True) as shop:  # no webhook gets through, for the order is locked
        shop.execute("BEGIN")
        shop.execute("SELECT 1 FROM order_order WHERE number = %s FOR UPDATE", [number])
        pay(oscar.request(number)["url"])
        until(lambda: oscar.friendpay.order(oscar.key, number)["status"] == "paid", "friendpay has the money")
        with ThreadPoolExecutor() as pool:
            change = {"order_action": "change_order_status", "new_status": "Cancelled"}
            cancelling = pool.submit(desk.post, f"/dashboard/orders/{number}/", **change)
            until(lambda: _waiting(oscar) >= 2, "both wait for the order")
            shop.execute("COMMIT")
            cancelling.result()
    assert oscar.status(number) == "Pending"
    assert "A friend has just paid this order" in desk.get(f"/dashboard/orders/{number}/").text
    assert oscar.events(number) == [("Paid by a friend", Decimal("25.99"))]


def _waiting(oscar: Oscar) -> int:
    return int(oscar.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'oscar'"))


def test_staff_cancel_an_order_and_the_friend_cannot_pay_it_any_more(oscar: Oscar) -> None:
    number = oscar.visitor().ask(TEA)
    held = oscar.allocated(TEA)
    oscar.desk().post(f"/dashboard/orders/{number}/", order_action="change_order_status", new_status="Cancelled")
    assert (oscar.status(number), oscar.allocated(TEA)) == ("Cancelled", held - 1)
    assert oscar.request(number)["status"] == "cancelled"


def test_staff_who_have_the_money_by_other_means_say_so_and_nobody_is_asked_for_it(oscar: Oscar) -> None:
    number = oscar.visitor().ask(TEA)
    oscar.desk().post(f"/dashboard/orders/{number}/", order_action="change_order_status", new_status="Pending")
    assert (oscar.status(number), oscar.events(number)) == ("Pending", [])
    assert oscar.friendpay.order(oscar.key, number)["paid_elsewhere"]
    assert oscar.request(number)["status"] == "cancelled"


def test_money_goes_back_from_the_dashboard_in_part_and_whole_and_never_more(oscar: Oscar) -> None:
    number = oscar.visitor().ask(TEA)
    pay(oscar.request(number)["url"])
    until(lambda: oscar.status(number) == "Pending", "the shop confirmed the order")
    desk, order = oscar.desk(), f"/dashboard/orders/{number}/"
    refund = {"order_action": "create_order_payment_event", "payment_event_type": "refund"}
    (shown,) = re.findall(r'name="friendpay_refund" value="(\d+)"', desk.get(order).text)
    for _sent_twice in range(2):
        desk.post(order, **refund, amount="5.99", friendpay_refund=shown)
    until(lambda: oscar.refunded(number) == Decimal("5.99"), "the friend has a part back")
    desk.post(order, **refund, amount="20.01")
    assert desk.get(order).text.count("Unable to create payment event due to payment error") == 2
    desk.post(order, **refund, amount="20.00")
    until(lambda: oscar.refunded(number) == Decimal("25.99"), "the friend has all of it back")
    oscar.friendpay.deliver_again(oscar.key, "refund.succeeded")
    oscar.friendpay.deliver_again(oscar.key, "order.paid")  # long out of order
    assert oscar.refunded(number) == Decimal("25.99")
    assert oscar.events(number)[1:] == [("Refund", Decimal("5.99")), ("Refund", Decimal("20.00"))]
    refunds = oscar.friendpay.call(oscar.key, "GET", f"/refunds?order_reference={number}")["data"]
    sent = {each["merchant_reference"]: each["amount"] for each in refunds}
    assert sent == {f"{number}-R2": 599, f"{number}-R3": 2000}


def test_a_refund_from_friendpays_desk_is_told_to_the_shop(oscar: Oscar) -> None:
    number = oscar.visitor().ask(HARBOUR)
    pay(oscar.request(number)["url"])
    until(lambda: oscar.status(number) == "Pending", "the shop confirmed the order")
    order = oscar.friendpay.order(oscar.key, number)["id"]
    oscar.friendpay.call(oscar.key, "POST", f"/orders/{order}/refunds", {"amount": 100})
    until(lambda: oscar.refunded(number) == 1, "the shop was told")
    assert oscar.events(number)[1:] == [("Refund", Decimal("1.00"))]


def test_the_form_sent_twice_makes_one_order(oscar: Oscar) -> None:
    visitor = oscar.visitor()
    visitor.fill(TEA)
    form, orders = visitor.form(), "SELECT count(*) FROM order_order"
    before = oscar.one(orders)
    first, again = (visitor.post("/checkout/preview/", **form) for _twice in range(2))
    number = oscar.one("SELECT number FROM order_order ORDER BY id DESC LIMIT 1")
    assert first.headers["location"] == oscar.friendpay.order(oscar.key, number)["checkout_url"]
    assert f"/friendpay/order/{number}/" in again.headers["location"]
    assert oscar.one(orders) == before + 1
    assert len(oscar.friendpay.call(oscar.key, "GET", f"/payment-requests?order_reference={number}")["data"]) == 1
    page = visitor.get(again.headers["location"].removeprefix(oscar.address))
    assert "Your goods are kept for you" in page.text
    visitor.post(again.headers["location"].removeprefix(oscar.address))
    assert oscar.status(number) == "Cancelled"


def test_a_double_click_makes_one_order_and_nothing_is_cancelled(oscar: Oscar) -> None:
    visitor = oscar.visitor()
    visitor.fill(TEA)
    form, before = visitor.form(), oscar.one("SELECT count(*) FROM order_order")
    cookies = dict(visitor.web.cookies)
    body = {**form, "csrfmiddlewaretoken": cookies["csrftoken"]}
    with ThreadPoolExecutor() as pool:
        where = f"{oscar.address}/checkout/preview/"
        clicks = [pool.submit(httpx.post, where, data=body, cookies=cookies, timeout=60) for _twice in range(2)]
        answers = [click.result() for click in clicks]
    number = oscar.one("SELECT number FROM order_order ORDER BY id DESC LIMIT 1")
    order = oscar.friendpay.order(oscar.key, number)
    assert oscar.one("SELECT count(*) FROM order_order") == before + 1
    assert order["checkout_url"] in [answer.headers.get("location") for answer in answers]
    assert (order["status"], oscar.request(number)["status"]) == ("awaiting_payment", "open")
    assert oscar.one("SELECT status FROM basket_basket ORDER BY id DESC LIMIT 1") in ("Submitted", "Open")


def test_the_payment_step_shows_what_friendpays_rules_say_in_the_shops_language(oscar: Oscar) -> None:
    visitor = oscar.visitor()
    visitor.fill(TEA)
    assert "Ask a friend" in visitor.get("/checkout/payment-details/").text
    visitor.web.headers["Accept-Language"] = "zh-CN"
    assert "请朋友" in visitor.get("/checkout/payment-details/").text
    visitor.web.headers["Accept-Language"] = "de"
    assert "Einen Freund um Zahlung bitten" in visitor.get("/checkout/payment-details/").text
    visitor.web.headers["Accept-Language"] = "en"
    with oscar.friendpay.stack.database() as database:
        database.execute(
            "INSERT INTO payments_rolloutrule (merchant_id, method, note, share, allowed_buyers, denied_buyers,"
            " excluded_categories, currencies, amount_currency, screens, created_at)"
            " SELECT id, 'friend', '', 0, '[]', '[]', '[]', '[]', '', '[]', now() FROM orders_merchant"
            " WHERE name = 'Harbour Books'"
        )
    try:
        page = visitor.get("/checkout/payment-details/").text
        assert 'id="friendpay"' not in page
        assert 'id="view_preview"' in page  # the shop's own way goes on
        refused = visitor.post("/checkout/preview/", **visitor.form())
        assert refused.status_code == 200
        assert "alert-danger" in refused.text
    finally:
        with oscar.friendpay.stack.database() as database:
            database.execute("DELETE FROM payments_rolloutrule")
    assert "friendpay" in visitor.get("/checkout/payment-details/").text  # and the basket is as it was


def test_the_shops_checkout_goes_on_while_friendpay_is_down(oscar: Oscar, tmp_path: Path) -> None:
    there = {**oscar.shop.environment, "FRIENDPAY_URL": "http://127.0.0.1:9"}
    shop = Shop([], PROJECT, there, tmp_path / "log", health="/catalogue/")
    shop.command += [str(oscar.python), "manage.py", "runserver", "--noreload", f"127.0.0.1:{shop.port}"]
    with shop:
        visitor = Visitor(Oscar(shop, oscar.python, oscar.friendpay, oscar.key, oscar.database, oscar.mails))
        visitor.fill(TEA)
        form = visitor.form()
        assert 'id="friendpay"' not in visitor.get("/checkout/payment-details/").text
        refused = visitor.post("/checkout/preview/", **form)
        assert "A friend cannot be asked right now" in refused.text
        placed = visitor.post("/checkout/preview/", action="place_order")
        assert placed.headers["location"].endswith("/checkout/thank-you/")


def test_a_forged_or_foreign_message_changes_nothing(oscar: Oscar) -> None:
    number = oscar.visitor().ask(TEA)
    body = {"type": "order.paid", "order": oscar.friendpay.order(oscar.key, number)["id"]}
    where, headers = f"{oscar.address}/friendpay/webhook/", {"webhook-id": "evt_1"}
    answer = httpx.post(where, json=body, headers=headers, timeout=60)
    assert answer.status_code == 400
    assert oscar.visitor().get(f"/friendpay/order/{number}/guessed/").status_code == 404
    assert oscar.status(number) == "Waiting for a friend"


def test_parts_that_do_not_add_up_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices of four decimals may leave a cent or two, which is told as rounding; more than that is a mistake."""
    monkeypatch.syspath_prepend(str(PACKAGE))
    sums = importlib.import_module("friendpay_oscar.sums")

    def told(total: str) -> dict[str, Any]:
        product = Mock(get_title=lambda: "Tea", categories=Mock(first=lambda: None))
        line = Mock(product=product, quantity=2, line_price_incl_tax=Decimal("19.9920"))
        basket = Mock(all_lines=lambda: [line], voucher_discounts=[], offer_discounts=[])
        basket.total_incl_tax = basket.total_incl_tax_excl_discounts = Decimal("19.9920")
        price = Mock(currency="EUR", incl_tax=Decimal(total), tax=Decimal("3.19"))
        made: dict[str, Any] = sums.told(basket, Mock(), Mock(incl_tax=Decimal("6.0044")), price)
        return made

    assert told("25.99")["amount"] == sum(
        each["amount"] for each in (*told("25.99")["lines"], *told("25.99")["adjustments"]) if not each.get("included")
    )
    assert [(each["kind"], each["amount"]) for each in told("26.0")["adjustments"]][1:] == [
        ("rounding", 1),
        ("tax", 319),
    ]
    with pytest.raises(sums.SumsDiffer):
        told("26.05")
