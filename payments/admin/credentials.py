"""The form of a provider account: whatever credentials its provider asks for, and secrets that only go in."""

from collections.abc import Mapping
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
from payments.wallets import registry
from payments.wallets.base import ProviderError

PREFIX = "credential_"


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
    typed = {name: posted.get(PREFIX + name, "").strip() for name in registry.get(account.provider).fields}
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
        label=_("Provider"),
        choices=[(name, _(registry.get(name).label)) for name in registry.NAMES],
        widget=UnfoldAdminSelectWidget,
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
        if registry.get(self.instance.provider).run_by_shop:
            gateway = self.fields["base_url"]
            gateway.required = True
            gateway.help_text = _("The one address of your gateway: friends are led to it, and friendpay calls it.")

    def clean_base_url(self) -> str:
        """Nobody on the desk leads secrets elsewhere: live ones go to the wallet, others to no host inside."""
        address: str = self.cleaned_data["base_url"]
        if not address or address == self.instance.base_url:
            return address
        if not self.instance.may_have_gateway:
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
        fields = registry.get(account.provider).fields
        if base_url != account.base_url:
            for name, asked in fields.items():
                if known.get(name) and asked.secret and not data.get(PREFIX + name):
                    self.add_error(PREFIX + name, _("Enter it again: it would be sent to another gateway."))
        entered = self._entered(known)
        for name in identity.moved(account, known, entered, base_url):
            self.add_error(name if name == "base_url" else PREFIX + name, str(identity.FIXED))
        if self.doubt or (self.doubt is None and identity.only_the_wallet_knows(account, known, entered)):
            name = registry.get(account.provider).identity_key
            self.add_error(PREFIX + name if name else None, self.doubt or str(identity.FIXED))
        return data

    def _entered(self, known: Mapping[str, str]) -> dict[str, str]:
        """The credentials with what was typed; a secret left empty is the one before."""
        config, fields = dict(known), registry.get(self.instance.provider).fields
        for name, value in self.cleaned_data.items():
            credential = name.removeprefix(PREFIX)
            if credential != name and (value or not fields[credential].secret):
                config[credential] = value
        return {name: value for name, value in config.items() if value}

    def save(self, commit: bool = True) -> ProviderAccount:
        self.instance.config = self._entered(stored(self.instance))
        return super().save(commit)


def form_for(account: ProviderAccount, doubt: str | None = None) -> type[CredentialsForm]:
    """The form that asks for what this account's provider wants."""
    provider = registry.get(account.provider)
    fields: dict[str, forms.Field] = {PREFIX + name: _field(account, name) for name in provider.fields}
    if provider.grants:
        fields["granted"] = forms.MultipleChoiceField(
            label=_("Granted"),
            choices=[(name, _(grant)) for name, grant in provider.grants.items()],
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            help_text=_("Tick what the wallet has granted to this account. Nothing else is offered to payers."),
        )
    meta = type(
        "Meta", (CredentialsForm.Meta,), {"fields": (*CredentialsForm.Meta.fields, *fields.keys() & {"granted"})}
    )
    return type("CredentialsForm", (CredentialsForm,), fields | {"Meta": meta, "doubt": doubt})


def _field(account: ProviderAccount, name: str) -> forms.CharField:
    asked, value = registry.get(account.provider).fields[name], stored(account).get(name, "")
    attrs: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false"}
    if asked.secret and value:
        attrs["placeholder"] = _("Set. Leave empty to keep it.")
    widget: forms.Widget
    if asked.long:
        widget = UnfoldAdminTextareaWidget(attrs | {"rows": 4})
    elif asked.secret:
        widget = UnfoldAdminPasswordWidget(attrs | {"autocomplete": "new-password"})
    else:
        widget = UnfoldAdminTextInputWidget(attrs)
    return forms.CharField(
        label=name,
        help_text=_(asked.help) if asked.help else "",
        required=not asked.optional and not (asked.secret and value),
        initial="" if asked.secret else value,
        max_length=20_000,
        widget=widget,
    )
