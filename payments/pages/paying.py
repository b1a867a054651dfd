"""What the buyer's and the friend's "Pay" have in common: the way to the wallet, by its login where it wants to know
whom it asks.
"""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.core import signing
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from friendpay.kit.networks import address_of, network_of
from friendpay.kit.pages import SeeOther
from payments.funnel import steps
from payments.models import PaymentRequest
from payments.offers.weighing import Offer, Surface
from payments.pages import form_action
from payments.pages.attempts import next_url
from payments.pages.forms import PayForm
from payments.pages.return_links import back_url
from payments.pages.visitors import keep_visitor, remember, surface_of, visitor_of
from payments.settlement import checkout, taps
from payments.settlement.rules import Payer
from payments.settlement.taps import Tap

COOKIE = "choice"
_SALT = "payments.choice"


@dataclass(frozen=True)
class Choice:
    """What a payer tapped. It waits, signed, in the payer's own browser while the wallet is asked who she is."""

    payment_request: str
    by_buyer: bool
    method: str
    amount: int | None
    name: str
    take_over: bool
    by_code: bool
    on_page: bool
    price: int | None = None
    share: int | None = None  # counted from 1

    def surface(self, request: HttpRequest) -> Surface:
        """Where it is to be paid: here, or by code as if this were a desktop, since another phone scans it."""
        return Surface() if self.by_code else surface_of(request)


def tapped(request: HttpRequest, token: str) -> Tap:
    """What the visitor's tap finds, read once; 404 where there is no such request."""
    try:
        return taps.read(token, keep_visitor(request))
    except PaymentRequest.DoesNotExist as error:
        raise Http404 from error


def begin(request: HttpRequest, tap: Tap, form: PayForm, *, by_buyer: bool) -> HttpResponse:
    """Begin to pay as a valid `form` says, and lead to the wallet, or first to its login. Raises Refused."""
    given = {name: value for name, value in form.cleaned_data.items() if name != "seen"}
    choice = Choice(payment_request=tap.request.token, by_buyer=by_buyer, **given)
    offer = tap.offer(choice.method, choice.surface(request))
    if not checkout.needs_login(offer):
        return carry_out(request, tap, offer, choice)
    if not by_buyer:
        steps.record(steps.Kind.METHOD_CHOSEN, tap.request, method=choice.method, surface=surface_of(request).place)
    sealed = signing.dumps(asdict(choice), salt=_SALT)
    back = f"{settings.PUBLIC_URL}{reverse('login_back')}"
    login = SeeOther(checkout.login_url(offer, back=back, state=_state(sealed, tap.visitor)))
    response = remember(request, login, wallet=choice.method)
    response.set_cookie(
        COOKIE, sealed, max_age=limits.CHOICE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


def carry_out(request: HttpRequest, tap: Tap, offer: Offer, choice: Choice, *, payer_id: str = "") -> HttpResponse:
    """Open the attempt and lead to the wallet. Raises Refused."""
    taken: list[steps.Taken] = [(steps.Kind.METHOD_CHOSEN, choice.method, surface_of(request).place, tap.now)]
    try:
        payment = checkout.begin(
            tap,
            offer,
            amount=choice.amount,
            price=choice.price,
            share=choice.share and choice.share - 1,
            take_over=choice.take_over,
            on_page=choice.on_page,
            payer=Payer(choice.name, tap.visitor, network_of(request), choice.by_buyer),
            payer_ip=address_of(request),
            payer_id=payer_id,
        )
        taken.append((steps.Kind.PAY_STARTED, choice.method, choice.surface(request).place, None))
    finally:
        if not choice.by_buyer:
            steps.record_all(tap.request, *taken)
    to_wallet = SeeOther(form_action.next_url(tap.accounts, next_url(payment), back_url(payment)))
    return remember(request, to_wallet, wallet=choice.method)


def recall(request: HttpRequest) -> Choice | None:
    """The choice that this very visitor went to the wallet with, at most five minutes ago; None when it is not so."""
    sealed, visitor = request.COOKIES.get(COOKIE, ""), visitor_of(request)
    if not visitor or not constant_time_compare(_state(sealed, visitor), request.GET.get("state", "")):
        return None
    try:
        return Choice(**signing.loads(sealed, salt=_SALT, max_age=limits.CHOICE_SECONDS))
    except signing.BadSignature:
        return None


def _state(sealed: str, visitor: str) -> str:
    """What goes to the wallet and comes back. It takes letters and digits alone, so the choice itself stays here."""
    return salted_hmac(_SALT, f"{visitor} {sealed}").hexdigest()


def put_beside(form: Form, refused: Refused) -> None:
    """Put a refusal beside the field it is about, or above them all."""
    form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))


def above(form: Form, *shown: str) -> str:
    """What is wrong with anything but the fields that are shown, for the top of the page."""
    return " ".join(str(error) for name, errors in form.errors.items() if name not in shown for error in errors)
