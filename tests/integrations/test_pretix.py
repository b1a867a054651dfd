"""The plugin in a real pretix: a friend pays for tickets, once, and what nobody can pay any more is given up."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.browser.conftest import DESK, Person, pay
from tests.integrations.pretix_shop import CATCH_UP, EXPIRE, Placed, Pretix, Visitor
from tests.integrations.stand import Friendpay, until

COPY = """
from datetime import timedelta
from django_scopes import scopes_disabled
from pretix.base.models import Event
with scopes_disabled():
    first = Event.objects.get(slug="concert")
    copy = Event.objects.create(
        organizer=first.organizer, name="Second", slug="second", currency="EUR", date_from=first.date_from,
        plugins=first.plugins, testmode=True, live=True,
    )
    copy.copy_data_from(first)
    copy.live = copy.testmode = True
    copy.save()
    item = copy.items.first()
    item.name = "Matinee"
    item.save()
"""


class Both:
    """pretix and its shop at friendpay."""

    def __init__(self, pretix: Pretix, friendpay: Friendpay, key: str) -> None:
        self.pretix, self.friendpay, self.key = pretix, friendpay, key
        self.organiser = Visitor(pretix)

    def reference(self, placed: Placed, number: int = 1, event: str = "CONCERT") -> str:
        return f"HARBOUR-{event}-{placed.code}-P-{number}"

    def order(self, placed: Placed, number: int = 1) -> dict[str, Any]:
        """As friendpay has it."""
        return self.friendpay.order(self.key, self.reference(placed, number))

    def decided(self, placed: Placed) -> bool:
        return bool(self.order(placed)["status"] != "awaiting_payment")

    def link(self, placed: Placed, number: int = 1, event: str = "CONCERT") -> str:
        """What the friend gets."""
        reference = self.reference(placed, number, event)
        listed = self.friendpay.call(self.key, "GET", f"/payment-requests?order_reference={reference}")
        return str(listed["data"][0]["url"])

    def paid(self, placed: Placed, number: int = 1) -> None:
        pay(self.link(placed, number))
        until(lambda: self.pretix.status(placed.code) == "p", "pretix was told")

    def swap(self, name: str, value: str) -> str:
        """Another setting of the plugin's; the one until now."""
        key, table = f"payment_friendpay_{name}", "pretixbase_event_settingsstore"
        kept = str(self.pretix.rows(f"SELECT value FROM {table} WHERE key = ?", key)[0][0])
        self.pretix.rows(f"UPDATE {table} SET value = ? WHERE key = ?", value, key)
        return kept

    def begin_anew(self, placed: Placed) -> str:
        """The order's payment is as if the buyer had just ordered; where she is led to then."""
        payment = self.pretix.rows(
            "SELECT p.id FROM pretixbase_orderpayment p JOIN pretixbase_order o ON o.id = p.order_id WHERE o.code = ?",
            placed.code,
        )[-1][0]
        self.pretix.rows("UPDATE pretixbase_orderpayment SET state = 'created' WHERE id = ?", payment)
        info = json.loads(self.pretix.rows("SELECT info FROM pretixbase_orderpayment WHERE id = ?", payment)[0][0])
        for name in ("order", "checkout_url"):
            info.pop(name, None)
        self.pretix.rows("UPDATE pretixbase_orderpayment SET info = ? WHERE id = ?", json.dumps(info), payment)
        return f"{placed.url}pay/{payment}/complete"

    def paid_unheard(self, placed: Placed) -> None:
        """Within `unheard`."""
        pay(self.link(placed))
        until(lambda: self.order(placed)["status"] == "paid", "friendpay has the money")

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Whatever friendpay tells meanwhile is not believed, and so it comes again."""
        secret = self.swap("secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        try:
            yield
        finally:
            self.swap("secret", secret)

    def cancel(self, placed: Placed) -> None:
        """From the control panel."""
        path = self.organiser.control(f"orders/{placed.code}/transition?status=c")
        self.organiser.post(path, {"status": "c"})


@pytest.fixture(scope="module")
def both(friendpay: Friendpay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The organiser enters address and key into pretix's own form, and saves; the plugin makes the webhook."""
    pretix = Pretix.set_up(tmp_path_factory.mktemp("pretix"))
    with pretix.shop:
        both = Both(pretix, friendpay, friendpay.add_shop("Harbour Concerts", pretix.shop.address))
        both.organiser.log_in()
        form = {"_enabled": "on", "address": friendpay.address, "key": both.key, "_restrict_to_sales_channels": "web"}
        saved = both.organiser.post(
            both.organiser.control("settings/payment/friendpay"),
            {f"payment_friendpay_{name}": value for name, value in form.items()},
        )
        assert "Your changes have been saved" in saved.text, saved.text
        yield both
    pretix.end()


