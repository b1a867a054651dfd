"""The form of a provider account: whatever credentials its provider asks for, and secrets that only go in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from friendpay.kit.errors import Refused
from orders.webhooks import transport
from payments.models import ProviderAccount
from payments.settlement import calls, identity
from payments.wallets import registry as providers
from payments.wallets.base import ProviderError

PREFIX = "credential_"


@dataclass(frozen=True)
class Kind:
    """What a credential is. A secret is never shown again; a long one is a key in several lines."""

    help: Any = ""
    secret: bool = True
    long: bool = False


KINDS = {
    "mchid": Kind(_("The merchant number (商户号)."), secret=False),
    "appid": Kind(_("The app id of the official account or mini program that is bound to the merchant."), secret=False),
    "app_secret": Kind(_("The app's secret. Only needed to pay inside WeChat.")),
    "serial_no": Kind(_("The serial number of your API certificate."), secret=False),
    "private_key": Kind(_("Your private key: the whole file, with its first and last line."), long=True),
    "api_v3_key": Kind(_("The APIv3 key, 32 characters.")),
    "public_key_id": Kind(_("The id of WeChat Pay's public key, beginning with PUB_KEY_ID_."), secret=False),
    "public_key": Kind(_("WeChat Pay's public key, or its platform certificates."), secret=False, long=True),
    "app_id": Kind(_("The application's number, 16 digits."), secret=False),
    "seller_id": Kind(_("The merchant's partner number (PID), beginning with 2088."), secret=False),
    "alipay_public_key": Kind(
        _("The key Alipay shows after you uploaded yours, not your own."), secret=False, long=True
    ),
    "secret_key": Kind(_("The API key, beginning with sk_ or rk_.")),
    "webhook_secret": Kind(_("The endpoint's signing secret, beginning with whsec_.")),
    "secret": Kind(_("Signs what the sandbox wallet tells us; any long random text.")),
}
"""Credentials by the names that providers, their documents and their error messages use."""


def stored(account: ProviderAccount) -> dict[str, str]:
    """The credentials, {} when no key of ours opens them any more."""
    return {} if account.is_locked else account.config


def ask(account: ProviderAccount) -> tuple[bool, str]:
    """Whether the provider likes the credentials, and its words. It is called, even where it has not answered lately:
    no transaction may be open.
    """
    if account.is_locked:
        return False, str(_("The stored credentials cannot be read with the present keys. Please enter them again."))
    account.probing = True
    try:
        with calls.calling(account) as (provider, data):
            return True, provider.check(data)
    except ProviderError as error:
        return False, f"{error.message} ({error.code})" if error.code else error.message


def doubt(account: ProviderAccount, posted: Mapping[str, str]) -> str:
    """What the wallet says against a new key, where only the wallet knows whose it is. It is called then: no
    transaction may be open.
    """
    known = stored(account)
    typed = {name: posted.get(PREFIX + name, "").strip() for name in providers.get(account.provider).fields}
    entered = known | {name: value for name, value in typed.items() if value}
    if not identity.only_the_wallet_knows(account, known, entered):
        return ""
    return identity.doubt(account, entered)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new account: whose, where, and whether real money moves. Its credentials come next."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("provider") == "sandbox" and data.get("live"):
            self.add_error("live", _("The sandbox wallet moves no real money: it can never be live."))
        return data

    provider = forms.ChoiceField(
        label=_("Provider"), choices=[(name, name) for name in providers.NAMES], widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = ProviderAccount
        fields = ("merchant", "provider", "name", "live")


class CredentialsForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account with its credentials. A secret left empty is kept. `doubt`: what the wallet says against the new key;
    None when it was not asked.
    """

    doubt: str | None = None

    class Meta:
        model = ProviderAccount
        fields = ("name", "enabled", "base_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.sealed:
            self.initial["enabled"] = True  # with its first credentials an account is ready

    def clean_base_url(self) -> str:
        """Nobody on the desk leads secrets elsewhere: live ones go to the wallet, others to no host inside."""
        address: str = self.cleaned_data["base_url"]
        if not address or address == self.instance.base_url:
            return address
        if self.instance.live:
            raise forms.ValidationError(_("A live account speaks to the wallet's own gateway alone. Leave this empty."))
        try:
            transport.check(address)
        except Refused as refused:
            raise forms.ValidationError(str(refused.message)) from refused
        return address

    def clean(self) -> dict[str, Any]:
        """Another gateway gets no secret that was entered for the one before, and an account that payments hang on
        stays the same one at the wallet. Payments that begin meanwhile wait for the account's lock.
        """
        data = super().clean() or self.cleaned_data
        account = ProviderAccount.objects.select_for_update().get(pk=self.instance.pk)
        known, base_url = stored(account), data.get("base_url", account.base_url)
        if base_url != account.base_url:
            for name in known:
                if _kind(name).secret and not data.get(PREFIX + name):
                    self.add_error(PREFIX + name, _("Enter it again: it would be sent to another gateway."))
        entered = self._entered(known)
        for name in identity.moved(account, known, entered, base_url):
            self.add_error(name if name == "base_url" else PREFIX + name, str(identity.FIXED))
        if self.doubt or (self.doubt is None and identity.only_the_wallet_knows(account, known, entered)):
            name = providers.get(account.provider).identity_key
            self.add_error(PREFIX + name if name else None, self.doubt or str(identity.FIXED))
        return data

    def _entered(self, known: Mapping[str, str]) -> dict[str, str]:
        """The credentials with what was typed; a secret left empty is the one before."""
        config = dict(known)
        for name, value in self.cleaned_data.items():
            credential = name.removeprefix(PREFIX)
            if credential != name and (value or not _kind(credential).secret):
                config[credential] = value
        return {name: value for name, value in config.items() if value}

    def save(self, commit: bool = True) -> ProviderAccount:
        self.instance.config = self._entered(stored(self.instance))
        return super().save(commit)


def form_for(account: ProviderAccount, doubt: str | None = None) -> type[CredentialsForm]:
    """The form that asks for what this account's provider wants."""
    provider = providers.get(account.provider)
    fields: dict[str, forms.Field] = {PREFIX + name: _field(account, name) for name in provider.fields}
    if provider.grants:
        fields["granted"] = forms.MultipleChoiceField(
            label=_("Granted"),
            choices=list(provider.grants.items()),
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            help_text=_("Tick what the wallet has granted to this account. Nothing else is offered to payers."),
        )
    meta = type(
        "Meta", (CredentialsForm.Meta,), {"fields": (*CredentialsForm.Meta.fields, *fields.keys() & {"granted"})}
    )
    return type("CredentialsForm", (CredentialsForm,), fields | {"Meta": meta, "doubt": doubt})


def _kind(name: str) -> Kind:
    return KINDS.get(name, Kind())


def _field(account: ProviderAccount, name: str) -> forms.CharField:
    kind, value = _kind(name), stored(account).get(name, "")
    optional: tuple[str, ...] = getattr(providers.get(account.provider), "optional_fields", ())
    attrs: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false"}
    if kind.secret and value:
        attrs["placeholder"] = _("Set. Leave empty to keep it.")
    widget: forms.Widget
    if kind.long:
        widget = UnfoldAdminTextareaWidget(attrs | {"rows": 4})
    elif kind.secret:
        widget = UnfoldAdminPasswordWidget(attrs | {"autocomplete": "new-password"})
    else:
        widget = UnfoldAdminTextInputWidget(attrs)
    return forms.CharField(
        label=name,
        help_text=kind.help,
        required=name not in optional and not (kind.secret and value),
        initial="" if kind.secret else value,
        max_length=20_000,
        widget=widget,
    )
