"""Template context of every page: it only reads; the state a template draws is named here, and nowhere else."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from friendpay.kit import clock
from orders.models import Event, Order
from payments.live import snapshot as live
from payments.mail import outbox as mail
from payments.models import MailAddress, Payment, PaymentRequest, Refund
from payments.offers import weighing as offers
from payments.offers.rollout import Case
from payments.offers.weighing import Offer, Surface, label
from payments.pages import attempts, progress
from payments.pages.wallets import APPS, ELSEWHERE
from payments.settlement import turns
from payments.share import phrases
from payments.share import text as sharing
from payments.wallets.base import Rail


def buyer_page(order: Order, visitor: str, surface: Surface) -> dict[str, Any]:
    """The buyer's page: `state` is choose, waiting, paid, cancelled or expired; `ended`: how the last request was."""
    now = clock.now()
    payment_request = order.payment_requests.select_related("merchant").order_by("-id").first()
    status = payment_request.status_at(now) if payment_request else ""
    given: dict[str, Any] = {"order": order, "shop": order.merchant, "lines": order.lines.all()}
    given |= {"payment_request": payment_request, "ended": ""}
    if payment_request and order.status == Order.Status.AWAITING_PAYMENT:  # of its end, too, the page is to hear
        given |= {"watch": True, "live": live.snapshot(payment_request, now)}
    if order.status == Order.Status.PAID:
        return given | {"state": "paid"} | _given(order) | _thanks(order)
    if order.status == Order.Status.CANCELLED:
        return given | {"state": "cancelled"}
    if payment_request is None or status != PaymentRequest.Status.OPEN:
        back = (
            _back(list(Refund.objects.standing().filter(payment__request=payment_request))) if payment_request else {}
        )
        if order.status == Order.Status.EXPIRED or order.is_over(now):
            return given | {"state": "expired"} | back
        return given | {"state": "choose", "ended": status} | back | _ways(order, surface)
    if not payment_request.shared_at:
        return given | {"state": "choose"} | _ways(order, surface) | attempts.mine(payment_request, visitor, now)
    payment_request.order = order
    return {
        **given,
        **attempts.mine(payment_request, visitor, now),
        **_mail(order=order, role=MailAddress.Role.BUYER),
        "state": "waiting",
        **sharing.sheet(payment_request, in_wechat=surface.place == "wechatpay"),
        "declines": _declines(payment_request),
        "parts": _parts(payment_request),
        "progress": progress.of(payment_request, given["live"], now),
    }


def buyer_receipt(order: Order) -> dict[str, Any]:
    """The buyer's own receipt: who paid and what went back, never from or to which account."""
    given: dict[str, Any] = {"order": order, "shop": order.merchant, "lines": order.lines.all()}
    return given | _given(order)


def _mail(**about: Any) -> dict[str, Any]:
    """Whether an address may be given here, and the one that was, as far as its owner needs to know it again."""
    if not mail.offered():
        return {"mail_offered": False}
    row = MailAddress.objects.filter(**about).exclude(address="").last()
    return {"mail_offered": True, "mail_known": row.veiled if row else ""}


def _given(order: Order) -> dict[str, Any]:
    """What was paid for a paid order, and what the shop sent back of it."""
    payments = list(Payment.objects.filter(request__order=order, amount_applied__gt=0))
    by_shop = (
        Refund.objects.standing().filter(payment__in=payments, reason=Refund.Reason.MERCHANT).select_related("payment")
    )
    return {"payments": payments, "refunds": list(by_shop)}


def _thanks(order: Order) -> dict[str, Any]:
    """The buyer's thank-you, and whether there is still somebody to thank."""
    said = Event.objects.filter(order=order, type="payment_request.thanked").values_list("data", flat=True).last()
    friends = Payment.objects.filter(request__order=order, amount_applied__gt=0, by_buyer=False)
    return {"thanks": phrases.said(said) if said else "", "may_thank": not said and friends.exists()}


def _ways(order: Order, surface: Surface) -> dict[str, Any]:
    """What the buyer can do about an order nobody was asked to pay."""
    why_not = offers.why_not_friend(Case.of(order), surface)
    stopped = why_not is not None and why_not.code == "buyer_stopped"
    return {"may_ask": why_not is None, "stopped": stopped, **_wallets(order, surface)}


def _back(refunds: list[Refund], disputed: int = 0) -> dict[str, Any]:
    """Money that goes back: how much, and where it is, which its own status says and nothing else: with the payer
    ("there"), on its way, refused by a wallet ("stuck"), or with the bank she asked for it ("bank").
    """
    if disputed and not refunds:
        return {"back_sum": disputed, "back_is": "bank"}
    if any(refund.status == Refund.Status.FAILED for refund in refunds):
        where = "stuck"
    else:
        where = "there" if all(refund.is_back for refund in refunds) else "on_its_way"
    return {"back_sum": sum(refund.amount for refund in refunds), "back_is": where if refunds else ""}


def _parts(payment_request: PaymentRequest) -> list[Payment]:
    """Who gave what, where several friends pay together."""
    return list(payment_request.payments.filter(amount_applied__gt=0)) if payment_request.split_max_payers else []


def _declines(payment_request: PaymentRequest) -> list[dict[str, Any]]:
    """The last kind line: whatever strangers write, the buyer's page says no more of it than one."""
    events = Event.objects.filter(request=payment_request.public_id, type="payment_request.declined").order_by("-id")
    return [{"words": phrases.said(data)} for data in events.values_list("data", flat=True)[:1]]


