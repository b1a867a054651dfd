"""Alipay: a code to scan, the jump from a phone's browser, and Alipay's own page.

A notification is only ever a hint. Its signed text can be split into fields in more than one way, so no amount, order
or status in it is believed: `fetch` asks Alipay over a verified call.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo

from payments.wallets import transport
from payments.wallets.about import App, Credential, gettext_noop
from payments.wallets.alipay import bill
from payments.wallets.alipay import reading as reading
from payments.wallets.alipay.credentials import FIELDS
from payments.wallets.alipay.gateway import TIME_FORMAT, call, download, page_url, private_key, public_key, setting
from payments.wallets.base import (
    BEIJING,
    DESKTOP,
    PHONE,
    Account,
    BillLine,
    Method,
    NextStep,
    NoBill,
    Notification,
    Outcome,
    ProviderError,
    Rail,
    RefundOrder,
    Reply,
    Start,
    State,
)

_CODES = {"order_code": "QR_CODE_OFFLINE", "face_to_face": "FACE_TO_FACE_PAYMENT"}
"""The products that a code to scan can be of, the better one first."""

_PAGES = {
    "h5": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
}
_NO_PRODUCT = r"insufficient-isv-permissions|ACCESS_FORBIDDEN|INSUFFICIENT_PERMISSIONS"

_TRADE_NOT_EXIST = "ACQ.TRADE_NOT_EXIST"
_TRADE_STATES = {
    "WAIT_BUYER_PAY": State.PENDING,
    "TRADE_SUCCESS": State.SUCCEEDED,
    "TRADE_FINISHED": State.SUCCEEDED,
    "TRADE_CLOSED": State.FAILED,
}


class Alipay:
    """The open platform in public-key mode. Takes CNY."""

    name = "alipay"
    label = gettext_noop("Alipay")
    app: App | None = App(gettext_noop("Alipay"), sign="alipayclient")
    methods: tuple[Method, ...] = (
        Method(
            "alipay",
            gettext_noop("Alipay"),
            currencies=frozenset({"CNY"}),
            rails={"alipay": (Rail.H5,), PHONE: (Rail.H5,), DESKTOP: (Rail.NATIVE, Rail.REDIRECT)},
        ),
    )
    rails: tuple[Rail, ...] = (Rail.NATIVE, Rail.H5, Rail.REDIRECT)
    grants: Mapping[str, str] = {
        "order_code": "订单码支付",
        "face_to_face": "当面付",
        "page": "电脑网站支付",
        "h5": "手机网站支付",
    }
    max_hold = 2 * 60 * 60  # a code to scan lives that long at most
    min_hold = 2 * 60  # Alipay takes a minute or more, and the call takes its time too
    hold = 5 * 60
    yields_after = 1 * 60
    zone: tzinfo = BEIJING
    fields: Mapping[str, Credential] = FIELDS
    pages: tuple[str, ...] = ("https://*.alipay.com", "https://*.alipaydev.com")
    run_by_shop = False
    identity: tuple[str, ...] = ("app_id", "seller_id", "base_url")
    identity_key: str = ""
    knows_from_start: bool = False  # no trade before the payer has scanned the code or logged in (A7)
    refund_gap = 4  # Alipay asks for three (A12), by its own clock
    steps: Mapping[str, int] = {}

    def lacks(self, account: Account, rail: Rail) -> str:
        """A code takes one of two products: one is made for shops online, the other for tills (A11)."""
        if rail is Rail.NATIVE:
            return "" if account.granted & _CODES.keys() else "code_not_granted"
        grant = "h5" if rail is Rail.H5 else "page"
        return "" if grant in account.granted else f"{grant}_not_granted"

    def ends_at(self, account: Account) -> datetime | None:
        return None

    def start(self, account: Account, start: Start) -> NextStep:
        """Open an attempt. Raises ValueError for a subject that may hold anybody else's words, and for other money."""
        if not re.fullmatch(r"[\w \-]{1,128}", start.subject):
            raise ValueError("a subject is made of letters, digits, spaces and hyphens")
        if start.amount.currency != "CNY":
            raise ValueError("Alipay takes CNY")
        order = {
            "out_trade_no": start.reference,
            "total_amount": str(start.amount.decimal),
            "subject": start.subject,
            "time_expire": start.deadline.astimezone(BEIJING).strftime(TIME_FORMAT),
        }
        if start.rail is Rail.NATIVE:
            order["product_code"] = _code_product(account)
            node = call(account, "alipay.trade.precreate", order, notify_url=start.notify_url)
            reading.same(node, "out_trade_no", start.reference)
            return NextStep(Rail.NATIVE, code=reading.text(node, "qr_code"))
        if start.rail is Rail.H5:
            method, order["product_code"] = _PAGES["h5"]
            order["quit_url"] = start.cancel_url
        elif start.rail is Rail.REDIRECT:
            method, order["product_code"] = _PAGES["page"]
        else:
            raise ValueError(f"Alipay has no {start.rail} rail")
        url = page_url(account, method, order, notify_url=start.notify_url, return_url=start.return_url)
        return NextStep(start.rail, url=url)

    def fetch(self, account: Account, reference: str, session: str = "") -> Outcome:
        """Ask where a charge stands. UNKNOWN until the payer has scanned the code or logged in; it can yet be paid."""
        try:
            node = call(account, "alipay.trade.query", {"out_trade_no": reference})
        except ProviderError as error:
            if error.code == _TRADE_NOT_EXIST:
                return Outcome(State.UNKNOWN, reference, code=error.code, message=error.message)
            raise
        reading.same(node, "out_trade_no", reference)
        status = reading.text(node, "trade_status")
        state = _TRADE_STATES.get(status, State.UNKNOWN)
        if state is not State.SUCCEEDED:
            return Outcome(state, reference, code=status)
        return Outcome(
            state,
            reference,
            provider_ref=reading.text(node, "trade_no"),
            amount=reading.money(node, "total_amount"),
            code=status,
        )

    def close(self, account: Account, reference: str, session: str = "") -> Outcome:
        """Close the trade, then ask. An order nobody has scanned yet cannot be closed: UNKNOWN until its deadline.

        Never `trade.cancel`, which refunds a paid trade.
        """
        try:
            call(account, "alipay.trade.close", {"out_trade_no": reference})
        except ProviderError as error:
            if not error.permanent:
                raise
        return self.fetch(account, reference)

    def refund(self, account: Account, refund: RefundOrder) -> Outcome:
        """Send money back. Alipay answers "no change in funds" to a repeat, so that is looked up, never believed."""
        node = call(
            account,
            "alipay.trade.refund",
            reading.named(refund.charge, refund.charge_ref)
            | {
                "out_request_no": refund.reference,
                "refund_amount": str(refund.amount.decimal),
                "refund_reason": " ".join(re.sub(r"[^\w \-]+", " ", refund.reason).split())[:100],
            },
        )
        reading.speaks_of(node, refund.charge, refund.charge_ref)
        if node.get("fund_change") == "Y":
            number = reading.text(node, "trade_no")
            return Outcome(State.SUCCEEDED, refund.reference, provider_ref=number, amount=refund.amount)
        try:
            outcome = self.fetch_refund(
                account, reference=refund.reference, charge=refund.charge, charge_ref=refund.charge_ref
            )
        except ProviderError as error:  # the refund itself was taken: a failing question must not fail it
            return Outcome(State.PENDING, refund.reference, code=error.code, message=error.message)
        if outcome.state is State.UNKNOWN:
            return Outcome(State.PENDING, refund.reference, code="fund_change=N")
        return outcome

    def fetch_refund(self, account: Account, *, reference: str, charge: str, charge_ref: str = "") -> Outcome:
        """Ask where a refund stands. UNKNOWN: Alipay has none by this reference; sending it again is safe."""
        question = reading.named(charge, charge_ref) | {"out_request_no": reference}
        try:
            node = call(account, "alipay.trade.fastpay.refund.query", question)
        except ProviderError as error:
            if error.code == _TRADE_NOT_EXIST:
                return Outcome(State.UNKNOWN, reference, code=error.code, message=error.message)
            raise
        status = str(node.get("refund_status", ""))
        if status != "REFUND_SUCCESS":
            return Outcome(State.PENDING if status else State.UNKNOWN, reference, code=status)
        reading.same(node, "out_request_no", reference)
        reading.speaks_of(node, charge, charge_ref)
        return Outcome(
            State.SUCCEEDED,
            reference,
            provider_ref=reading.text(node, "trade_no"),
            amount=reading.money(node, "refund_amount"),
            code=status,
        )

    def read_notification(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notification:
        return reading.notification(account, headers, body, now)

    def acknowledge(self) -> Reply:
        """Exactly these seven bytes, else Alipay sends it again."""
        return Reply(200, b"success")

    def bill(self, account: Account, day: date) -> Iterable[BillLine]:
        """One day in GMT+8, which Alipay has ready by noon of the next, at the latest as a rule."""
        question = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            node = call(account, "alipay.data.dataservice.bill.downloadurl.query", question)
        except ProviderError as error:
            if error.code == "isp.bill_not_exist":
                raise NoBill(error.message, code=error.code) from error
            raise
        if node.get("bill_file_code") == "EMPTY_DATA_WITH_BILL_FILE":
            return []  # there is a file, without a table of trades in it
        try:
            return bill.read(download(reading.text(node, "bill_download_url")))
        except ValueError as error:
            raise ProviderError(str(error), permanent=False, code="unreadable") from error

    def check(self, account: Account) -> str:
        """Ask about an order that is not there, and try each product the account is said to have, with an order of 0.01
        that nobody is shown. It proves the app and both keys; `seller_id` only a payment proves.
        """
        if private_key(account).public_key() == public_key(account):
            raise ProviderError(
                "alipay_public_key is your own public key: paste the one that Alipay shows in exchange for it",
                permanent=True,
                code="configuration",
            )
        self.fetch(account, "friendpay_check")
        known = f"Alipay knows app {setting(account, 'app_id')} and its signature, and its own answer verifies."
        tried = [f"{label} {_tried(account, name)}." for name, label in self.grants.items() if name in account.granted]
        return " ".join([known, *tried])


def _tried(account: Account, grant: str) -> str:
    """Whether a product works. An order is no trade before somebody opens it, and this one lapses unseen."""
    order = {
        "out_trade_no": f"check{secrets.token_hex(10)}",
        "total_amount": "0.01",
        "subject": "check",
        "time_expire": (datetime.now(BEIJING) + timedelta(minutes=2)).strftime(TIME_FORMAT),
    }
    if product := _CODES.get(grant):
        try:
            call(account, "alipay.trade.precreate", order | {"product_code": product})
        except ProviderError as error:
            return f"is refused: {error.message} ({error.code})"
        return "works"
    method, product = _PAGES[grant]
    away = {"quit_url": "https://example.com/"} if grant == "h5" else {}
    answer = transport.call("GET", page_url(account, method, order | {"product_code": product} | away))
    said = answer.body.decode(errors="replace") + answer.headers.get("location", "")
    if answer.status >= 400 or (refused := re.search(_NO_PRODUCT, said, re.I)):
        return f"is refused ({refused[0] if answer.status < 400 and refused else answer.status})"
    return "opens"


def _code_product(account: Account) -> str:
    """The better of the products the account has for a code to scan."""
    for name, product in _CODES.items():
        if name in account.granted:
            return product
    raise ProviderError("the account has no product for a code", permanent=True, code="configuration")
