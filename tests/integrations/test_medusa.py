"""integrations/medusa in a real Medusa: its store API, stock, promotions and admin API, beside a real friendpay."""

import hashlib
import hmac
import json
import shutil
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, Person, pay
from tests.integrations import environments
from tests.integrations.stand import INTEGRATIONS, Friendpay, Shop, clean, node, until

PACKAGE = INTEGRATIONS / "medusa"
PROVIDER = "pp_friendpay_friendpay"
SWEEP = """
const { sweep } = require("friendpay-medusa/settlement");
exports.POST = async (request, response) => {
  await sweep(request.scope, new Date(Date.now() + request.body.hours * 3600 * 1000));
  response.sendStatus(204);
};
"""
"""Medusa's clock is its own: here the hours until its job gives an order up are given to the job."""


@dataclass
class Medusa:
    """The shop, as a storefront and its desk see it."""

    shop: Shop
    friendpay: Friendpay
    key: str
    secret: str
    seeded: dict[str, Any]

    @property
    def address(self) -> str:
        return self.shop.address

    def ask(self, method: str, path: str, body: object = None, *, desk: bool = False) -> httpx.Response:
        told = f"{self.seeded['secret']}:".encode()
        key = {"authorization": f"Basic {b64encode(told).decode()}"} if desk else {}
        headers = {"x-publishable-api-key": self.seeded["publishable"], **key}
        return httpx.request(method, f"{self.address}{path}", json=body, headers=headers, timeout=60)

    def call(self, method: str, path: str, body: object = None, *, desk: bool = False) -> dict[str, Any]:
        answer = self.ask(method, path, body, desk=desk)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    def cart(self, country: str = "us", code: str = "", quantity: int = 1) -> str:
        address = {"first_name": "Lin", "last_name": "Chen", "address_1": "1 Quay", "city": "C", "postal_code": "1"}
        address["country_code"] = country
        body = {
            "region_id": self.seeded["regions"][country],
            "email": "lin@example.com",
            "shipping_address": address,
            "items": [{"variant_id": self.seeded["variant"], "quantity": quantity}],
            "promo_codes": [code] if code else [],
        }
        cart = str(self.call("POST", "/store/carts", body)["cart"]["id"])
        option = self.call("GET", f"/store/shipping-options?cart_id={cart}")["shipping_options"][0]["id"]
        self.call("POST", f"/store/carts/{cart}/shipping-methods", {"option_id": option})
        return cart

    def place(self, cart: str, **data: object) -> str:
        """The order of a cart that a friend is to pay, not asked for yet. `data` is what a storefront sends along."""
        collection = self.call("POST", "/store/payment-collections", {"cart_id": cart})["payment_collection"]["id"]
        session = {"provider_id": PROVIDER, **({"data": data} if data else {})}
        self.call("POST", f"/store/payment-collections/{collection}/payment-sessions", session)
        placed = self.call("POST", f"/store/carts/{cart}/complete", {})
        assert placed["type"] == "order", placed
        return str(placed["order"]["id"])

    def send(self, order: str) -> httpx.Response:
        """Ask for the page where the buyer gets the link."""
        body = {"return_url": f"{self.address}/order/{order}"}
        return self.ask("POST", f"/store/friendpay/orders/{order}", body)

    def placed(self, **cart: Any) -> str:
        """An order that waits for a friend."""
        order = self.place(self.cart(**cart))
        assert self.send(order).is_success
        return order

    def order(self, order: str) -> dict[str, Any]:
        fields = "id,display_id,status,payment_status,total,currency_code,*payment_collections.payments,*summary"
        more = "*payment_collections.payments.captures,*payment_collections.payments.refunds,*transactions"
        return dict(self.call("GET", f"/admin/orders/{order}?fields={fields},{more}", desk=True)["order"])

    def state(self, order: str) -> tuple[str, str]:
        told = self.order(order)
        return told["status"], told["payment_status"]

    def payments(self, order: str) -> list[dict[str, Any]]:
        return [it for each in self.order(order)["payment_collections"] for it in each["payments"]]

    def reserved(self) -> int:
        path = f"/admin/inventory-items/{self.seeded['inventory']}/location-levels"
        return int(self.call("GET", path, desk=True)["inventory_levels"][0]["reserved_quantity"])

    def theirs(self, order: str) -> dict[str, Any]:
        """The order at friendpay."""
        return self.friendpay.order(self.key, str(self.order(order)["display_id"]))

    def request(self, order: str) -> dict[str, Any]:
        path = f"/payment-requests?order={self.theirs(order)['id']}"
        return dict(self.friendpay.call(self.key, "GET", path)["data"][0])

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Webhooks go astray meanwhile, and the next try is an hour later."""
        endpoint = self.friendpay.call(self.key, "GET", "/webhook-endpoints")["data"][0]
        path = f"/webhook-endpoints/{endpoint['id']}"
        self.friendpay.call(self.key, "PATCH", path, {"url": "http://127.0.0.1:9/"})
        yield
        with self.friendpay.stack.database() as database:
            later = "clock_timestamp() + interval '1 hour'"
            database.execute(f"UPDATE orders_webhookdelivery SET next_attempt_at = {later} WHERE status = 'pending'")
        self.friendpay.call(self.key, "PATCH", path, {"url": endpoint["url"]})

    def pay_unheard(self, order: str) -> None:
        """A friend pays, and no webhook tells of it for an hour."""
        since = self.theirs(order)["created_at"]
        with self.deaf():
            pay(self.request(order)["url"])
            until(lambda: any(it["attempts"] for it in self.told("order.paid", since)), "the shop was told in vain")

    def told(self, type: str, since: str) -> list[dict[str, Any]]:
        """The webhooks of this type since a moment of friendpay's."""
        return [it for it in self.friendpay.deliveries(self.key, type) if it["created_at"] >= since]

    def heard(self, order: str, type: str) -> None:
        """Wait until the shop took what it is told about its newest order."""
        since = self.theirs(order)["created_at"]
        until(lambda: {it["status"] for it in self.told(type, since)} == {"delivered"}, f"the shop was told {type}")

    def sweep(self, hours: int) -> None:
        assert self.ask("POST", "/test/sweep", {"hours": hours}).is_success

    def paid(self, order: str) -> bool:
        return self.state(order) == ("pending", "captured")


