"""friendpay for WooCommerce against a real friendpay. The plugin is as it is; WordPress and WooCommerce are stand-ins
that behave as their documents say (`integrations/woocommerce/tests/fake/`), on PHP's own web server.
"""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from friendpay.kit.money import EXPONENT
from orders.webhooks import signing
from tests import php
from tests.browser.conftest import pay
from tests.integrations import woocommerce_texts
from tests.integrations.stand import INTEGRATIONS, Friendpay, Shop, until

HERE = INTEGRATIONS / "woocommerce"
PLUGIN = HERE / "friendpay-for-woocommerce"

TEA = {"name": "Spring oolong, 100 g", "quantity": "2", "product_id": 1}
ORDER: dict[str, Any] = {
    "currency": "EUR",
    "total": "88.14",
    "prices_include_tax": True,
    "items": {
        "line_item": [
            {
                **TEA,
                "subtotal": "75.630252",
                "subtotal_tax": "14.369748",
                "total": "68.067227",
                "total_tax": "12.932773",
            }
        ],
        "coupon": [{"name": "welcome", "code": "welcome", "discount": "7.563025", "discount_tax": "1.436975"}],
        "shipping": [{"name": "Parcel", "total": "6.00", "total_tax": "1.14"}],
        "tax": [{"name": "DE-VAT-1", "label": "VAT", "tax_total": "12.93", "shipping_tax_total": "1.14"}],
    },
}
"""Two teas of 45.00, a coupon of 10%, a parcel of 7.14, and 19% VAT in all prices: as a real WooCommerce 9.2 has it."""


class WooCommerce(Shop):
    """The shop, and what its buyers and staff do."""

    key: str
    friendpay: Friendpay

    def does(self, what: str, **asked: Any) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.address}/test/{what}", data=json.dumps(asked).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                told: dict[str, Any] = json.loads(answer.read())
                return told
        except urllib.error.HTTPError as refused:
            refused.add_note(self.log.read_text()[-4000:])
            raise

    def place(self, **changes: Any) -> dict[str, Any]:
        """A buyer checks out with "Ask a friend"."""
        return self.does("place", order=ORDER | changes)

    def order(self, id: int) -> dict[str, Any]:
        return self.does("order", id=id)

    def there(self, id: int) -> dict[str, Any]:
        """The order at friendpay."""
        return self.friendpay.call(self.key, "GET", f"/orders/{self.order(id)['meta']['_friendpay_order']}")

    def request(self, id: int) -> dict[str, Any]:
        order = self.order(id)["meta"]["_friendpay_order"]
        listed = self.friendpay.call(self.key, "GET", f"/orders/{order}/payment-requests")["data"]
        found: dict[str, Any] = listed[0]
        return found

    def paid(self, id: int) -> dict[str, Any]:
        """The order, once the shop has confirmed it; its status is written a moment before."""
        until(lambda: self.order(id)["confirmed"], f"order {id} is confirmed")
        order = self.order(id)
        assert order["status"] == "processing"
        return order

    def logged(self, words: str) -> bool:
        return any(words in line for line in self.does("declared")["log"])

    def settings(self, address: str = "") -> dict[str, Any]:
        return self.does("settings", enabled="1", address=address or self.friendpay.address, key=self.key, hours="24")


@pytest.fixture(scope="module")
def shop(friendpay: Friendpay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WooCommerce]:
    folder = tmp_path_factory.mktemp("woocommerce")
    shop = WooCommerce([], HERE / "tests", {}, folder / "shop.log")
    shop.command = [php.program(), "-S", f"127.0.0.1:{shop.port}", "shop.php"]
    shop.environment = {"WOO_FOLDER": str(folder), "WOO_HOME": shop.address, "PHP_CLI_SERVER_WORKERS": "8"}
    shop.friendpay, shop.key = friendpay, friendpay.add_shop("Tea Press", shop.address)
    with shop:
        shop.does("activate")
        shop.does("stock", pieces=100)
        told = shop.settings()
        assert told["secret"].startswith("whsec_"), told
        yield shop


