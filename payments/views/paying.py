"""What the buyer's and the friend's "Pay" have in common."""

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from friendpay.pages import SeeOther
from orders.errors import Refused
from payments import checkout
from payments.context import next_url
from payments.forms import PayForm
from payments.models import PaymentRequest
from payments.rules import Payer
from payments.visitors import keep_visitor, network_of, remember, surface_of


def begin(request: HttpRequest, plea: PaymentRequest, form: PayForm, *, by_buyer: bool) -> HttpResponse:
    """Begin to pay as a valid `form` says, and lead to the wallet. Raises Refused."""
    payment = checkout.begin(
        plea,
        method=form.cleaned_data["method"],
        amount=form.cleaned_data["amount"],
        take_over=form.cleaned_data["take_over"],
        payer=Payer(form.cleaned_data["name"], keep_visitor(request), network_of(request), by_buyer),
        surface=surface_of(request),
        payer_ip=request.META.get("REMOTE_ADDR", ""),
    )
    return remember(request, SeeOther(next_url(payment)))


def put_beside(form: Form, refused: Refused) -> None:
    """Put a refusal beside the field it is about, or above them all."""
    form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))


def above(form: Form, *shown: str) -> str:
    """What is wrong with anything but the fields that are shown, for the top of the page."""
    return " ".join(str(error) for name, errors in form.errors.items() if name not in shown for error in errors)
