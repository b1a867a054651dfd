"""Every public page in every state, made of its typed page: nothing has to be lived, and no state is out of reach."""

from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.shortcuts import render

from friendpay.kit import rendering
from friendpay.kit.money import Money
from friendpay.kit.rendering import Page
from orders.shop.pages import BasketPage, Item, ShopPage
from payments.models import PaymentRequest, Report
from payments.pages import fields, money_back
from payments.pages.attempts import Held, Mine, Was
from payments.pages.buyer_page import BuyerPage, Paid, Waiting, Ways
from payments.pages.buyer_page import State as BuyerState
from payments.pages.buyer_pay_page import BuyerPayPage
from payments.pages.buyer_receipt_page import BuyerReceiptPage
from payments.pages.by_mail import ByMail
from payments.pages.embed_page import EmbedPage
from payments.pages.forms import (
    AddressForm,
    CodeForm,
    DeclineForm,
    MessageForm,
    PartsForm,
    PayForm,
    ReportForm,
    SharesForm,
    ThanksForm,
)
from payments.pages.frame import Adjusted, Basket, Given, Holder, Line, Live, Shop
from payments.pages.friend_asking import Asking, Time
from payments.pages.friend_page import CAN_PAY, FriendPage
from payments.pages.friend_page import State as FriendState
from payments.pages.gate import GatePage
from payments.pages.login import TapAgain
from payments.pages.paid_parts import Payer, Refunded
from payments.pages.part import Part
from payments.pages.progress import FAILURES, Progress, Stage
from payments.pages.receipt_page import ReceiptPage
from payments.pages.receipt_page import State as ReceiptState
from payments.pages.scan_page import ScanPage
from payments.pages.shares import ShareRow
from payments.pages.sheet import Sheet
from payments.pages.small_pages import OpenPage, ReportPage, StopMailPage
from payments.pages.wallets import Wallets, Way
from payments.share import phrases, safety_words
from payments.share.crawlers import PreviewedShop, PreviewPage
from payments.share.text import Target
from sandbox.views import WalletPage

NOW = datetime(2026, 11, 27, 3, 8, tzinfo=UTC)
TOMORROW, SOON = NOW + timedelta(days=1), NOW + timedelta(minutes=4)
LINK = "https://friendpay.example/p/V6t0dGSbMbHkqKQzG9DqTw/"
WRONG = ("Enter between CN¥1.00 and CN¥90.00.",)
ERRORS = ("400", "403", "403_csrf", "404", "405", "413", "429", "500")


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


SHOP = Shop("Harbour Tea", "help@harbourtea.example", "", True, "Harbour Tea Trading Ltd", "https://harbourtea.example")
UNKNOWN_SHOP = replace(SHOP, is_verified=False, site="", legal_name="", contact="+86 20 5550 1234")
BASKET = Basket(
    lines=(Line("Spring oolong, 100\u00a0g", "", cny(9000), ""), Line("Gaiwan, 110\u00a0ml", "× 2", cny(8000), "")),
    adjustments=(Adjusted("Delivery", cny(1500)), Adjusted("Voucher", cny(-9500))),
    included=(Adjusted("VAT", cny(1200)),),
    total=cny(9000),
)
MEI = Holder("Mei", SOON)
GIVEN = (Given("Mei", cny(2000)), Given("", cny(1000)))
SHARES = tuple(
    ShareRow(number, name, cny(amount), paid, f"{LINK}?share={number}", f"{name}, could you pay? {LINK}")
    for number, name, amount, paid in ((1, "Mei", 4000, True), (2, "Jun", 4000, False), (3, "Lin", 1000, False))
)
WAYS = tuple(
    Way(method, label, method == "card", shop, f"payments/marks/{mark}.svg")
    for method, label, shop, mark in (
        ("wechatpay", "WeChat Pay", "", "wechatpay"),
        ("card", "Card", "", "card"),
        ("house", "Harbour Tea checkout", "Harbour Tea", "wallet"),
    )
)
HINTS = ("WeChat can't open Alipay here: copy the link and open it in your browser.",)
REFUNDS = (
    Refunded(cny(500), True, False, NOW, "by the shop"),
    Refunded(cny(600), False, False, NOW, "came too late", "Mei"),
    Refunded(cny(700), False, True, NOW, "the shop decided"),
)
BACKS = tuple(money_back.Back(cny(9000), where, "The request was cancelled.") for where in money_back.Where)
MINE = Mine("wechatpay", "WeChat Pay", False, cny(9000), SOON, "/pay/x/", "/r/x/", False, SOON, False, SOON, "")
LATE = replace(MINE, ends_at=NOW + timedelta(seconds=100), more="/pay/x/more-time/")


