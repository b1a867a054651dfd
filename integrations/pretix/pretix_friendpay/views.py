"""What friendpay tells. A message is believed when its signature holds, and then only taken as a reason to ask."""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from friendpay_client import FriendpayError, WebhookRefused, webhooks

from pretix_friendpay import settling
from pretix_friendpay.provider import FriendpayProvider

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Brings pretix to where friendpay is. Twice, late or out of order comes to the same. 503 asks for another try."""
    provider = FriendpayProvider(request.event)
    secrets = (provider.settings.get("secret") or "").split()
    try:
        message = webhooks.verify(request.body, request.headers, secrets)
    except (WebhookRefused, ValueError) as error:
        logger.warning("A webhook of friendpay was refused: %s", error)
        return HttpResponse(status=400)
    if message["order"] is None:  # a test of the endpoint
        return HttpResponse(status=204)
    try:
        settling.settle_order(provider, message["order"])
    except FriendpayError as error:
        logger.warning("friendpay told of %s and could not be asked about it: %s", message["order"], error)
        return HttpResponse(status=503)
    return HttpResponse(status=204)
