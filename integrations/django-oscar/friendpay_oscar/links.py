"""The page of an order that its buyer comes back to, from any browser: its address cannot be guessed."""

from django.core.signing import Signer
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare

_SIGNER = Signer(salt="friendpay_oscar.order")


def address_of(number: str, request: HttpRequest) -> str:
    """The whole address, on the host the buyer is at."""
    return request.build_absolute_uri(reverse("friendpay:order", args=[number, _SIGNER.signature(number)]))


def fits(number: str, signature: str) -> bool:
    return constant_time_compare(signature, _SIGNER.signature(number))