def live(status: str = "open", **more: Any) -> Live:
    told = {"ends_at": TOMORROW, "ends_soon": False, "amount": cny(9000), "paid": cny(0), "holder": None, **more}
    return Live(seq=7, status=status, **told)


def wrong(field: fields.Field) -> fields.Field:
    return replace(field, value="no good", errors=WRONG)


def every() -> Iterator[tuple[str, Page]]:
    """Each state by its name, in the language that is active."""
    yield from _friend()
    yield from _buyer()
    yield from _buyer_pays()
    yield from _receipts()
    yield from _small()


def _friend() -> Iterator[tuple[str, Page]]:
    common: dict[str, Any] = {"now": NOW, "token": "t", "buyer": "Lin", "basket": BASKET, "amount": cny(9000)}
    common |= {"missing": cny(9000), "safety_words": safety_words.of("t"), "url": "/p/t/", "shares": (), "share": None}
    common |= {"message": "Could you get this for me? I'll cook on Sunday.", "given": (), "over": False}
    common |= {"unopened": True, "in_parts": False, "live": live(), "watched": True}
    asking = Asking(
        wallets=Wallets(WAYS, HINTS, LINK),
        mine=None,
        held=None,
        part=None,
        missing=cny(9000),
        check=False,
        name=fields.empty(PayForm, "name"),
        note=fields.empty(DeclineForm, "note"),
        address=fields.empty(AddressForm, "address"),
        declines=tuple((key, str(words)) for key, words in phrases.DECLINES.items()),
        pass_text=LINK,
        times=(Time("1h", "In 1 hour"), Time("4h", "In 4 hours")),
        reminder=None,
        by_calendar=True,
        by_mail=True,
    )
    page = FriendPage(state=FriendState.OPEN, shop=SHOP, asking=asking, replaced=False, hint="", **common)
    for state in FriendState:
        if state not in CAN_PAY:
            yield f"friend-{state}", replace(page, state=state, asking=None, paid=cny(9000), receipt="/r/x/")
    thanks = replace(page, state=FriendState.THANKS, asking=None, paid=cny(9000), receipt="/r/x/", thanks="Thank you!")
    yield "friend-thanked", thanks
    yield "friend-expired-for-good", replace(page, state=FriendState.EXPIRED, asking=None, over=True)
    for back in BACKS:
        yield f"friend-back-{back.where}", replace(page, state=FriendState.RETURNED, asking=None, back=back)
    yield "friend-open", page
    yield "friend-replaced", replace(page, state=FriendState.CANCELLED, asking=None, replaced=True)
    for hint in PaymentRequest.Hint:
        yield f"friend-hint-{hint}", replace(page, hint=str(hint))
    yield "friend-plain", replace(page, message="", shop=UNKNOWN_SHOP, live=live(ends_at=SOON, ends_soon=True))
    for accent in ("#ffe14d", "#0b7a4b", "#d21f3c", "#101010"):
        yield f"friend-{accent[1:]}", replace(page, accent=accent)
    for said in ("no", "unpaid"):
        yield f"friend-said-{said}", replace(page, said=said)
    yield "friend-refused", replace(page, refusal="This wallet refused. Nothing was paid; please choose another.")
    for late in (True, False):
        yield f"friend-was-{late}", replace(page, was=Was(late, "/r/x/"))
    asked: dict[str, dict[str, Any]] = {
        "check": {"check": True},
        "reminded": {"reminder": TOMORROW},
        "mistakes": {it: wrong(getattr(asking, it)) for it in ("name", "note", "address")},
        "one-way": {"wallets": Wallets(WAYS[1:2], (), LINK)},
        "elsewhere": {"wallets": Wallets((), HINTS, LINK)},
        "no-way": {"wallets": Wallets((), (), LINK)},
        "at-the-shop": {"wallets": Wallets(WAYS[2:], (), LINK)},
    }
    for name, more in asked.items():
        yield f"friend-{name}", replace(page, asking=replace(asking, **more))
    for free_at, contested in ((SOON, False), (None, False), (None, True)):
        held = replace(asking, held=Held(free_at, contested))
        name = f"friend-held-{free_at is not None}-{contested}"
        yield name, replace(page, state=FriendState.HELD, asking=held, live=live(holder=MEI))
    for mine in (MINE, replace(MINE, by_card=True, aside=True, yields=True)):
        own = replace(asking, mine=mine)
        yield f"friend-mine-{mine.aside}", replace(page, state=FriendState.MINE, asking=own)
    yield "friend-mine-late", replace(page, state=FriendState.MINE, asking=replace(asking, mine=LATE))
    part = Part(
        fields.empty(PayForm, "amount").holding("30.00"), cny(3000), (cny(2000), cny(3000), cny(6000)), cny(100)
    )
    given: dict[str, Any] = {"in_parts": True, "given": GIVEN, "missing": cny(6000), "live": live(paid=cny(3000))}
    chip_in = replace(page, asking=replace(asking, part=part), **given)
    yield "friend-part", chip_in
    broken = replace(asking, part=replace(part, field=wrong(part.field), sum=None))
    yield "friend-part-wrong", replace(chip_in, asking=broken)
    yield "friend-part-mine", replace(chip_in, state=FriendState.MINE, asking=replace(asking, mine=MINE))
    yield "friend-shares", replace(page, shares=SHARES)
    yield "friend-share", replace(page, shares=SHARES, share=SHARES[1], missing=cny(4000))


