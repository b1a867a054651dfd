"""The desk's page of bill mismatches: work until somebody says how each was put right."""

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import PRIMARY, Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import badge, mode, moment
from friendpay.admin_kit.columns import Column
from payments.admin import parts
from payments.admin.filters import BY_ACCOUNTS_PROVIDER
from payments.models import BillMismatch
from payments.settlement import bills

IS_OPEN = filters.choice(
    _("state"),
    "open",
    {"yes": (_("not put right"), Q(settled_at=None)), "no": (_("put right"), Q(settled_at__isnull=False))},
)


class NoteForm(forms.Form):
    note = forms.CharField(label=_("How it was put right"), max_length=200, widget=UnfoldAdminTextInputWidget)


def _state(mismatch: BillMismatch) -> SafeString:
    return badge(_("put right"), "success") if mismatch.settled_at else badge(_("not put right"), "danger")


@admin.register(BillMismatch)
class BillMismatchAdmin(SupportAdmin[BillMismatch]):
    """A mismatch is looked into at the wallet and in our books; nothing is booked here."""

    of_shop = "account__merchant"
    list_display = ("day", "state", "kind", "about", "ours", "theirs", "reference", "account_link", "mode")
    list_filter = (IS_OPEN, "kind", BY_ACCOUNTS_PROVIDER, filters.mode("account__live"))
    date_hierarchy = "day"
    search_fields = ("reference", "provider_ref")
    search_help_text = _("Our reference or the wallet's")
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

    columns = {
        "state": Column(_("State"), _state),
        "mode": Column(_("Mode"), lambda mismatch: mode(mismatch.account.live)),
        "account_link": parts.ACCOUNT,
        "our_reference": parts.OUR_REFERENCE,
        "wallet_reference": parts.WALLET_REFERENCE,
        "found": Column(_("Found"), lambda mismatch: moment(mismatch.found_at)),
        "settled": Column(_("Put right"), lambda mismatch: moment(mismatch.settled_at)),
    }
    acts = {
        "put_right": Act(
            label=_("Put right"),
            rights=("payments.change_billmismatch",),
            icon="task_alt",
            colour=PRIMARY,
            when=lambda mismatch: mismatch.settled_at is None,
            title=_("Put a bill mismatch right"),
            text=_("Nothing is booked by this. It says that the difference is explained or mended, and how."),
            button=_("It is put right"),
            danger=False,
            form=lambda data, _mismatch: NoteForm(data),
            why="note",
            do=lambda mismatch, data, _by: bills.put_right(mismatch.pk, data["note"]),
            done=_("The mismatch was put right: %(note)s"),
        )
    }

    def find(self, text: str) -> Q | None:
        return Q(reference=text) | Q(provider_ref=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillMismatch]:
        return super().get_queryset(request).select_related("account")
