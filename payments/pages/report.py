"""The page on which a friend reports a request to support."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from friendpay.kit.networks import neighbourhood_of, network_of
from friendpay.kit.pages import SeeOther, page, saying
from payments.models import PaymentRequest
from payments.pages.forms import ReportForm
from payments.pages.refusals import refusals_on, taken
from payments.pages.small_pages import draw_report
from payments.settlement import abuse


@page("GET", "POST")
@refusals_on(draw_report)
def report(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form, POST sends it. No account, and neither the buyer nor other friends learn of it."""
    if request.method != "POST":
        return draw_report(request, token)
    payment_request = get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)
    given = taken(request, ReportForm(request.POST))
    abuse.report(payment_request, network=network_of(request), owner=neighbourhood_of(request), **given)
    return saying(SeeOther(reverse("report", args=[token])), "reported")
