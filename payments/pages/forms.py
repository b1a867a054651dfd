"""Forms of buyers and friends. Every error is a sentence for the person who reads it, and stands beside its field.

Forms of one kind share their fields, which nothing changes: copying them for each form, as Django does, takes longer
than reading what was sent.
"""

import unicodedata
from base64 import urlsafe_b64decode
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.forms import DeclarativeFieldsMetaclass
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from friendpay.kit import amounts, limits, text_filter
from friendpay.kit.errors import Refused
from orders.webhooks import transport
from payments.models import Report
from payments.models.request import Share
from payments.settlement.rules import Split
from payments.share import phrases

_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they let a text read otherwise than it is


def plain_text(value: str) -> None:
    """Letters of any script, and emoji; no control characters."""
    for sign in value:
        if sign in _TURNING or (unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\r\t"):
            raise ValidationError(_("This contains a character that can't be used. Please type it again."))


class Words(forms.CharField):
    """A few words, of one line or (with `rows`) of several; a line break is one character, as it is in browsers."""

    default_validators = [plain_text]

    def __init__(self, *, rows: int = 0, attrs: dict[str, str] | None = None, **kwargs: Any) -> None:
        given = {"class": "input", "autocomplete": "off", "dir": "auto", **(attrs or {})}
        widget = forms.Textarea(attrs={**given, "rows": rows}) if rows else forms.TextInput(attrs=given)
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class Figures(Words):
    """An amount as it was typed or pasted; `friendpay.kit.amounts` judges it."""

    default_validators = []


class _Fields(dict[str, forms.Field]):
    """Of one kind of form."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


class _Sharing(DeclarativeFieldsMetaclass):
    def __new__(cls, *parts: Any, **named: Any) -> Any:
        kind: Any = super().__new__(cls, *parts, **named)
        kind.base_fields = _Fields(kind.base_fields)
        return kind


class Form(forms.Form, metaclass=_Sharing):
    """A form whose fields are those of its kind."""


class MessageForm(Form):
    """The buyer's words to a friend."""

    message = Words(label=_("Message to your friend"), max_length=200, required=False, rows=3)


class PartsForm(Form):
    """How many friends may pay together. Nothing, or one, is one friend for all of it."""

    friends = forms.IntegerField(
        label=_("How many friends at most?"),
        min_value=1,
        max_value=limits.PAYERS_OF_A_REQUEST,
        required=False,
        widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric", "placeholder": "3"}),
    )

    def split(self) -> Split | None:
        friends = self.cleaned_data["friends"] or 1
        return Split(friends) if friends > 1 else None


class SharesForm(Form):
    """Who pays how much: a name and an amount on each line."""

    shares = Words(
        label=_("Who pays how much, one per line"),
        max_length=2000,
        rows=4,
        attrs={"placeholder": "Mei 40\nJun 40"},
        error_messages={"required": _("Write a name and an amount on each line, like “Mei 40”.")},
    )

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_shares(self) -> Split:
        lines = [line.split() for line in self.cleaned_data["shares"].splitlines() if line.strip()]
        if any(len(words) < 2 for words in lines):
            raise ValidationError(self.fields["shares"].error_messages["required"])
        language = get_language() or settings.LANGUAGE_CODE
        try:
            return Split.among(
                Share(" ".join(words[:-1]), amounts.read(words[-1], self.currency, language).minor) for words in lines
            )
        except amounts.Unreadable as unreadable:
            raise ValidationError(str(unreadable)) from None


class DeclineForm(Form):
    """A friend says no: with a chosen sentence, in own words, or without any."""

    choice = forms.ChoiceField(choices=list(phrases.DECLINES.items()), required=False)
    note = Words(label=_("Add a note (optional)"), max_length=200, required=False, rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "decline_%s", **kwargs})


class ThanksForm(Form):
    """The buyer thanks who paid: with a chosen sentence, or in own words."""

    choice = forms.ChoiceField(choices=list(phrases.THANKS.items()), required=False)
    words = Words(label=_("Your own words"), max_length=140, required=False, rows=2)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not self.errors and not given["choice"] and not given["words"]:
            self.add_error("words", _("Please choose a sentence or write one."))
        if given.get("words"):
            given["choice"] = ""  # one's own say more
        return given


