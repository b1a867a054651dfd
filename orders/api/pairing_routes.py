"""API routes of pairings: the only calls without a key, for they are how a program comes to have one."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Router, Status

from friendpay.kit import counters, limits
from friendpay.kit.errors import Refused
from friendpay.kit.networks import network_of
from orders import pairings
from orders.api.pairing_schemas import PairedOut, PairingId, PairingIn, PairingOut, RedeemIn
from orders.models import Pairing

router = Router(tags=["Pairings"])


def _count(request: HttpRequest, what: str) -> None:
    """One network begins and redeems so many an hour: nobody fills the table, and nobody guesses codes."""
    if not (network := network_of(request)):
        return
    ((calls, seconds),) = counters.count(f"{what}:{network}", window=limits.PAIRINGS_SECONDS)
    if calls > limits.PAIRINGS_OF_A_NETWORK:
        message = _("Too many pairings from where you are. Please try again later.")
        raise Refused("too_many_requests", message, status=429, retry_after=seconds)


def _confirmed(request: HttpRequest) -> Pairing:
    """In place of a key: the pairing that is named, whose shop a repeated call's answer is kept for."""
    _count(request, "redeem")
    named = request.resolver_match.kwargs["pairing_id"] if request.resolver_match else ""
    pairing = Pairing.objects.filter(public_id=named).exclude(merchant=None).first()
    if pairing is None:
        raise pairings.refusal()
    return pairing


@router.post("/pairings", response={201: PairingOut}, auth=None, operation_id="begin_pairing")
def begin_pairing(request: HttpRequest, data: PairingIn) -> Status[PairingOut]:
    """Begin a pairing

    For a shop's program that has no key yet. Lead a person of the shop to `url`; where she consents, her browser comes
    to `return_url` with `pairing` and `code`, or with `error=declined`. Nothing is granted before.
    """
    _count(request, "pairings")
    return Status(201, PairingOut.of(pairings.begin(data.proposal())))


@router.post("/pairings/{pairing_id}/redeem", response={201: PairedOut}, auth=_confirmed, operation_id="redeem_pairing")
def redeem_pairing(request: HttpRequest, pairing_id: PairingId, data: RedeemIn) -> Status[PairedOut]:
    """Redeem the code of a pairing

    From your server, within ten minutes, once. Makes the key and the webhook endpoint (where the shop has one with this
    address, that gets a new secret) and answers with both secrets.
    """
    return Status(201, PairedOut.of(pairings.redeem(pairing_id, data.code, data.code_verifier)))
