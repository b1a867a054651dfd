"""The page on which a friend reports a request to support."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from friendpay.kit.errors import Refused
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page, said, saying
from payments.models import PaymentRequest
from payments.pages.forms import ReportForm
from payments.settlement import abuse as reports


@page("GET", "POST")
def report(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form, POST sends it. No account, and neither the buyer nor other friends learn of it."""
    payment_request = get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)
    form = ReportForm(request.POST if request.method == "POST" else None)
    given = {
        "payment_request": payment_request,
        "order": payment_request.order,
        "shop": payment_request.merchant,
        "form": form,
    }
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                reports.report(payment_request, network=network_of(request), **form.cleaned_data)
                return saying(SeeOther(reverse("report", args=[payment_request.token])), "reported")
            except Refused as refused:
                given["refusal"], status = refused.message, refused.status
    return render(request, "payments/report.html", given | {"said": said(request) == "reported"}, status=status)
