"""What a page says of mail: whether an address may be given here, and which one was."""

from dataclasses import dataclass

from payments.mail import outbox
from payments.models import MailAddress
from payments.pages.fields import Field, empty, field
from payments.pages.forms import AddressForm
from payments.pages.refusals import Told


@dataclass(frozen=True)
class ByMail:
    """`known` is the address that was given, as far as its owner needs it to know it again."""

    known: str
    address: Field


def by_mail(row: MailAddress | None, told: Told) -> ByMail | None:
    """None where no mail can be sent."""
    if not outbox.offered():
        return None
    form = told.form_or(AddressForm())
    return ByMail(row.veiled if row else "", field(form, "address") if form.is_bound else empty(AddressForm, "address"))
