"""The desk's pages of provider accounts: the shops' accounts at wallets."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters, reauthentication
from friendpay.admin_kit.acts import Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import address, badge, code
from friendpay.admin_kit.columns import ID, MODE, Column
from friendpay.kit import clock
from friendpay.kit.waiting import waits_for_wallet
from payments.admin import credentials, parts
from payments.admin.filters import BY_PROVIDER, PAUSED
from payments.models import ProviderAccount
from payments.settlement import refunds
from payments.wallets import registry


def _ask(request: HttpRequest, account: ProviderAccount) -> None:
    """Show what the provider says of the account. Where it is content, refunds that waited for that go on."""
    fine, words = credentials.ask(account)
    if fine:
        refunds.try_now(account)
    messages.add_message(request, messages.SUCCESS if fine else messages.ERROR, words)


def _state(account: ProviderAccount) -> SafeString:
    return badge(_("on"), "success") if account.enabled else badge(_("off"))


@admin.register(ProviderAccount)
class ProviderAccountAdmin(SupportAdmin[ProviderAccount]):
    """An account is made first, then given its credentials. It can be switched off, not deleted: money hangs on it."""

    of_shop = "merchant"
    list_display = ("__str__", "provider", "mode", "state", "merchant", "refused_notifications")
    list_filter = (BY_PROVIDER, PAUSED, filters.mode(), "enabled", ("merchant", filters.ShopFilter))
    search_fields = ("name", "merchant__name")
    search_help_text = _("Name, shop or id")
    autocomplete_fields = ("merchant",)
    readonly_fields = ("account", "mode", "shop", "notify", "refused_notifications", "id_text")
    columns = {
        "account": Column(_("Provider"), lambda account: account.provider),
        "mode": MODE,
        "state": Column(_("State"), _state, "enabled"),
        "shop": parts.SHOP,
        "notify": Column(_("Notification address"), lambda account: code(account.notify_url)),
        "id_text": ID,
    }
    acts = {
        "test": Act(
            label=_("Test this account"),
            rights=("payments.change_provideraccount",),
            icon="network_check",
            again=True,
            waits=True,
            when=lambda account: account.is_installed,
            title=_("Test %(account)s"),
            text=_("The wallet is asked something harmless, signed with these credentials. No money moves."),
            button=_("Test this account"),
            danger=False,
            do=lambda account, _data, _by: account,
            done=_("%(account)s was asked."),
            after=lambda request, account, _result: transaction.on_commit(partial(_ask, request, account)),
        )
    }

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("payments.add_provideraccount")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is changed at a wallet whose package is missing: what it takes could not be checked."""
        installed = not isinstance(obj, ProviderAccount) or obj.is_installed
        return installed and request.user.has_perm("payments.change_provideraccount")

    def facts(self, account: ProviderAccount) -> dict[str, Any]:
        return {"account": account}

    def find(self, text: str) -> Q | None:
        return Q(public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        return super().get_queryset(request).select_related("merchant")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("merchant", "provider", "name", "live")}),)
        names = [credentials.PREFIX + name for name in registry.get(obj.provider).fields]
        about = (None, {"fields": (("account", "mode", "shop"), ("name", "enabled"), "notify")})
        by_shop = registry.get(obj.provider).run_by_shop and self.has_change_permission(request, obj)
        gateway, facts = ("base_url",), ("id_text", "refused_notifications")
        more = (_("More"), {"fields": (facts,) if by_shop else (*gateway, facts)})
        if not self.has_change_permission(request, obj):
            return (about, more)
        granted = ("granted",) if registry.get(obj.provider).grants else ()
        return (about, (_("Credentials"), {"fields": (*(gateway if by_shop else ()), *names, *granted)}), more)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[ModelForm]:  # type: ignore[type-arg]
        form = credentials.form_for(obj, getattr(request, "doubt", None)) if obj else credentials.AccountForm
        return super().get_form(request, obj, change=change, form=form, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"provider": registry.NAMES[0], **super().get_changeform_initial_data(request)}

    @waits_for_wallet(lane="desk")
    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As `changeform_view` says, which may ask the wallet."""
        answer: HttpResponse = super().change_view(request, *args, **kwargs)
        return answer

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Credentials are read and changed by those who gave the password lately. Whose a new key is only the wallet
        can tell: it is asked before the form's transaction begins.
        """
        touched = request.method == "POST" or self.has_change_permission(request)
        if touched and (page := reauthentication.ask(request, self.admin_site)):
            return page
        if request.method == "POST" and object_id and self.has_change_permission(request):
            account = self.get_object(request, object_id)
            if account is not None and account.is_installed:
                request.doubt = credentials.doubt(account, request.POST)  # type: ignore[attr-defined]
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new account takes no payments before it has credentials; new credentials are shown to the provider."""
        if not change:
            obj.enabled = False
        super().save_model(request, obj, form, change)
        if change:
            transaction.on_commit(partial(_ask, request, obj))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, gettext("The account is there. Now enter its credentials and switch it on."))
        return HttpResponseRedirect(address(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay, so that what the provider says stands beside what was entered."""
        return HttpResponseRedirect(address(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj and not obj.is_installed:
            text = gettext(
                "The package of the wallet %(wallet)s is not installed. Nobody pays with it; its notifications, "
                "questions and refunds wait. Install the package again and start the servers anew, and they go on."
            )
            self.message_user(request, text % {"wallet": obj.provider}, messages.ERROR)
        if obj and obj.is_locked:
            text = gettext("The stored credentials cannot be read with the present keys. Please enter them again.")
            self.message_user(request, text, messages.ERROR)
        if obj and (ends := obj.ends_soon(clock.now())):
            text = gettext("The wallet's certificates end on %(day)s. Please enter newer ones before.")
            self.message_user(request, text % {"day": f"{ends:%Y-%m-%d}"}, messages.WARNING)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