def test_voucher_shipping_tax_and_gift_card_are_the_same_sum_on_both_sides(both: Both) -> None:
    lin = Visitor(both.pretix)
    lin.fill_cart("Standing", "Standing", "Balcony", voucher="WELCOME")
    assert "Ask a friend to pay" in lin.reach_payment()
    lin.use_gift_card("GIFT20")
    lin.choose_friend()
    placed = lin.confirm()

    asked = both.order(placed, 2)  # the card was the first payment
    assert [(line["name"], line["quantity"], line["unit_amount"]) for line in asked["lines"]] == [
        ("Standing", 2, 4500),
        ("Balcony", 1, 7250),
    ]
    assert [(it["kind"], it["name"], it["amount"], it["included"]) for it in asked["adjustments"]] == [
        ("discount", "Voucher WELCOME", -1625, False),
        ("shipping", "Tickets by post", 600, False),
        ("credit", "Gift card", -2000, False),
        ("tax", "VAT 19%", 2432, True),
    ]
    assert asked["amount"] == 13225
    assert asked["return_url"] == placed.url
    assert (asked["buyer"]["name"], asked["currency"], asked["locale"]) == ("Lin", "EUR", "en")
    assert both.pretix.payments(placed.code) == ["confirmed", "pending"]

    both.paid(placed, 2)
    assert both.pretix.payments(placed.code) == ["confirmed", "confirmed"]
    assert both.order(placed, 2)["amount_paid"] == 13225


