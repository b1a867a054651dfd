"""The friend's page: who asks, what for, and the way to a wallet. No account, and nothing is written by looking."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from friendpay.kit import clock
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page, saying
from friendpay.kit.rendering import draw
from friendpay.kit.waiting import waits_for_wallet
from payments.mail import reminders
from payments.models import PaymentRequest
from payments.pages import ahead, friend_page, paying, shares
from payments.pages.forms import DeclineForm, PayForm
from payments.pages.refusals import Told, refusals_on, taken
from payments.pages.visitors import visitor_of
from payments.settlement import requests
from payments.share import crawlers


def _payment_request(token: str) -> PaymentRequest:
    """404 where nobody was asked: the link of a request by which the buyer pays herself leads nowhere."""
    asked = PaymentRequest.objects.filter(shared_at__isnull=False)
    return get_object_or_404(asked.select_related("order", "merchant"), token=token)


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is asked, in the state it is in now. A crawler learns whose shop it is, and nothing else."""
    if crawlers.is_crawler(request):
        shop = ahead.merchant(request, token)
        shown = crawlers.PreviewedShop(shop.name, shop.logo)
        return draw(request, crawlers.PreviewPage(url=request.path_info, shop=shown))
    return friend_page.draw(request, token)


@page("POST", of="friend")
@waits_for_wallet()
@refusals_on(friend_page.draw)
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Begin to pay and go on to the wallet. Tapping twice begins once; a sum no button showed is shown first."""
    tap = paying.tapped(request, token)
    payment_request = tap.request
    if payment_request.shared_at is None:
        raise Http404
    form = PayForm(request.POST, currency=payment_request.currency)
    given = taken(request, form)
    shown, asked = given["seen"], given["amount"] or payment_request.remaining
    if payment_request.split_max_payers and shown is not None and shown != asked:
        return friend_page.draw(request, token, told=Told(form), check=True)
    return paying.begin(request, tap, form, by_buyer=False)


@page("POST", of="friend")
@refusals_on(friend_page.draw)
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Say no, with a kind line or without. The request stays open for others, and for second thoughts."""
    payment_request = _payment_request(token)
    given = taken(request, DeclineForm(request.POST))
    who = {"visitor": visitor_of(request), "network": network_of(request)}
    requests.decline(payment_request.pk, words=given["note"], choice=given["choice"], **who)
    return saying(SeeOther(shares.page_of(token, request.POST.get("share", ""))), "no")


@page("GET")
def remind_file(request: HttpRequest, token: str) -> HttpResponse:
    """A calendar file that reminds at the chosen time, else as soon as one may be. Nothing is kept of it here."""
    payment_request = _payment_request(token)
    now = clock.now()
    times = (
        reminders.choices(payment_request, now) if payment_request.status_at(now) == PaymentRequest.Status.OPEN else []
    )
    chosen = next((time for time in times if time.key == request.GET.get("at")), times[0] if times else None)
    number = request.GET.get("share", "")
    if chosen is None:
        return SeeOther(shares.page_of(token, number))
    share = payment_request.share_numbered(number)
    file = reminders.calendar_file(payment_request, chosen.moment, now, share)
    headers = {"Content-Disposition": 'attachment; filename="reminder.ics"'}
    return HttpResponse(file, content_type="text/calendar; charset=utf-8", headers=headers)
