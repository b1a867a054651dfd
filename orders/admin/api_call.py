"""The desk's page of the request log."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import badge, code, moment
from friendpay.admin_kit.columns import ID, MODE, Column
from orders.models import ApiCall


def _status(call: ApiCall) -> SafeString:
    kind = "success" if call.status < 400 else "warning" if call.status < 500 else "danger"
    return badge(str(call.status), kind)


@admin.register(ApiCall)
class ApiCallAdmin(SupportAdmin[ApiCall]):
    """What shops' programs asked for lately. It is written after each call and never touched again."""

    of_shop = "merchant"
    list_display = ("time", "method", "path", "status_badge", "code", "milliseconds", "key_start", "merchant", "mode")
    list_filter = (filters.mode(), ("merchant", filters.ShopFilter))
    list_select_related = ("key", "merchant")
    search_fields = ("public_id", "key__start")
    search_help_text = _("Request id, or how the key begins")
    fieldsets = (
        (None, {"fields": (("time", "mode"), ("method", "path"), ("status_badge", "code", "milliseconds"))}),
        (_("Who"), {"fields": (("merchant", "key_start", "agent"),)}),
        (_("Data"), {"fields": ("query", "body_text", "answer_text")}),
        (_("Id"), {"fields": ("id_text",)}),
    )
    columns = {
        "time": Column(_("Time"), lambda call: moment(call.at), "id"),
        "status_badge": Column(_("Status"), _status),
        "key_start": Column(_("API key"), lambda call: code(str(call.key))),
        "mode": MODE,
        "body_text": Column(_("Body"), lambda call: code(call.body)),
        "answer_text": Column(_("Answer"), lambda call: code(call.answer)),
        "id_text": ID,
    }

    def find(self, text: str) -> Q | None:
        return Q(public_id=text)