def test_it_is_confirmed_once_however_often_and_late_it_is_told(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    before = len(both.friendpay.deliveries(both.key, "order.paid"))
    with both.pretix.shop.down():
        pay(both.link(placed))
        until(lambda: len(both.friendpay.deliveries(both.key, "order.paid")) > before, "it is to be told")
        until(lambda: both.friendpay.deliveries(both.key, "order.paid")[0]["attempts"], "one try failed")
        assert both.pretix.status(placed.code) == "n"
    both.friendpay.hurry_webhooks()
    until(lambda: both.pretix.status(placed.code) == "p", "it was told after all")

    both.friendpay.deliver_again(both.key, "order.paid")
    both.pretix.run()
    assert both.pretix.payments(placed.code) == ["confirmed"]
    assert both.pretix.log(placed.code).count("paid") == both.pretix.log(placed.code).count("payment.confirmed") == 1
    assert both.pretix.refunds(placed.code) == []


def test_nobody_else_can_tell_that_it_was_paid(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    body = json.dumps({"type": "order.paid", "order": both.order(placed)["id"]})
    forged: list[dict[str, str]] = [
        {},
        {"webhook-id": "evt_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"},
    ]
    for headers in forged:
        answer = Visitor(both.pretix).http.post(
            f"{both.pretix.event}/friendpay/webhook/", content=body, headers=headers
        )
        assert answer.status_code == 400
    assert both.pretix.status(placed.code) == "n"


def test_a_double_click_asks_once_and_so_does_a_try_after_no_answer(both: Both) -> None:
    lin = Visitor(both.pretix)
    placed = lin.order()
    again = both.begin_anew(placed)
    address = both.swap("address", "http://127.0.0.1:9")
    assert "try again" in lin.http.get(again).text
    assert both.pretix.payments(placed.code) == ["created"]
    both.swap("address", address)
    for _click in range(2):
        assert lin.http.get(again, follow_redirects=False).headers["location"] == placed.waiting
        both.begin_anew(placed)
    assert len(both.friendpay.call(both.key, "GET", f"/orders?reference={both.reference(placed)}")["data"]) == 1


def test_parts_that_do_not_add_up_are_not_sent(both: Both) -> None:
    lin = Visitor(both.pretix)
    placed = lin.order()
    newest = "(SELECT max(id) FROM pretixbase_orderposition)"
    both.pretix.rows(f"UPDATE pretixbase_orderposition SET price = price + 0.01 WHERE id = {newest}")
    answer = lin.http.get(both.begin_anew(placed))
    assert "A friend cannot pay this order" in answer.text
    assert both.pretix.payments(placed.code) == ["canceled"]
    log = both.pretix.shop.log.read_text()
    assert f"{both.reference(placed)}: the parts are 5101 EUR, and 5100 is to be paid" in log


def test_friendpays_rules_decide_at_pretixs_payment_step(both: Both) -> None:
    with both.friendpay.stack.database() as database:
        database.execute(
            "INSERT INTO payments_rolloutrule (merchant_id, method, note, share, allowed_buyers, denied_buyers,"
            " excluded_categories, currencies, amount_currency, screens, created_at)"
            " SELECT id, 'friend', '', 10000, '[]', '[]', '[\"Tickets\"]', '[]', '', '[]', now() FROM orders_merchant"
            " WHERE name = 'Harbour Concerts'"
        )
    lin = Visitor(both.pretix)
    lin.fill_cart("Standing")
    try:
        assert "Ask a friend to pay" not in lin.reach_payment()
    finally:
        with both.friendpay.stack.database() as database:
            database.execute("DELETE FROM payments_rolloutrule")
    assert "Ask a friend to pay" in lin.reach_payment()


def test_a_paid_order_is_never_expired_by_pretix(both: Both) -> None:
    """Its time is over, and pretix has not heard that a friend paid."""
    placed = Visitor(both.pretix).order()
    with both.unheard():
        both.paid_unheard(placed)
        both.pretix.grow_older(placed.code, 6)
        both.pretix.run(EXPIRE)
        assert both.pretix.status(placed.code) == "n"
        both.pretix.run(EXPIRE, CATCH_UP)
        assert both.pretix.status(placed.code) == "p"
        both.pretix.run(EXPIRE, CATCH_UP)
    assert both.pretix.status(placed.code) == "p"
    assert "expired" not in both.pretix.log(placed.code)


def test_pretix_gives_an_order_up_only_after_nobody_can_pay_it(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    own_end = both.pretix.expires(placed.code) - timedelta(days=3)
    asked_until = both.order(placed)["expires_at"]
    assert asked_until.startswith(own_end.isoformat()[:13])

    both.pretix.grow_older(placed.code, 6)
    both.swap("address", "http://127.0.0.1:9")
    both.pretix.run()
    both.pretix.run()
    assert both.pretix.status(placed.code) == "n"  # a friend may be paying, and nobody can say

    both.swap("address", both.friendpay.address)
    both.pretix.run()
    assert both.order(placed)["status"] == "cancelled"
    assert both.pretix.payments(placed.code) == ["canceled"]
    assert both.pretix.expires(placed.code) == own_end - timedelta(days=6)
    both.pretix.run()
    assert both.pretix.status(placed.code) == "e"


def test_a_friend_who_pays_while_the_order_is_given_up_has_it_or_her_money(both: Both) -> None:
    for _time in range(3):
        placed = Visitor(both.pretix).order()
        link = both.link(placed)
        both.pretix.grow_older(placed.code, 6)
        with ThreadPoolExecutor() as pool:
            paying = pool.submit(pay, link)
            both.pretix.run(CATCH_UP, EXPIRE)
            paying.exception()  # she may be told that it is too late
        until(partial(both.decided, placed), "friendpay has decided")
        both.pretix.run(CATCH_UP)
        both.pretix.run(EXPIRE)
        if both.order(placed)["status"] == "paid":
            assert (both.pretix.status(placed.code), both.pretix.payments(placed.code)) == ("p", ["confirmed"])
            assert "expired" not in both.pretix.log(placed.code)
        else:
            assert (both.pretix.status(placed.code), both.pretix.payments(placed.code)) == ("e", ["canceled"])


@pytest.mark.parametrize("left", [True, False], ids=["seats left", "sold out"])
def test_money_for_an_order_given_up_long_ago_confirms_it_or_goes_back(both: Both, left: bool) -> None:
    """The shop was gone for longer than its orders are held."""
    placed = Visitor(both.pretix).order()
    with both.unheard():
        both.paid_unheard(placed)
        both.pretix.grow_older(placed.code, 20)
        both.pretix.rows("UPDATE pretixbase_quota SET size = ?", 100 if left else 0)
        both.pretix.run(EXPIRE)
        both.pretix.rows("UPDATE pretixbase_quota SET size = 100")
    if left:
        assert (both.pretix.status(placed.code), both.pretix.refunds(placed.code)) == ("p", [])
        return
    assert both.pretix.status(placed.code) == "e"
    assert "quotaexceeded" in both.pretix.log(placed.code)
    until(lambda: both.order(placed)["amount_refunded"] == 5100, "all of it went back")
    until(lambda: both.pretix.refunds(placed.code) == [("51.00", "done", "admin")], "and pretix was told")
    both.pretix.run()
    assert both.pretix.refunds(placed.code) == [("51.00", "done", "admin")]


def test_an_order_that_is_cancelled_can_be_paid_no_more(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    both.cancel(placed)
    assert (both.pretix.status(placed.code), both.pretix.payments(placed.code)) == ("c", ["canceled"])
    assert both.order(placed)["status"] == "cancelled"


def test_money_for_an_order_that_was_cancelled_meanwhile_goes_back(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    with both.unheard():
        both.paid_unheard(placed)
        both.cancel(placed)
        assert (both.pretix.status(placed.code), both.pretix.payments(placed.code)) == ("c", ["pending"])
        assert "payment.canceled.failed" in both.pretix.log(placed.code)

    both.friendpay.hurry_webhooks()
    until(lambda: both.order(placed)["amount_refunded"] == 5100, "it goes back")
    until(lambda: both.pretix.refunds(placed.code) == [("51.00", "done", "admin")], "and pretix was told")
    assert both.pretix.status(placed.code) == "c"


def test_refunds_of_the_organiser_go_back_in_part_and_whole(both: Both) -> None:
    placed = Visitor(both.pretix).order("Balcony")
    both.paid(placed)
    both.organiser.refund(placed.code, "28.50")
    until(lambda: both.order(placed)["amount_refunded"] == 2850, "a part went back")
    until(lambda: both.pretix.refunds(placed.code) == [("28.50", "done", "admin")], "pretix was told")
    both.organiser.refund(placed.code, "50.00")
    until(lambda: both.order(placed)["amount_refunded"] == 7850, "and the rest")
    until(lambda: [it[1] for it in both.pretix.refunds(placed.code)] == ["done", "done"], "pretix was told again")
    listed = both.friendpay.call(both.key, "GET", f"/refunds?order_reference={both.reference(placed)}")["data"]
    assert {it["merchant_reference"] for it in listed} == {f"HARBOUR-CONCERT-{placed.code}-R-{n}" for n in (1, 2)}
    both.pretix.run()
    assert both.order(placed)["amount_refunded"] == 7850


def test_a_refund_made_elsewhere_is_told_once(both: Both) -> None:
    placed = Visitor(both.pretix).order()
    both.paid(placed)
    both.friendpay.call(both.key, "POST", f"/orders/{both.order(placed)['id']}/refunds", {"amount": 1000})
    until(lambda: len(both.pretix.refunds(placed.code)) == 1, "pretix was told")
    both.friendpay.deliver_again(both.key, "refund.succeeded")
    assert both.pretix.refunds(placed.code) == [("10.00", "external", "external")]


def test_without_friendpay_the_shop_goes_on(both: Both) -> None:
    both.swap("address", "http://127.0.0.1:9")
    lin = Visitor(both.pretix)
    lin.fill_cart("Standing")
    try:
        shown = lin.reach_payment()
    finally:
        both.swap("address", both.friendpay.address)
    assert "Ask a friend to pay" not in shown
    assert "Please select how you want to pay" in shown


def test_a_copy_of_the_event_is_told_by_the_webhook_of_the_first(both: Both) -> None:
    both.pretix.python_says(COPY)
    copied = replace(both.pretix, slug="second")
    assert both.pretix.event != copied.event
    lin = Visitor(copied)
    lin.fill_cart("Matinee")
    lin.reach_payment()
    lin.choose_friend()
    placed = lin.confirm()
    pay(both.link(placed, event="SECOND"))
    until(lambda: both.pretix.status(placed.code) == "p", "pretix was told")


def test_it_speaks_chinese_here_and_there(both: Both) -> None:
    lin = Visitor(both.pretix, "zh-hans")
    lin.fill_cart("Standing", voucher="WELCOME")
    assert "请好友代付" in lin.reach_payment()
    lin.choose_friend()
    asked = both.order(placed := lin.confirm())
    assert (asked["locale"], asked["adjustments"][0]["name"]) == ("zh-hans", "优惠券 WELCOME")
    assert "正在等待好友付款" in lin.http.get(placed.url).text


def test_a_german_buyer_and_a_friend_with_browsers(both: Both, person: Callable[..., Person], friend: Person) -> None:
    buyer = person(DESK, both.pretix.event, locale="de-DE")
    buyer.go("/")
    buyer.page.locator("input[name^=item_]").first.fill("1")
    buyer.tap("Zum Warenkorb hinzufügen")
    buyer.tap("Zur Kasse")
    buyer.page.get_by_label("E-Mail").first.fill("lin@example.org")
    buyer.tap("Fortfahren")
    buyer.page.get_by_text("Jemand anders bezahlt").first.click()
    buyer.page.get_by_label("Ihr Name, wie man Sie kennt").fill("Lin")
    buyer.tap("Fortfahren")
    buyer.sees("Sobald Sie bestellt haben, bekommen Sie den Link")
    buyer.tap("Zahlungspflichtig bestellen")
    buyer.page.wait_for_url(f"{both.friendpay.address}/checkout/**")

    code = both.pretix.rows("SELECT code FROM pretixbase_order ORDER BY id DESC")[0][0]
    friend.go(both.link(Placed(code, "", "")))
    friend.sees("Lin")
    friend.tap("Pay €78.50 with Sandbox wallet")
    friend.tap("Approve €78.50")
    until(lambda: both.pretix.status(code) == "p", "pretix was told")
    buyer.tap("Zurück zu Harbour Concerts")
    buyer.page.wait_for_url(f"{both.pretix.event}/order/**")
    buyer.sees("bezahlt")
