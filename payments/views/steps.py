"""What only a browser knows: that a person, and not a messenger's preview, looks at a page.

Nothing here needs a cookie, so none proves anything: the address is the proof, and browsers that say where a call comes
from must say that it is from a page of ours.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt

from friendpay.pages import page
from payments import requests
from payments.models import PaymentRequest


@csrf_exempt
@page("POST")
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """A person looks at the friend's page, or with `choosing` does something there. Said by a script, never by loading
    the page.
    """
    plea = get_object_or_404(PaymentRequest, token=token)
    if not _from_our_page(request):
        return HttpResponse(status=403)
    requests.look(plea, choosing="choosing" in request.POST)
    return HttpResponse(status=204)


def _from_our_page(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