def _buyer() -> Iterator[tuple[str, Page]]:
    ways = Ways(may_ask=True, stopped=False, may_pay=True)
    page = BuyerPage(
        now=NOW, url="/checkout/o/", token="t", shop=SHOP, buyer="Lin", state=BuyerState.CHOOSE, order="o",
        reference="HT-1001", total=cny(9000), basket=BASKET, pay_until=TOMORROW, to_shop="https://shop.example/",
        ways=ways,
    )  # fmt: skip
    shown = {it.name: getattr(page, it.name) for it in dataclass_fields(page)}
    embed = EmbedPage(origin="https://shop.example", **shown)
    without: dict[str, dict[str, Any]] = {
        "choose": {},
        "choose-late": {"was": Was(True, "/r/x/"), "mine": MINE},
        "choose-mine-late": {"mine": LATE},
        "choose-refused": {"refusal": "You have asked often in the last hour. Please wait a while."},
        "choose-stopped": {"ways": Ways(may_ask=False, stopped=True, may_pay=True)},
        "choose-nothing": {"ways": Ways(may_ask=False, stopped=False, may_pay=False)},
        "ended-expired": {"ended": "expired"},
        **{f"ended-cancelled-{back.where}": {"ended": "cancelled", "back": back} for back in BACKS},
        "cancelled": {"state": BuyerState.CANCELLED},
        "expired": {"state": BuyerState.EXPIRED, "back": BACKS[0]},
    }
    for name, more in without.items():
        yield f"buyer-{name}", replace(page, **more)
        yield f"embed-{name}", replace(embed, **more)
    waiting = _waiting()
    for stage in Stage:
        progress = Progress(stage, SOON, str(FAILURES["payment.failed"]) % {"payer": "Mei"}, NOW)
        trying = stage is Stage.TRYING
        told_of: dict[str, Any] = {
            "state": BuyerState.WAITING,
            "waiting": replace(waiting, progress=progress, opened_at=NOW, by_hand=trying, begun=trying),
            "live": live(holder=MEI if trying else None, paid=cny(3000 if stage is Stage.PARTLY else 0)),
            "given": GIVEN if stage is Stage.PARTLY else (),
            "mine": MINE if stage is Stage.OWN else None,
            "watched": True,
        }
        yield f"buyer-{stage}", replace(page, **told_of)
        yield f"embed-{stage}", replace(embed, **told_of)
        if stage is Stage.OWN:
            yield f"buyer-{stage}-late", replace(page, **{**told_of, "mine": LATE})
    shared = replace(page, state=BuyerState.WAITING, waiting=waiting, live=live(), watched=True)
    mistakes: dict[str, Any] = {
        it: wrong(getattr(waiting, it)) for it in ("message_field", "friends_field", "shares_field")
    }
    for name, told in {
        "plain": replace(waiting, message="", friends=None, least=None, may_extend=False, by_mail=None, no=None),
        "shares": replace(waiting, shares=SHARES, begun=True),
        "mistakes": replace(waiting, **mistakes),
        "wechat": replace(waiting, card="https://x.test/wx.js", sheet=replace(waiting.sheet, by_copying=True)),
        "mail": replace(waiting, by_mail=ByMail("l…@example.com", wrong(fields.empty(AddressForm, "address")))),
    }.items():
        yield f"buyer-shared-{name}", replace(shared, waiting=told, said="saved")
    paid = Paid(
        payers=(Payer("Mei", cny(8000), NOW), Payer("A friend", cny(1000), NOW)),
        refunds=REFUNDS,
        thanks="",
        may_thank=True,
        sentences=tuple((key, str(words)) for key, words in phrases.THANKS.items()),
        words=wrong(fields.empty(ThanksForm, "words")),
    )
    for name, how in {"paid": paid, "thanked": replace(paid, thanks="Thank you so much!")}.items():
        done = replace(page, state=BuyerState.PAID, paid=how, live=live("paid"))
        yield f"buyer-{name}", done
        yield f"buyer-{name}-stays", replace(done, to_shop="")
    receipt = BuyerReceiptPage(
        now=NOW, shop=SHOP, buyer="Lin", order="o", reference="HT-1001", total=cny(9000), basket=BASKET, to_shop="",
        paid_at=NOW, payers=paid.payers, refunds=REFUNDS,
    )  # fmt: skip
    yield "buyers-receipt", receipt
    yield "gate", GatePage(shop=SHOP, order="o", link=LINK)