def buyer_pay_page(order: Order, visitor: str, surface: Surface) -> dict[str, Any]:
    """The wallets, for the buyer herself; who is paying just now, if somebody is."""
    now = clock.now()
    payment_request = order.payment_requests.filter(status=PaymentRequest.Status.OPEN).first()
    given: dict[str, Any] = {"order": order, "shop": order.merchant, "missing": order.amount - order.amount_paid}
    given |= _wallets(order, surface, link=f"{settings.PUBLIC_URL}{reverse('buyer_pay', args=[order.token])}")
    given |= {
        "by_code": _by_code(order, surface),
        "held": False,
        "part": bool(payment_request and payment_request.split_max_payers),
    }
    if payment_request and payment_request.split_max_payers:
        given["missing"] = payment_request.remaining or payment_request.amount - payment_request.amount_paid
    given |= {"may_ask": (payment_request and payment_request.shared_at) or offers.may_ask_friend(order, surface)}
    if payment_request:
        given |= {"live": live.snapshot(payment_request, now)} | attempts.held(payment_request, visitor, now)
    return given


def _wallets(order: Order, surface: Surface, *, link: str = "") -> dict[str, Any]:
    """The wallets that work here; and where to go with the link for those that do not, in one sentence each."""
    considered = offers.consider(order, surface)
    here = APPS.get(surface.place, "")
    hints = [
        ELSEWHERE[offer.elsewhere] % {"wallet": offer.label, "here": here, "app": APPS.get(offer.method, "")}
        for offer in offers.elsewhere(considered)
    ]
    return {"offers": offers.shown(considered), "hints": hints, "link": link}


def _by_code(order: Order, surface: Surface) -> list[Offer]:
    """On a phone, the wallets of which it can show a code for another phone to scan."""
    if not surface.phone:
        return []
    return [offer for offer in offers.for_page(order, Surface()) if offer.rail == Rail.NATIVE]


def back_url(payment: Payment) -> str:
    """The page the payment was begun on. The buyer's page is told to the buyer alone."""
    if payment.by_buyer:
        return reverse("buyer", args=[payment.request.order.token])
    return reverse("friend", args=[payment.request.token])


def pay_url(payment: Payment) -> str:
    """Where the payer chose how to pay, and may choose again."""
    if payment.by_buyer:
        return reverse("buyer_pay", args=[payment.request.order.token])
    return reverse("friend_pay", args=[payment.request.token])


def receipt_page(payment: Payment) -> dict[str, Any]:
    """The payer's receipt: `state` is waiting, paid, returned or unpaid."""
    now = clock.now()
    payment_request = payment.request
    refunds = list(payment.refunds.standing().select_related("payment__request"))
    back = sum(refund.amount for refund in refunds)
    if payment.status == Payment.Status.SUCCEEDED:
        gone = back + (0 if payment.amount_applied else payment.amount_disputed)
        state = "returned" if gone == payment.amount_captured else "paid"
    elif payment.status in (Payment.Status.FAILED, Payment.Status.CANCELLED):
        state = "unpaid"
    else:
        state = "waiting"
    live_now = live.snapshot(payment_request, now)
    return {
        **_back(refunds, payment.amount_disputed),
        "to_shop": payment_request.order.return_url if payment.by_buyer and state in ("paid", "returned") else "",
        "parts": _parts(payment_request),
        "aside": not payment.held_until and not payment.closing,
        "late": attempts.is_late(payment, now),
        "taken": payment_request.status == PaymentRequest.Status.PAID or bool(live_now["holders"]),
        "payment": payment,
        "payment_request": payment_request,
        "order": payment_request.order,
        "shop": payment_request.merchant,
        "lines": payment_request.order.lines.all(),
        "state": state,
        "wallet": label(payment.method, payment.account),
        "refunds": refunds,
        "why": phrases.why_returned(refunds[-1]) if refunds else "",
        "back": back_url(payment),
        "live": live_now,
        "watch": state != "paid" or bool(refunds) or not payment.by_buyer,  # news of money, or the buyer's thanks
        **_thanks(payment_request.order),
        **_mail(payment=payment),
    }


def scan_page(payment: Payment, surface: Surface) -> dict[str, Any]:
    """A code for the payer to scan, or what the wallet's own browser needs. `page_url`: who cannot scan may post there,
    and pays on the wallet's page.
    """
    now = clock.now()
    here = next((it for it in offers.for_page(payment.request.order, surface) if it.method == payment.method), None)
    return {
        "page_url": pay_url(payment) if here and {Rail.NATIVE, Rail.REDIRECT} <= {*here.rails} else "",
        "payment": payment,
        "payment_request": payment.request,
        "shop": payment.merchant,
        "stand_in": _stand_in(payment),
        "wallet": label(payment.method, payment.account),
        "live": live.snapshot(payment.request, now),
        "watch": True,
        "seconds_left": max(0, int((turns.ends_at(payment) - now).total_seconds())),
        "aside": not payment.held_until,
        "yields": attempts.announced(payment, payment.request, now),
        "back": back_url(payment),
    }


def _stand_in(payment: Payment) -> str:
    """Where a simulated wallet's phone scans the code, "" for a real one's."""
    code = payment.next_step.get("code", "")
    if not code or not payment.account.is_simulated:
        return ""
    return code if code.startswith("http") else f"{payment.account.base_url}/scan?{urlencode({'code': code})}"