@pytest.fixture(scope="module")
def medusa(
    friendpay: Friendpay, make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Medusa]:
    """Set up as README says."""
    installed = environments.medusa()
    folder = tmp_path_factory.mktemp("medusa")
    shutil.copytree(PACKAGE / "shop", folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(installed / "node_modules")
    (folder / "src" / "api" / "test" / "sweep").mkdir(parents=True)
    (folder / "src" / "api" / "test" / "sweep" / "route.js").write_text(SWEEP)
    environment = {
        "MEDUSA_DISABLE_TELEMETRY": "1",
        "NODE_ENV": "production",
        "DATABASE_URL": make_database("medusa").replace("@/", "@localhost/"),
        "FRIENDPAY_URL": friendpay.address,
    }
    command = [*node(), "node_modules/@medusajs/cli/cli.js"]
    shop = Shop([*command, "start", "-H", "127.0.0.1"], folder, environment, folder / "log", health="/health")
    shop.command += ["-p", str(shop.port)]
    environment["FRIENDPAY_KEY"] = key = friendpay.add_shop("Tea House", shop.address)
    endpoint = friendpay.call(key, "POST", "/webhook-endpoints", {"url": f"{shop.address}/hooks/friendpay"})
    environment["FRIENDPAY_SECRET"] = endpoint["secret"]
    for words in (["db:migrate", "--skip-scripts"], ["exec", "./src/scripts/seed.js"]):
        done = subprocess.run(
            [*command, *words],
            cwd=folder,
            env={**clean(), **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    with shop:
        yield Medusa(shop, friendpay, key, endpoint["secret"], json.loads((folder / "seeded.json").read_text()))


@pytest.mark.parametrize(
    ("country", "total", "lines", "adjustments"),
    [
        # Three times 14.99 with 19% in it, less 10%, and 6.00 of shipping: 46.473 as Medusa reckons.
        ("de", "46.47", [4497], [("discount", -450), ("shipping", 600), ("tax", 742)]),
        # Three times 16.65 less 10%, 7.00 of shipping, and 8.875% on top: 56.56600625 as Medusa reckons.
        ("us", "56.57", [4995], [("discount", -500), ("shipping", 700), ("tax", 461), ("rounding", 1)]),
    ],
)
def test_a_friend_pays_and_every_sum_agrees(
    medusa: Medusa,
    buyer: Person,
    friend: Person,
    country: str,
    total: str,
    lines: list[int],
    adjustments: list[tuple[str, int]],
) -> None:
    """The whole story, with two browsers: a coupon, shipping and a tax, in the prices and on top of them."""
    held = medusa.reserved()
    page = buyer.page
    buyer.go(f"{medusa.address}/checkout?country={country}&code=WELCOME10&quantity=3")
    expect(page.locator("#total")).to_contain_text(total, timeout=60_000)
    page.locator("#ready").wait_for(state="attached")
    page.get_by_role("button", name="Ask a friend").dblclick()
    page.wait_for_url(f"{medusa.friendpay.address}/checkout/**")

    theirs = medusa.friendpay.call(medusa.key, "GET", "/orders?limit=2")["data"]
    assert len({each["metadata"]["medusa_order"] for each in theirs[:2]}) == len(theirs[:2])  # a double click made one
    order = theirs[0]["metadata"]["medusa_order"]
    ours = medusa.order(order)
    assert (ours["status"], ours["payment_status"]) == ("pending", "awaiting")
    assert medusa.reserved() == held + 3
    assert theirs[0]["reference"] == str(ours["display_id"])
    assert theirs[0]["currency"] == ours["currency_code"].upper()
    assert f"{theirs[0]['amount'] / 100:.2f}" == total == f"{ours['total']:.2f}"
    assert [line["amount"] for line in theirs[0]["lines"]] == lines
    assert [(each["kind"], each["amount"]) for each in theirs[0]["adjustments"]] == adjustments
    assert theirs[0]["buyer"]["name"] == "Lin"
    assert theirs[0]["locale"].startswith("en")

    friend.go(medusa.request(order)["url"])
    for words in ("Spring oolong", "WELCOME10", "By post", total):
        friend.sees(words)
    friend.page.get_by_role("button", name="Sandbox wallet").first.click()
    friend.page.get_by_role("button", name="Approve").click()
    until(lambda: medusa.paid(order), "the shop confirmed the order")
    assert [len(each["captures"]) for each in medusa.payments(order)] == [1]
    assert medusa.order(order)["summary"]["pending_difference"] == 0
    assert medusa.reserved() == held + 3

    buyer.button("Back to Tea House").click()
    page.wait_for_url(f"{medusa.address}/order/{order}")
    expect(page.locator("#payment")).to_have_text("captured")


def test_a_paid_order_is_confirmed_once_however_often_and_late_it_is_told(medusa: Medusa) -> None:
    order = medusa.placed()
    link, since = medusa.request(order)["url"], medusa.theirs(order)["created_at"]
    with medusa.shop.down():
        pay(link)
        until(lambda: any(it["attempts"] for it in medusa.told("order.paid", since)), "the shop was told in vain")
    medusa.friendpay.hurry_webhooks()
    until(lambda: medusa.paid(order), "the shop confirmed the order")
    for kind in ("order.paid", "payment_request.paid", "order.created", "order.paid"):
        medusa.friendpay.deliver_again(medusa.key, kind)
    assert [len(each["captures"]) for each in medusa.payments(order)] == [1]
    assert len(medusa.order(order)["transactions"]) == 1


def test_asking_twice_at_once_makes_one_order_at_friendpay(medusa: Medusa) -> None:
    order = medusa.place(medusa.cart())
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _click: medusa.send(order).json()["url"], range(4)))
    assert len(set(answers)) == 1
    reference = medusa.order(order)["display_id"]
    assert len(medusa.friendpay.call(medusa.key, "GET", f"/orders?reference={reference}")["data"]) == 1


def test_what_nobody_paid_in_time_goes_back_on_sale(medusa: Medusa) -> None:
    medusa.sweep(hours=25)  # what other tests left
    held = medusa.reserved()
    order = medusa.placed(quantity=2)
    assert medusa.reserved() == held + 2
    medusa.sweep(hours=23)
    assert medusa.state(order) == ("pending", "awaiting")
    medusa.sweep(hours=25)
    assert medusa.state(order)[0] == "canceled"
    assert medusa.reserved() == held
    assert medusa.theirs(order)["status"] == "cancelled"


def test_an_order_that_was_never_asked_for_goes_back_on_sale(medusa: Medusa) -> None:
    held = medusa.reserved()
    order = medusa.place(medusa.cart())
    medusa.sweep(hours=25)
    assert medusa.state(order)[0] == "canceled"
    assert medusa.reserved() == held


def test_what_was_cancelled_at_friendpay_goes_back_on_sale(medusa: Medusa) -> None:
    held = medusa.reserved()
    order = medusa.placed()
    medusa.friendpay.call(medusa.key, "POST", f"/orders/{medusa.theirs(order)['id']}/cancel")
    until(lambda: medusa.state(order)[0] == "canceled", "the shop let the order go")
    until(lambda: medusa.reserved() == held, "its goods are free")


def test_the_shops_own_end_of_time_never_cancels_a_paid_order(medusa: Medusa) -> None:
    order = medusa.placed()
    medusa.pay_unheard(order)
    medusa.sweep(hours=25)
    assert medusa.paid(order)
    medusa.friendpay.hurry_webhooks()
    medusa.heard(order, "order.paid")
    assert medusa.paid(order)
    assert [len(each["captures"]) for each in medusa.payments(order)] == [1]


def test_the_desk_never_cancels_an_order_that_was_paid_a_moment_ago(medusa: Medusa) -> None:
    order = medusa.placed()
    medusa.pay_unheard(order)
    refused = medusa.ask("POST", f"/admin/orders/{order}/cancel", {}, desk=True)
    assert refused.status_code == 400
    assert "just paid" in refused.text
    assert medusa.paid(order)
    # Meant all the same: Medusa gives the money back with it.
    medusa.call("POST", f"/admin/orders/{order}/cancel", {}, desk=True)
    assert medusa.state(order) == ("canceled", "refunded")
    until(lambda: medusa.theirs(order)["amount_refunded"] == medusa.theirs(order)["amount"], "the money went back")


def test_an_order_cancelled_at_the_desk_cannot_be_paid_any_more(medusa: Medusa) -> None:
    held = medusa.reserved()
    order = medusa.placed()
    medusa.call("POST", f"/admin/orders/{order}/cancel", {}, desk=True)
    assert medusa.state(order)[0] == "canceled"
    assert medusa.theirs(order)["status"] == "cancelled"
    assert medusa.reserved() == held
    assert medusa.send(order).is_success  # the page says so
    for kind in ("order.cancelled", "payment_request.cancelled"):
        medusa.heard(order, kind)
    assert medusa.reserved() == held  # what was let go twice is not held again


def test_the_desk_cannot_mark_an_order_as_paid_while_a_friend_is_asked(medusa: Medusa) -> None:
    """Medusa sees to it, where others would be paid twice."""
    order = medusa.placed()
    collection = medusa.order(order)["payment_collections"][0]["id"]
    path = f"/admin/payment-collections/{collection}/mark-as-paid"
    assert medusa.ask("POST", path, {"order_id": order}, desk=True).status_code == 400
    assert (medusa.state(order), medusa.theirs(order)["status"]) == (("pending", "awaiting"), "awaiting_payment")


def test_the_desk_refunds_a_part_and_the_rest_and_hears_what_became_of_it(medusa: Medusa) -> None:
    order = medusa.placed(quantity=3, code="WELCOME10")
    pay(medusa.request(order)["url"])
    until(lambda: medusa.paid(order), "the shop confirmed the order")
    payment = medusa.payments(order)[0]
    whole = medusa.theirs(order)["amount"]

    medusa.call("POST", f"/admin/payments/{payment['id']}/refund", {"amount": 10.5}, desk=True)
    assert medusa.state(order)[1] == "partially_refunded"
    medusa.call("POST", f"/admin/payments/{payment['id']}/refund", {"amount": payment["amount"] - 10.5}, desk=True)
    assert medusa.state(order)[1] == "refunded"
    refused = medusa.ask("POST", f"/admin/payments/{payment['id']}/refund", {"amount": 1}, desk=True)
    assert refused.status_code == 400

    until(lambda: medusa.theirs(order)["amount_refunded"] == whole, "both went back")
    theirs = medusa.friendpay.call(medusa.key, "GET", f"/refunds?order={medusa.theirs(order)['id']}")["data"]
    assert sorted(each["amount"] for each in theirs) == [1050, whole - 1050]

    def noted() -> bool:
        refunds = medusa.payments(order)[0]["refunds"]
        return {(each["metadata"] or {}).get("friendpay_status") for each in refunds} == {"succeeded"}

    until(noted, "Medusa knows that both arrived")


def test_a_refund_whose_answer_was_lost_is_not_sent_twice(medusa: Medusa) -> None:
    order = medusa.placed()
    pay(medusa.request(order)["url"])
    until(lambda: medusa.paid(order), "the shop confirmed the order")
    payment = medusa.payments(order)[0]
    session = medusa.theirs(order)["metadata"]["medusa_session"]
    # What Medusa's first try did at friendpay, before the line broke.
    lost = {"amount": 500, "merchant_reference": f"{session}-1"}
    medusa.friendpay.call(medusa.key, "POST", f"/orders/{medusa.theirs(order)['id']}/refunds", lost)

    other = medusa.ask("POST", f"/admin/payments/{payment['id']}/refund", {"amount": 7}, desk=True)
    assert "Refund that amount first" in other.text
    medusa.call("POST", f"/admin/payments/{payment['id']}/refund", {"amount": 5}, desk=True)
    theirs = medusa.friendpay.call(medusa.key, "GET", f"/refunds?order={medusa.theirs(order)['id']}")["data"]
    assert [each["amount"] for each in theirs] == [500]
    assert [each["amount"] for each in medusa.payments(order)[0]["refunds"]] == [5]


def test_the_payment_step_shows_what_friendpays_rules_say_in_the_buyers_language(
    medusa: Medusa, person: Callable[..., Person]
) -> None:
    reader = person(DESK, medusa.address, locale="zh-CN").page
    reader.goto(f"{medusa.address}/checkout")
    reader.get_by_role("button", name="请朋友").wait_for()
    with medusa.friendpay.stack.database() as database:
        database.execute(
            "INSERT INTO payments_rolloutrule (merchant_id, method, note, share, allowed_buyers, denied_buyers,"
            " excluded_categories, currencies, amount_currency, screens, created_at)"
            " SELECT id, 'friend', '', 0, '[]', '[]', '[]', '[]', '', '[]', now() FROM orders_merchant"
            " WHERE name = 'Tea House'"
        )
    try:
        reader.goto(f"{medusa.address}/checkout")
        reader.locator("#ready").wait_for(state="attached")
        assert reader.locator("button").all_text_contents() == ["Pay by invoice"]
    finally:
        with medusa.friendpay.stack.database() as database:
            database.execute("DELETE FROM payments_rolloutrule")
    reader.goto(f"{medusa.address}/checkout")
    reader.get_by_role("button", name="请朋友").click()
    reader.wait_for_url(f"{medusa.friendpay.address}/checkout/**")
    order = medusa.friendpay.call(medusa.key, "GET", "/orders?limit=1")["data"][0]
    assert order["locale"].startswith("zh")


def test_the_shops_checkout_goes_on_while_friendpay_is_down(medusa: Medusa, buyer: Person) -> None:
    order = medusa.place(medusa.cart())
    environment = dict(medusa.shop.environment)
    medusa.shop.end()
    medusa.shop.environment = {**environment, "FRIENDPAY_URL": "http://127.0.0.1:9"}
    medusa.shop.begin()
    try:
        buyer.go(f"{medusa.address}/checkout")
        buyer.page.locator("#ready").wait_for(state="attached")
        assert buyer.page.locator("button").all_text_contents() == ["Pay by invoice"]
        buyer.tap("Pay by invoice")
        buyer.page.wait_for_url(f"{medusa.address}/order/**")
        answer = medusa.send(order)
        assert (answer.status_code, "try again soon" in answer.text) == (400, True)
    finally:
        medusa.shop.end()
        medusa.shop.environment = environment
        medusa.shop.begin()
    assert medusa.send(order).is_success  # nothing was lost by it


def test_a_storefront_cannot_pass_somebody_elses_payment_off_as_its_own(medusa: Medusa) -> None:
    paid = medusa.placed()
    pay(medusa.request(paid)["url"])
    until(lambda: medusa.paid(paid), "the shop confirmed the order")
    theirs = medusa.theirs(paid)
    order = medusa.place(medusa.cart(quantity=9), order=theirs["id"], session_id=theirs["metadata"]["medusa_session"])
    assert medusa.state(order) == ("pending", "awaiting")
    medusa.sweep(hours=0)
    assert medusa.state(order) == ("pending", "awaiting")


def test_a_forged_or_old_webhook_is_refused_and_a_true_one_is_only_a_hint(medusa: Medusa) -> None:
    order = medusa.placed()
    body = json.dumps({"type": "order.paid", "order": medusa.theirs(order)["id"], "data": {"status": "paid"}})

    def send(secret: str, age: int = 0) -> int:
        moment = str(int(time.time()) - age)
        key = b64encode(
            hmac.digest(b64decode(secret.removeprefix("whsec_")), f"evt_1.{moment}.{body}".encode(), hashlib.sha256)
        ).decode()
        headers = {"webhook-id": "evt_1", "webhook-timestamp": moment, "webhook-signature": f"v1,{key}"}
        url = f"{medusa.address}/hooks/friendpay"
        headers["content-type"] = "application/json"
        return httpx.post(url, content=body, headers=headers, timeout=60).status_code

    assert send("whsec_" + b64encode(b"x" * 32).decode()) == 401
    assert send(medusa.secret, age=3600) == 401
    assert send(medusa.secret) == 204
    assert medusa.state(order) == ("pending", "awaiting")


def test_sums_that_do_not_add_up_are_refused(medusa: Medusa) -> None:
    script = """
const { sums } = require("friendpay-medusa/.medusa/server/src/basket");
const item = { title: "Tea", quantity: 1, is_tax_inclusive: false, subtotal: 10, original_total: 10 };
const basket = {
  id: "cart_1", currency_code: process.argv[1], total: Number(process.argv[2]), subtotal: 10, item_subtotal: 10,
  discount_total: 0, discount_subtotal: 0, tax_total: 0, original_shipping_total: 0, original_shipping_subtotal: 0,
  items: [item],
};
try { console.log(sums(basket).amount); } catch (error) { console.log(error.message); }
"""

    def reckoned(currency: str, total: str) -> str:
        command = [*node(), "-e", script, currency, total]
        done = subprocess.run(command, cwd=medusa.shop.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert reckoned("eur", "10") == "1000"
    assert reckoned("jpy", "10") == "10"
    assert reckoned("kwd", "10") == "10000"
    assert reckoned("eur", "10.01") == "1001"
    assert "does not add up: its total is 1100, its parts make 1000" in reckoned("eur", "11")