def _waiting() -> Waiting:
    targets = (Target("whatsapp", "WhatsApp", "https://wa.me/"), Target("wechat", "WeChat", "weixin://"))
    return Waiting(
        sheet=Sheet(LINK, "7K3M-9QXX", (("7", "seven"), ("K", "Kilo")), f"Pay? {LINK}", "pay.test", targets, False),
        safety_words=safety_words.of("t"),
        progress=Progress(Stage.SHARED),
        no="Sorry, I can't this time.",
        shared_at=NOW,
        opened_at=None,
        message="I'll cook on Sunday.",
        message_field=fields.empty(MessageForm, "message"),
        friends=3,
        friends_field=fields.empty(PartsForm, "friends"),
        least=cny(1000),
        shares=(),
        shares_field=fields.empty(SharesForm, "shares"),
        begun=False,
        by_hand=False,
        may_extend=True,
        card="",
        by_mail=ByMail("", fields.empty(AddressForm, "address")),
    )  # fmt: skip


def _buyer_pays() -> Iterator[tuple[str, Page]]:
    page = BuyerPayPage(
        now=NOW, url="/checkout/o/pay/", token="t", shop=SHOP, buyer="Lin", live=live(), order="o", reference="HT-1001",
        price=cny(9000), missing=cny(9000), in_parts=False, to_shop="https://shop.example/", may_ask=True,
        wallets=Wallets(WAYS, HINTS, LINK), by_code=WAYS[:2], held=None,
    )  # fmt: skip
    yield "pay", page
    yield "pay-refused", replace(page, refusal="This wallet refused. Nothing was paid; please choose another.")
    yield "pay-nothing", replace(page, wallets=Wallets((), (), LINK), by_code=())
    yield "pay-by-code", replace(page, wallets=Wallets((), HINTS, LINK), in_parts=True)
    for held in (Held(SOON, False), Held(None, False), Held(None, True)):
        yield f"pay-held-{held.free_at is not None}-{held.contested}", replace(page, held=held, live=live(holder=MEI))