class AddressForm(Form):
    """An e-mail address, one's own."""

    address = forms.EmailField(
        label=_("Your email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "email", "dir": "ltr"}),
        error_messages={"required": _("Please enter your email address.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "mail_%s", **kwargs})


class RemindForm(AddressForm):
    """When to be reminded, and where."""

    at = forms.CharField(max_length=10)
    share = forms.CharField(max_length=4, required=False)  # of the named ones, counted from 1


class PushForm(Form):
    """A browser that is to be told by push: where its service is, and the keys that only it can read with."""

    endpoint = forms.CharField(max_length=limits.PUSH_ENDPOINT_CHARACTERS)
    p256dh = forms.RegexField(r"^[\w-]{87}$")  # 65 bytes
    auth = forms.RegexField(r"^[\w-]{22}$")  # 16 bytes
    at = forms.CharField(max_length=10, required=False)
    share = forms.CharField(max_length=4, required=False)
    stop = forms.BooleanField(required=False)

    def clean_endpoint(self) -> str:
        """Refused unless it may be called, as far as it can be told without resolving its name."""
        try:
            transport.check(self.cleaned_data["endpoint"])
        except Refused as refused:
            raise ValidationError(str(refused.message)) from None
        return str(self.cleaned_data["endpoint"])

    def clean_p256dh(self) -> str:
        """A point on the curve, as a key has to be."""
        try:
            point = urlsafe_b64decode(self.cleaned_data["p256dh"] + "=")
            EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        except ValueError:
            raise ValidationError(_("Your browser sent a key that can't be used.")) from None
        return str(self.cleaned_data["p256dh"])

    def subscription(self) -> dict[str, str]:
        """As it is kept, and as the library reads it."""
        given = self.cleaned_data
        return {"endpoint": given["endpoint"], "keys": {"p256dh": given["p256dh"], "auth": given["auth"]}}


class ReportForm(Form):
    """Something is wrong with a request."""

    reason = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=Report.Reason,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose what is wrong.")},
    )
    words = Words(label=_("What happened (optional)"), max_length=500, required=False, rows=3)


class Pasted(Words):
    """Whatever came with the message: it is read, never judged."""

    default_validators = []

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\0", ""))


class CodeForm(Form):
    """A share code, a link, or the whole message they came in."""

    text = Pasted(
        label=_("Code or message"),
        attrs={
            "class": "input codebox",
            "autocapitalize": "characters",
            "spellcheck": "false",
            "placeholder": "7K3M-9QXW",
            "dir": "ltr",
        }
        # opened by the script at its eighth sign, where all have eight
        | ({} if settings.CELLS else {"data-code": ""}),
        error_messages={"required": _("Please enter the code, or paste the message.")},
    )


class PayForm(Form):
    """How a payer wants to pay. `amount` is read where several friends may pay parts, in the request's currency.

    `by_code` shows a code for another phone to scan instead of opening the wallet here; `on_page` opens the wallet's
    own page instead of showing a code.
    """

    method = forms.CharField(
        max_length=limits.METHOD_CHARACTERS, error_messages={"required": _("Please choose how to pay.")}
    )
    amount = Figures(label=_("Your part"), max_length=40, required=False, attrs={"inputmode": "decimal", "form": "pay"})
    seen = forms.IntegerField(required=False)  # minor units: what stood on the button
    price = forms.IntegerField(required=False)  # minor units: what all of it cost when the page was drawn
    name = Words(
        label=_("Your name (anyone with this link can see it)"),
        max_length=20,
        required=False,
        attrs={"autocomplete": "given-name", "form": "pay"},
    )
    share = forms.IntegerField(required=False, min_value=1)  # of the named ones, counted from 1
    take_over = forms.BooleanField(required=False)
    by_code = forms.BooleanField(required=False)
    on_page = forms.BooleanField(required=False)

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_name(self) -> str:
        """One line with something to see, that leads nowhere."""
        name = text_filter.line(self.cleaned_data["name"])
        try:
            text_filter.check_name(name)
        except Refused as refused:
            raise ValidationError(str(refused.message)) from None
        return name

    def clean_amount(self) -> int | None:
        """Minor units; None when nothing was written, which means all that is missing."""
        written = self.cleaned_data["amount"].strip()
        if not written:
            return None
        try:
            minor = amounts.read(written, self.currency, get_language() or settings.LANGUAGE_CODE).minor
        except amounts.Unreadable as unreadable:
            raise ValidationError(str(unreadable)) from None
        if not minor:
            raise ValidationError(_("Enter more than zero."))
        return minor
