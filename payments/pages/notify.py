"""The wallets' notification endpoint. No session, no CSRF token: the signature over the raw body is the proof."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.settlement import inbox


@csrf_exempt
@require_POST
def notify(request: HttpRequest, provider: str, account: str) -> HttpResponse:
    """Hand the exact bytes to the inbox and answer what it says. Without a database that is a 500: they try again."""
    told = ((name[5:], value) for name, value in request.META.items() if name.startswith("HTTP_"))
    headers = {name.lower().replace("_", "-"): value for name, value in told}
    reply = inbox.receive(provider, account, headers, request.body)
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)