def _receipts() -> Iterator[tuple[str, Page]]:
    page = ReceiptPage(
        now=NOW, url="/r/x/", token="t", shop=SHOP, buyer="Lin", live=live("paid"), state=ReceiptState.PAID,
        payment="x", number="R-8FHC-Y23N", wallets_number="4200002027202611271234567890", wallet="WeChat Pay",
        by_card=False, by_buyer=False, order="", amount=cny(9000), basket=BASKET, paid_at=NOW, disputed=None,
        refunds=(), back=None, back_url="/p/t/", to_shop="", late=False, aside=False, taken=False, in_parts=False,
        given=(), thanks="", by_mail=ByMail("", fields.empty(AddressForm, "address")),
    )  # fmt: skip
    yield "receipt", page
    yield "receipt-thanked", replace(page, thanks="Thank you so much!", refunds=REFUNDS, disputed=cny(900))
    yield "receipt-buyer", replace(page, by_buyer=True, order="o", to_shop="https://shop.example/")
    yield "receipt-part", replace(page, in_parts=True, given=GIVEN, live=live(paid=cny(3000)))
    for back in BACKS:
        gone = replace(page, state=ReceiptState.RETURNED, back=back, refunds=REFUNDS)
        yield f"receipt-back-{back.where}", gone
    for by_card in (True, False):
        now = replace(page, paid_at=None, by_mail=None, by_card=by_card, live=live())
        for state in (ReceiptState.WAITING, ReceiptState.UNPAID):
            for late, taken in ((False, False), (True, True)):
                told = replace(now, state=state, late=late, taken=taken, aside=not late)
                yield f"receipt-{state}-{by_card}-{late}", told
    scan = ScanPage(
        now=NOW, url="/pay/x/", token="t", shop=SHOP, buyer="Lin", live=live(), payment="x", wallet="WeChat Pay",
        method="wechatpay", payer="Mei", amount=cny(9000), price=cny(9000), in_parts=True, share=2, has_code=True,
        params="", stand_in="https://wallet.example/scan", page_url="/p/t/pay/", back_url="/p/t/", ends_at=SOON,
        is_over=False, aside=True, yields_at=SOON, yields=False, more_from=SOON, more="",
    )  # fmt: skip
    yield "scan", scan
    yield "scan-late", replace(scan, ends_at=LATE.ends_at, more=LATE.more)
    yield "scan-over", replace(scan, is_over=True, page_url="", stand_in="")
    yield "sheet-of-the-wallet", replace(scan, has_code=False, params="{}", aside=False)


def _small() -> Iterator[tuple[str, Page]]:
    code = OpenPage(url="/open/", text=fields.empty(CodeForm, "text"))
    yield "open", code
    yield "open-wrong", replace(code, text=wrong(code.text))
    reasons = tuple((key, str(label)) for key, label in Report.Reason.choices)
    words = fields.empty(ReportForm, "words")
    report = ReportPage(
        token="t", shop=UNKNOWN_SHOP, buyer="Lin", is_sent=False, reasons=reasons, chosen="", error="", words=words
    )
    yield "report", report
    yield "report-wrong", replace(report, error="Please choose what is wrong.", words=wrong(words), refusal=WRONG[0])
    yield "reported", replace(report, is_sent=True)
    for stopped in (True, False):
        yield f"stop-mail-{stopped}", StopMailPage(stopped=stopped)
    yield "tap-again", TapAgain()
    yield "preview", PreviewPage(shop=PreviewedShop("Harbour Tea", ""))
    goods = tuple(
        Item("gaiwan", "Porcelain gaiwan", "Painted by hand", "orders/gaiwan.svg", cny(8000), it) for it in (0, 2)
    )
    for count in (0, 2):
        shelf: dict[str, Any] = {"name": "Harbour Tea", "customer": "Lin", "goods": goods, "count": count}
        yield f"shop-{count}", ShopPage(total=cny(8000 * count), **shelf)
        yield f"basket-{count}", BasketPage(total=cny(8000 * count), **shelf)
    for status in ("open", "paid", "refused", "closed"):
        yield (
            f"wallet-{status}",
            WalletPage(status=status, amount="CN¥90.00", subject="Harbour Tea", return_url="https://shop.example/"),
        )


def drawn(request: Any) -> Iterator[tuple[str, str, str]]:
    """Each state with its source and the colour of its shop; and the pages of errors, which are of no type."""
    for name, page in every():
        yield name, rendering.drawn(request, replace(page, url=page.url or f"/{name}/")), page.accent
    for name in ERRORS:
        yield name, render(request, f"{name}.html").content.decode(), ""
