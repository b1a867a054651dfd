"""The desk's page of the access log; pages of things that may name a person add to it."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import base, filters
from friendpay.admin_kit.cells import moment
from friendpay.admin_kit.columns import Column
from orders import access
from orders.models import Access, ApiCall, Event, Order

HOLD_PERSONAL_DATA: set[type[Model]] = {Order, Event, ApiCall}
"""The models whose pages may name a buyer or a payer. Whoever has such a page adds its model here."""


def note_page(request: HttpRequest, thing: Model) -> None:
    """Somebody opened the page of a thing."""
    if type(thing) in HOLD_PERSONAL_DATA:
        about = f"{thing._meta.label_lower} {getattr(thing, 'public_id', thing.pk)}"
        merchant_id = getattr(thing, "merchant_id", None)
        access.note(request.user.get_username(), Access.Kind.PAGE, about, merchant_id=merchant_id)


base.WATCHERS.append(note_page)


@admin.register(Access)
class AccessAdmin(base.SupportAdmin[Any]):
    """Read by auditors. Nobody changes it; it is forgotten after ACCESS_LOG_DAYS."""

    of_shop = "merchant"
    list_display = ("time", "who", "kind", "about", "reason", "merchant")
    list_filter = ("kind", ("merchant", filters.ShopFilter))
    list_select_related = ("merchant",)
    search_fields = ("=who", "about")
    search_help_text = _("A login, or an id")
    fieldsets = ((None, {"fields": (("time", "who", "kind"), ("about", "merchant"), "reason")}),)
    columns = {"time": Column(_("Time"), lambda row: moment(row.at), "id")}