def test_the_plain_parts_hold_by_themselves() -> None:
    ran = subprocess.run([php.program(), str(HERE / "tests" / "run.php")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed, 0 failed" in ran.stdout


@pytest.mark.parametrize("language", woocommerce_texts.LANGUAGES)
def test_every_text_is_translated_and_wordpress_reads_what_the_translators_wrote(language: str) -> None:
    wanted, folder, domain = woocommerce_texts.template(), PLUGIN / "languages", woocommerce_texts.DOMAIN
    assert (folder / f"{domain}.pot").read_text("utf-8") == woocommerce_texts.text(wanted)
    catalog = woocommerce_texts.of(language)
    assert {it.id for it in catalog if it.string} - {""} == {it.id for it in wanted} - {""}
    assert [it.id for it in catalog if str(it.id).count("%s") != str(it.string).count("%s") and it.id] == []
    read = (folder / f"{domain}-{language}.l10n.php").read_text("utf-8")
    assert read == woocommerce_texts.for_wordpress(catalog, language)


def test_both_know_the_same_coins(tmp_path: Path) -> None:
    (tmp_path / "try.php").write_text(f"""<?php
        require '{PLUGIN}/src/Core/Money.php';
        foreach (explode(' ', '{" ".join(EXPONENT)}') as $it) {{
            $told[$it] = Friendpay\\WooCommerce\\Core\\Money::exponent($it);
        }}
        echo json_encode($told);
    """)
    told = subprocess.run([php.program(), "try.php"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == EXPONENT


def test_a_friend_is_asked_with_the_shops_own_sums_and_the_order_is_held(shop: WooCommerce) -> None:
    stock = shop.does("stock", pieces=0)["stock"]
    placed = shop.place()
    held, there = shop.order(placed["id"]), shop.there(placed["id"])
    assert (placed["result"], placed["redirect"]) == ("success", there["checkout_url"])
    assert (held["status"], held["stock"]) == ("on-hold", stock - 2)
    assert (there["reference"], there["amount"], there["currency"]) == (str(placed["id"]), 8814, "EUR")
    assert [(line["name"], line["quantity"], line["amount"]) for line in there["lines"]] == [(TEA["name"], 2, 9000)]
    assert [(it["kind"], it["name"], it["amount"], it["included"]) for it in there["adjustments"]] == [
        ("discount", "Coupon welcome", -900, False),
        ("shipping", "Parcel", 714, False),
        ("tax", "VAT", 1407, True),
    ]
    assert there["buyer"] == {"id": "guest-t_1", "name": "Lin"}
    assert there["return_url"].startswith(f"{shop.address}/checkout/order-received/{placed['id']}/")
    assert (there["lines"][0]["category"], there["expires_at"] is not None) == ("tea", True)
    assert there["checkout_url"] in shop.does("mail", id=placed["id"])["mail"]
    assert there["checkout_url"] in shop.does("received", id=placed["id"])["page"]


@pytest.mark.parametrize(
    ("order", "amount", "kinds"),
    [
        (
            {
                "total": "6.62",
                "prices_include_tax": False,
                "items": {
                    "line_item": [
                        {**TEA, "quantity": "0.5", "subtotal": "3.335", "total": "3.335", "subtotal_tax": "0.63"},
                        {**TEA, "quantity": "3", "subtotal": "2.225", "total": "2.225", "subtotal_tax": "0.42"},
                    ],
                    "fee": [{"name": "Gift wrap", "total": "1.00"}, {"name": "Loyal", "total": "-1.00"}],
                    "tax": [{"label": "VAT", "tax_total": "1.055"}],
                },
            },
            662,
            ["fee", "discount", "tax", "rounding"],
        ),
        (
            {
                "currency": "JPY",
                "total": "1100",
                "prices_include_tax": False,
                "items": {
                    "line_item": [{**TEA, "subtotal": "1000", "total": "1000"}],
                    "tax": [{"label": "消費税", "tax_total": "100"}],
                },
            },
            1100,
            ["tax"],
        ),
        (
            {
                "currency": "KWD",
                "total": "2.250",
                "prices_include_tax": False,
                "items": {"line_item": [{**TEA, "subtotal": "2.500", "total": "2.250"}]},
            },
            2250,
            ["discount"],
        ),
    ],
    ids=["tax on top, half a kilo, a fee, rounding", "yen", "dinar, a discount without a coupon"],
)
def test_sums_agree_to_the_minor_unit(shop: WooCommerce, order: dict[str, Any], amount: int, kinds: list[str]) -> None:
    placed = shop.place(**order)
    assert placed["result"] == "success", placed
    there = shop.there(placed["id"])
    assert there["amount"] == amount
    assert [it["kind"] for it in there["adjustments"]] == kinds


def test_sums_that_do_not_add_up_are_asked_of_nobody(shop: WooCommerce) -> None:
    before = shop.friendpay.call(shop.key, "GET", "/orders?limit=1")["data"]
    placed = shop.place(total="88.20")
    assert placed["result"] == "failure"
    assert "another way to pay" in placed["message"]
    assert shop.order(placed["id"])["status"] == "pending"
    assert shop.logged("the parts are 88.14, the total is 88.20 EUR")
    assert shop.friendpay.call(shop.key, "GET", "/orders?limit=1")["data"] == before


def test_two_clicks_ask_one_friend(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    with ThreadPoolExecutor(4) as clicks:
        pages = {told["redirect"] for told in clicks.map(lambda _: shop.does("pay", id=id), range(4))}
    assert pages == {shop.there(id)["checkout_url"]}
    assert len(shop.friendpay.call(shop.key, "GET", f"/orders?reference={id}")["data"]) == 1


def test_an_order_whose_sum_changed_is_asked_anew_and_the_old_link_is_dead(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    old = shop.there(id)
    fields = {"total": "90.00", "items": {"line_item": [{**TEA, "subtotal": "90", "total": "90"}]}}
    shop.does("change", id=id, fields=fields)
    assert shop.does("pay", id=id)["redirect"] != old["checkout_url"]
    assert shop.there(id)["amount"] == 9000
    assert shop.friendpay.call(shop.key, "GET", f"/orders/{old['id']}")["status"] == "cancelled"


def test_a_message_that_comes_many_times_at_once_confirms_once(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    pay(shop.request(id)["url"])
    paid = shop.paid(id)
    assert (paid["transaction_id"], len(paid["confirmed"])) == (shop.there(id)["id"], 1)
    shop.friendpay.deliver_again(shop.key, "order.paid")
    assert len(shop.order(id)["confirmed"]) == 1
    shop.does("change", id=id, fields={"status": "on-hold", "date_paid": None, "transaction_id": ""})
    body, headers = _message(shop, shop.there(id)["id"])
    with ThreadPoolExecutor(8) as many:
        codes = list(many.map(lambda _: _deliver(shop, body, headers), range(8)))
    assert codes == [204] * 8
    assert len(shop.order(id)["confirmed"]) == 2  # by all eight together, one


def test_paid_while_the_shop_was_down_for_an_hour(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    link = shop.request(id)["url"]
    with shop.down():
        pay(link)
        until(lambda: _waits(shop), "friendpay has tried to tell the shop")
    shop.friendpay.hurry_webhooks()
    assert len(shop.paid(id)["confirmed"]) == 1


def test_an_early_or_late_message_changes_nothing(shop: WooCommerce) -> None:
    """Whatever a message says, friendpay is asked how it is."""
    id = shop.place()["id"]
    early, headers = _message(shop, shop.there(id)["id"], "order.paid")
    assert _deliver(shop, early, headers) == 204
    assert shop.order(id)["status"] == "on-hold"
    pay(shop.request(id)["url"])
    shop.paid(id)
    late, headers = _message(shop, shop.there(id)["id"], "order.expired")
    assert _deliver(shop, late, headers) == 204
    assert shop.order(id)["status"] == "processing"


def test_who_is_not_friendpay_is_not_believed(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    body, headers = _message(shop, shop.there(id)["id"])
    assert _deliver(shop, body + " ", headers) == 401
    assert _deliver(shop, body, {}) == 401
    now = datetime.now(UTC)
    assert _deliver(shop, body, signing.headers([signing.new_secret()], "evt_1", now, body)) == 401
    body, headers = _message(shop, "ord_nobodys")
    assert _deliver(shop, body, headers) == 204
    assert shop.order(id)["status"] == "on-hold"


def test_time_is_over_and_the_goods_are_free_again(shop: WooCommerce) -> None:
    stock = shop.does("stock", pieces=0)["stock"]
    id = shop.place()["id"]
    assert shop.order(id)["stock"] == stock - 2
    shop.friendpay.expire_order(shop.there(id)["id"])
    until(lambda: shop.order(id)["status"] == "cancelled", "the shop heard of it")
    until(lambda: shop.order(id)["stock"] == stock, "the goods are free")
    assert "No friend paid in time." in shop.order(id)["notes"]
    assert "No friend has paid" in shop.does("received", id=id)["page"]


def test_the_shops_own_time_never_cancels_a_paid_order(shop: WooCommerce) -> None:
    """The race: a friend pays, and before the shop hears of it, its own job finds the order unpaid for too long."""
    id = shop.place()["id"]
    shop.does("status", id=id, status="pending")
    with _deaf(shop):
        pay(shop.request(id)["url"])
        until(lambda: shop.there(id)["status"] == "paid", "friendpay has the money")
        assert shop.order(id)["status"] == "pending"
        shop.does("unpaid")
        order = shop.order(id)
        assert (order["status"], len(order["confirmed"])) == ("processing", 1)
    shop.friendpay.hurry_webhooks()
    shop.does("sweep")
    assert len(shop.order(id)["confirmed"]) == 1


def test_the_shop_gives_up_only_what_nobody_can_pay_any_more(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    link = shop.request(id)["url"]
    shop.does("status", id=id, status="pending")
    shop.settings("http://127.0.0.1:9")
    shop.does("unpaid")
    assert shop.order(id)["status"] == "pending"  # friendpay cannot be asked, so not now
    shop.settings()
    shop.does("unpaid")
    assert (shop.order(id)["status"], shop.there(id)["status"]) == ("cancelled", "cancelled")
    with pytest.raises(KeyError):
        pay(link)  # there is no way to pay any more


def test_staff_who_cancel_a_paid_order_get_it_back_confirmed(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    with _deaf(shop):
        pay(shop.request(id)["url"])
        until(lambda: shop.there(id)["status"] == "paid", "friendpay has the money")
        shop.does("status", id=id, status="cancelled")
        assert shop.order(id)["status"] == "processing"


def test_nobody_can_pay_for_an_order_that_was_deleted(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    order = shop.there(id)["id"]
    shop.does("delete", id=id)
    assert shop.friendpay.call(shop.key, "GET", f"/orders/{order}")["status"] == "cancelled"
    until(lambda: shop.logged(f"order {id} is not here any more"), "the log says so")


def test_once_an_hour_it_looks_at_what_no_message_told(shop: WooCommerce) -> None:
    paid, cancelled = shop.place()["id"], shop.place()["id"]
    with _deaf(shop):
        pay(shop.request(paid)["url"])
        until(lambda: shop.there(paid)["status"] == "paid", "friendpay has the money")
        shop.settings("http://127.0.0.1:9")
        shop.does("status", id=cancelled, status="cancelled")
        shop.settings()
        assert shop.there(cancelled)["status"] == "awaiting_payment"
        shop.does("sweep")
    assert (shop.order(paid)["status"], shop.there(cancelled)["status"]) == ("processing", "cancelled")


def test_paid_otherwise_ends_the_request(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    shop.does("status", id=id, status="processing")
    there = shop.there(id)
    assert (there["status"], there["paid_elsewhere"], shop.request(id)["status"]) == ("paid", True, "cancelled")
    assert shop.order(id)["status"] == "processing"


def test_paid_twice_is_told_to_the_staff_and_confirmed_by_neither(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    with _deaf(shop):
        pay(shop.request(id)["url"])
        until(lambda: shop.there(id)["status"] == "paid", "friendpay has the money")
        shop.does("status", id=id, status="processing")
    order = shop.order(id)
    assert order["confirmed"] == []
    assert len([note for note in order["notes"] if note.startswith("A friend has paid too")]) == 1


def test_refunds_from_the_shops_desk_in_part_and_whole(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    pay(shop.request(id)["url"])
    shop.paid(id)
    for amount in ("10.00", "10.00", "68.14"):
        assert shop.does("refund", id=id, refund={"amount": amount, "reason": "Broken"})["amount"] == amount
    until(lambda: shop.there(id)["amount_refunded"] == 8814, "all is with the friend")
    assert [refund["amount"] for refund in shop.order(id)["refunds"]] == ["10.00", "10.00", "68.14"]
    refused = shop.does("refund", id=id, refund={"amount": "1.00", "reason": ""})
    assert "error" in refused
    assert len(shop.order(id)["refunds"]) == 3


def test_money_that_goes_back_at_friendpay_is_told_to_the_shop_once(shop: WooCommerce) -> None:
    id = shop.place()["id"]
    pay(shop.request(id)["url"])
    shop.paid(id)
    shop.friendpay.call(shop.key, "POST", f"/orders/{shop.there(id)['id']}/refunds", {"amount": 1234})
    until(lambda: shop.order(id)["refunds"], "the shop has written it down")
    shop.friendpay.deliver_again(shop.key, "order.refunded")
    assert [refund["amount"] for refund in shop.order(id)["refunds"]] == ["12.34"]


def test_friendpay_says_who_is_offered_it_and_when_it_is_down_nobody_is(shop: WooCommerce) -> None:
    line = {"name": TEA["name"], "quantity": 2, "subtotal": "90"}
    cart = {"cart": {"total": "88.14", "lines": [line]}, "visitor": "7"}
    assert shop.does("offered", **cart, locale="de_DE") == {
        "offered": True,
        "title": "Eine Freundin oder einen Freund zahlen lassen",
    }
    assert shop.does("offered", **cart, locale="zh_CN")["title"] == "请朋友代付"
    with _rule(shop):
        assert shop.does("offered", **cart | {"visitor": "8"})["offered"] is False
        assert shop.does("offered", **cart)["offered"] is True  # asked a moment ago, and remembered
    shop.settings("http://127.0.0.1:9")
    assert shop.does("offered", **cart)["offered"] is False
    failed = shop.place()
    assert failed["result"] == "failure"
    shop.settings()
    assert shop.does("pay", id=failed["id"])["result"] == "success"


def test_an_answer_that_is_lost_is_found_again_by_the_message(shop: WooCommerce) -> None:
    """The order was made at friendpay, and the shop fell before it had written that down."""
    id = shop.place()["id"]
    shop.does("change", id=id, fields={"meta": {"_friendpay_order": ""}, "status": "pending"})
    request = shop.friendpay.call(shop.key, "GET", "/payment-requests?limit=1")["data"][0]
    pay(request["url"])
    assert len(shop.paid(id)["confirmed"]) == 1


def test_blocks_and_order_storage_are_declared(shop: WooCommerce) -> None:
    assert {"custom_order_tables", "cart_checkout_blocks"} == set(shop.does("declared")["declared"])
    told = shop.does("blocks", locale="de_DE")
    assert told["active"] is True
    assert told["scripts"] == ["friendpay-blocks"]
    assert told["told"]["supports"] == ["products", "refunds"]
    assert told["told"]["title"] == "Eine Freundin oder einen Freund zahlen lassen"


def test_uninstalled_it_leaves_no_secret(shop: WooCommerce) -> None:
    left = shop.does("uninstall")["left"]
    assert left == []


def _message(shop: WooCommerce, order: str, type: str = "order.paid") -> tuple[str, dict[str, str]]:
    """As friendpay would send it."""
    secret = json.loads((Path(shop.environment["WOO_FOLDER"]) / "option-friendpay_webhook_secret.json").read_text())
    body = json.dumps({"id": "evt_1", "type": type, "order": order, "data": {"id": order}})
    return body, signing.headers([secret], "evt_1", datetime.now(UTC), body)


def _deliver(shop: WooCommerce, body: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(
        f"{shop.address}/wp-json/friendpay/v1/webhook", data=body.encode(), headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def _waits(shop: WooCommerce) -> bool:
    """Whether friendpay has tried in vain to tell of the last payment."""
    newest = shop.friendpay.deliveries(shop.key, "order.paid")[0]
    return newest["status"] == "pending" and len(newest["attempts"]) > 0


@contextmanager
def _deaf(shop: WooCommerce) -> Iterator[None]:
    """The shop is told of nothing meanwhile."""
    endpoint = shop.friendpay.call(shop.key, "GET", "/webhook-endpoints")["data"][0]["id"]
    shop.friendpay.call(shop.key, "PATCH", f"/webhook-endpoints/{endpoint}", {"enabled": False})
    try:
        yield
    finally:
        shop.friendpay.call(shop.key, "PATCH", f"/webhook-endpoints/{endpoint}", {"enabled": True})


@contextmanager
def _rule(shop: WooCommerce) -> Iterator[None]:
    """A rollout rule of the shop's: nobody is offered to ask a friend."""
    there = "FROM orders_merchant WHERE name = 'Tea Press'"
    with shop.friendpay.stack.database() as database:
        database.execute(
            "INSERT INTO payments_rolloutrule (merchant_id, method, note, share, allowed_buyers, denied_buyers,"
            " excluded_categories, currencies, amount_currency, screens, created_at)"
            f" SELECT id, 'friend', '', 0, '[]', '[]', '[]', '[]', '', '[]', now() {there}"
        )
    try:
        yield
    finally:
        with shop.friendpay.stack.database() as database:
            database.execute(f"DELETE FROM payments_rolloutrule WHERE merchant_id = (SELECT id {there})")
