"""The desk's page of bill mismatches: work until somebody says how each was put right."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from friendpay.admin_kit.base import SupportAdmin, badge, code, link, mode, moment
from friendpay.admin_kit.confirm import confirm, posted
from friendpay.admin_kit.filters import mode_by
from payments.admin.filters import ProviderFilter
from payments.models import BillMismatch
from payments.settlement import bills


class OpenFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("not put right")), ("no", _("put right"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillMismatch]) -> QuerySet[BillMismatch]:
        value = self.value()
        return queryset.filter(settled_at__isnull=value == "yes") if value in ("yes", "no") else queryset


class NoteForm(forms.Form):
    note = forms.CharField(label=_("How it was put right"), max_length=200, widget=UnfoldAdminTextInputWidget)


@admin.register(BillMismatch)
class BillMismatchAdmin(SupportAdmin):
    """A mismatch is looked into at the wallet and in our books; nothing is booked here."""

    list_display = ("day", "state", "kind", "about", "ours", "theirs", "reference", "account_link", "mode")
    list_filter = (OpenFilter, "kind", ProviderFilter, mode_by("account__live"))
    date_hierarchy = "day"
    search_fields = ("reference", "provider_ref")
    search_help_text = _("Our reference or the wallet's")
    actions_detail = ("put_right",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("day", "state", "mode"),
                    ("kind", "about", "account_link"),
                    ("ours", "theirs"),
                    ("our_reference", "wallet_reference"),
                    ("found", "settled", "note"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(provider_ref=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillMismatch]:
        return super().get_queryset(request).select_related("account")

    def can(self, action: str, mismatch: BillMismatch) -> bool:
        return mismatch.settled_at is None

    @action(
        description=_("Put right"),
        url_path="put-right",
        permissions=["payments.change_billmismatch"],
        icon="task_alt",
        variant=ActionVariant.PRIMARY,
    )
    def put_right(self, request: HttpRequest, object_id: str) -> HttpResponse:
        mismatch = self.get_object(request, object_id)
        if mismatch is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def do(data: dict[str, Any]) -> str:
            bills.put_right(mismatch.pk, data["note"])
            return gettext("The mismatch was put right: %(note)s") % data

        return confirm(
            self,
            request,
            mismatch,
            do,
            title=gettext("Put a bill mismatch right"),
            text=gettext("Nothing is booked by this. It says that the difference is explained or mended, and how."),
            button=gettext("It is put right"),
            form=NoteForm(posted(request)),
            danger=False,
        )

    @admin.display(description=_("State"))
    def state(self, mismatch: BillMismatch) -> SafeString:
        return badge(_("put right"), "success") if mismatch.settled_at else badge(_("not put right"), "danger")

    @admin.display(description=_("Mode"))
    def mode(self, mismatch: BillMismatch) -> SafeString:
        return mode(mismatch.account.live)

    @admin.display(description=_("Provider account"))
    def account_link(self, mismatch: BillMismatch) -> SafeString:
        return link(mismatch.account, mismatch.account.name or mismatch.account.provider)

    @admin.display(description=_("Our reference"))
    def our_reference(self, mismatch: BillMismatch) -> SafeString:
        return code(mismatch.reference)

    @admin.display(description=_("The wallet's number"))
    def wallet_reference(self, mismatch: BillMismatch) -> SafeString:
        return code(mismatch.provider_ref)

    @admin.display(description=_("Found (UTC)"))
    def found(self, mismatch: BillMismatch) -> Any:
        return moment(mismatch.found_at)

    @admin.display(description=_("Put right (UTC)"))
    def settled(self, mismatch: BillMismatch) -> Any:
        return moment(mismatch.settled_at)
