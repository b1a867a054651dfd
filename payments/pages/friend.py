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


def _plea(token: str) -> PaymentRequest:
    return get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)


def draw(request: HttpRequest, plea: PaymentRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page in the state it is in, with whatever has to be said on it."""
    given = context.friend_page(plea, visitor_of(request), surface_of(request))
    share = Money(chip_in.fair_share(plea) or given["missing"], plea.currency).figures(get_language() or "en")
    typed = (request.POST or request.GET).get("amount", share)[:40]
    given |= {
        "page": reverse("friend", args=[plea.token]),
        "status": status,
        "sum": _part(plea, given["missing"], typed) if plea.split_max_payers else given["missing"],
        "form": PayForm(currency=plea.currency, initial={"amount": typed}),
        "decline_form": DeclineForm(auto_id="decline_%s"),
        "mail_form": AddressForm(auto_id="mail_%s"),
        **more,
    }
    return leading.to_wallets(render(request, "payments/friend.html", given, status=status), plea.order)


def _part(plea: PaymentRequest, missing: int, typed: str) -> int:
    """What a friend of several would pay with this in the field; 0 while it is no amount."""
    if not typed.strip():
        return missing
    try:
        return amounts.read(typed, plea.currency, get_language() or "en").minor
    except amounts.Unreadable:
        return 0


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is asked, in the state it is in now. With `amount` it is drawn for a friend who would give that part."""
    return draw(request, _plea(token), said=said(request), page=request.get_full_path())


@page("POST", of="friend")
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Begin to pay and go on to the wallet. Tapping twice begins once; a sum no button showed is shown first."""
    plea = _plea(token)
    form = PayForm(request.POST, currency=plea.currency)
    status = 422
    if form.is_valid():
        seen = form.cleaned_data["seen"]
        if plea.split_max_payers and seen is not None and seen != (form.cleaned_data["amount"] or plea.remaining):
            return draw(request, plea, form=form, check=True)
        try:
            return paying.begin(request, plea, form, by_buyer=False)
        except Refused as refused:
            paying.put_beside(form, refused)
            status = refused.status
    plea.refresh_from_db()
    shown = ("name", "amount") if plea.split_max_payers else ("name",)
    return draw(request, plea, status=status, form=form, refusal=paying.above(form, *shown))


@page("POST", of="friend")
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Say no, with a kind line or without. The request stays open for others, and for second thoughts."""
    plea = _plea(token)
    form = DeclineForm(request.POST, auto_id="decline_%s")
    if not form.is_valid():
        return draw(request, plea, status=422, decline_form=form)
    try:
        given = form.cleaned_data
        who = {"visitor": visitor_of(request), "network": network_of(request)}
        requests.decline(plea.pk, words=given["note"], choice=given["choice"], **who)
    except Refused as refused:
        plea.refresh_from_db()
        paying.put_beside(form, refused)
        above = paying.above(form, "note")
        return draw(request, plea, status=refused.status, decline_form=form, refusal=above)
    return saying(SeeOther(reverse("friend", args=[plea.token])), "no")


@page("GET")
def remind_file(request: HttpRequest, token: str) -> HttpResponse:
    """A calendar file that reminds at the chosen time, else as soon as one may be. Nothing is kept of it here."""
    plea = _plea(token)
    now = clock.now()
    times = reminders.choices(plea, now) if plea.status_at(now) == PaymentRequest.Status.OPEN else []
    chosen = next((time for time in times if time.key == request.GET.get("at")), times[0] if times else None)
    if chosen is None:
        return SeeOther(reverse("friend", args=[token]))
    file = reminders.calendar_file(plea, chosen.moment, now)
    headers = {"Content-Disposition": 'attachment; filename="reminder.ics"'}
    return HttpResponse(file, content_type="text/calendar; charset=utf-8", headers=headers)
