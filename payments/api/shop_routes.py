"""API routes of the shop itself: its account, and what it could offer before there is an order."""

from django.utils import translation
from ninja import Router

from friendpay.kit.languages import supported
from orders.api.auth import READ_KEY, Call
from payments.api.schemas import OffersOut
from payments.api.screens import ON_DESKTOP, Screen
from payments.api.shop_schemas import AccountOut, OffersIn
from payments.models import ProviderAccount
from payments.offers import weighing
from payments.settlement import asking
from payments.wallets import registry

router = Router()


@router.get("/account", response=AccountOut, tags=["Account"], operation_id="get_account")
def get_account(request: Call) -> AccountOut:
    """See whose key this is

    The shop, the mode, what this key may do, the ways to pay that are set up, and the limits.
    """
    key = request.auth
    accounts = ProviderAccount.objects.filter(merchant=key.merchant_id, live=key.live, provider__in=registry.NAMES)
    return AccountOut.of(key, list(accounts))


@router.post("/offers", response=OffersOut, auth=READ_KEY, tags=["Account"], operation_id="weigh_offers")
def weigh_offers(request: Call, data: OffersIn, screen: Screen = ON_DESKTOP) -> OffersOut:
    """See which ways to pay an order would get

    Before there is an order, so that your own payment step can ask: what its payment page would show on this kind of
    screen, and the reason for whatever it would not show. Nothing is made, and a key that may only read may ask.
    """
    case, surface = data.case(request.auth.merchant, live=request.auth.live), screen.surface
    with translation.override((supported(data.locale) if data.locale else "") or translation.get_language()):
        considered = weighing.weigh(case, surface)
        return OffersOut.of(asking.why_not(case, surface, request.now, considered), considered)
