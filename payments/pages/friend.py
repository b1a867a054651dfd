"""The friend's page: who asks, what for, and the way to a wallet. No account, and nothing is written by looking."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language

from friendpay.kit import amounts, clock
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page, said, saying
from payments.mail import reminders
from payments.models import PaymentRequest
from payments.pages import context, paying
from payments.pages import form_action as leading
from payments.pages.forms import AddressForm, DeclineForm, PayForm
from payments.pages.visitors import surface_of, visitor_of
from payments.settlement import chip_in, requests


def _payment_request(token: str) -> PaymentRequest:
    return get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)


def draw(request: HttpRequest, payment_request: PaymentRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page in the state it is in, with whatever has to be said on it."""
    given = context.friend_page(payment_request, visitor_of(request), surface_of(request))
    share = Money(chip_in.fair_share(payment_request) or given["missing"], payment_request.currency).figures(
        get_language() or "en"
    )
    typed = (request.POST or request.GET).get("amount", share)[:40]
    given |= {
        "page": reverse("friend", args=[payment_request.token]),
        "status": status,
        "sum": _part(payment_request, given["missing"], typed)
        if payment_request.split_max_payers
        else given["missing"],
        "form": PayForm(currency=payment_request.currency, initial={"amount": typed}),
        "decline_form": DeclineForm(auto_id="decline_%s"),
        "mail_form": AddressForm(auto_id="mail_%s"),
        **more,
    }
    return leading.to_wallets(render(request, "payments/friend.html", given, status=status), payment_request.order)


def _part(payment_request: PaymentRequest, missing: int, typed: str) -> int:
    """What a friend of several would pay with this in the field; 0 while it is no amount."""
    if not typed.strip():
        return missing
    try:
        return amounts.read(typed, payment_request.currency, get_language() or "en").minor
    except amounts.Unreadable:
        return 0


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is asked, in the state it is in now. With `amount` it is drawn for a friend who would give that part."""
    return draw(request, _payment_request(token), said=said(request), page=request.get_full_path())


@page("POST", of="friend")
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Begin to pay and go on to the wallet. Tapping twice begins once; a sum no button showed is shown first."""
    payment_request = _payment_request(token)
    form = PayForm(request.POST, currency=payment_request.currency)
    status = 422
    if form.is_valid():
        seen = form.cleaned_data["seen"]
        if (
            payment_request.split_max_payers
            and seen is not None
            and seen != (form.cleaned_data["amount"] or payment_request.remaining)
        ):
            return draw(request, payment_request, form=form, check=True)
        try:
            return paying.begin(request, payment_request, form, by_buyer=False)
        except Refused as refused:
            paying.put_beside(form, refused)
            status = refused.status
    payment_request.refresh_from_db()
    shown = ("name", "amount") if payment_request.split_max_payers else ("name",)
    return draw(request, payment_request, status=status, form=form, refusal=paying.above(form, *shown))


@page("POST", of="friend")
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Say no, with a kind line or without. The request stays open for others, and for second thoughts."""
    payment_request = _payment_request(token)
    form = DeclineForm(request.POST, auto_id="decline_%s")
    if not form.is_valid():
        return draw(request, payment_request, status=422, decline_form=form)
    try:
        given = form.cleaned_data
        who = {"visitor": visitor_of(request), "network": network_of(request)}
        requests.decline(payment_request.pk, words=given["note"], choice=given["choice"], **who)
    except Refused as refused:
        payment_request.refresh_from_db()
        paying.put_beside(form, refused)
        above = paying.above(form, "note")
        return draw(request, payment_request, status=refused.status, decline_form=form, refusal=above)
    return saying(SeeOther(reverse("friend", args=[payment_request.token])), "no")


@page("GET")
def remind_file(request: HttpRequest, token: str) -> HttpResponse:
    """A calendar file that reminds at the chosen time, else as soon as one may be. Nothing is kept of it here."""
    payment_request = _payment_request(token)
    now = clock.now()
    times = (
        reminders.choices(payment_request, now) if payment_request.status_at(now) == PaymentRequest.Status.OPEN else []
    )
    chosen = next((time for time in times if time.key == request.GET.get("at")), times[0] if times else None)
    if chosen is None:
        return SeeOther(reverse("friend", args=[token]))
    file = reminders.calendar_file(payment_request, chosen.moment, now)
    headers = {"Content-Disposition": 'attachment; filename="reminder.ics"'}
    return HttpResponse(file, content_type="text/calendar; charset=utf-8", headers=headers)
