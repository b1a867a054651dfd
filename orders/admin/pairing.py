"""The desk's page where a person of the shop consents to a pairing. Nothing is ever granted without this form."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from friendpay.admin_kit import reauthentication
from friendpay.kit.errors import Refused
from orders import pairings
from orders.models import Merchant, Pairing

RIGHTS = ("orders.add_apikey", "orders.change_merchant")


class ConsentForm(forms.Form):
    """For which shop: one that there is, or one to be made."""

    shop = forms.ModelChoiceField(
        Merchant.objects.none(), label=_("Shop"), required=False, empty_label=None, widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        label=_("Or a new shop's name"), max_length=80, required=False, widget=UnfoldAdminTextInputWidget
    )
    contact = forms.CharField(
        label=_("The new shop's contact"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, data: QueryDict | None, *, shops: QuerySet[Merchant], may_add: bool) -> None:
        super().__init__(data)
        shop = cast("forms.ModelChoiceField[Merchant]", self.fields["shop"])
        shop.queryset, shop.empty_label = shops, gettext("Choose a shop")
        if not may_add:
            del self.fields["name"], self.fields["contact"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if bool(data.get("shop")) == bool(data.get("name")):
            self.add_error("shop", gettext("Choose a shop, or name a new one."))
        if data.get("name") and not data.get("contact"):
            self.add_error("contact", gettext("A new shop needs a contact, which every payer sees."))
        return data

    def chosen(self) -> Merchant:
        data = self.cleaned_data
        return data["shop"] or Merchant.objects.create(name=data["name"], contact=data["contact"])


@csrf_protect
@never_cache
def page(request: HttpRequest, pairing_id: str) -> HttpResponse:
    """Who asks, and for what; with the form sent, it is granted, and a link leads back with the code."""
    if not all(request.user.has_perm(right) for right in RIGHTS):
        raise PermissionDenied
    if request.method == "POST" and (asked := reauthentication.ask(request, admin.site)):
        return asked
    pairing = pairings.open_for_consent(pairing_id)
    if pairing is None:
        return _answer(request, "over", gettext("This pairing has ended"), status=404)
    shops = admin.site.get_model_admin(Merchant)
    data = request.POST if request.method == "POST" else None
    form = ConsentForm(data, shops=shops.get_queryset(request), may_add=shops.has_add_permission(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                shop, back = pairings.consent(pairing_id, form.chosen, request.user.get_username())
                said = gettext("%(app)s was connected (%(pairing)s).") % {"app": pairing.app, "pairing": pairing}
                shops.log_change(request, shop, said)
        except Refused as refused:
            form.add_error(None, str(refused.message))
        else:
            response = _answer(request, "done", gettext("Paired"), pairing=pairing, shop=shop, back=back)
            response["Refresh"] = f"1;url={back}"
            return response
    declined = pairings.answer_to(pairing, error="declined")
    title = gettext("Connect a shop")
    return _answer(request, "asks", title, pairing=pairing, form=form, asks=_asks(pairing), back=declined)


def _asks(pairing: Pairing) -> list[tuple[str, str]]:
    """All that is asked for, a line each."""
    rights = {
        gettext("read orders and payments"): pairing.can_read,
        gettext("place orders and ask for payments"): pairing.can_write,
        gettext("refund, which sends your money back to payers"): pairing.can_refund,
    }
    return [
        (gettext("Program"), pairing.app),
        (gettext("Site"), pairing.site),
        (gettext("It may"), "; ".join(words for words, wanted in rights.items() if wanted)),
        (gettext("Money"), gettext("real money") if pairing.live else gettext("test, no real money")),
        (gettext("Told of what happens"), pairing.webhook_url),
        (gettext("May send buyers back to, and show requests on"), ", ".join(pairing.origins)),
    ]


def _answer(request: HttpRequest, state: str, title: str, *, status: int = 200, **context: Any) -> HttpResponse:
    known = {**admin.site.each_context(request), "title": title, "state": state}
    return TemplateResponse(request, "orders/admin/pairing.html", {**known, **context}, status=status)


urlpatterns = [path("<slug:pairing_id>/", admin.site.admin_view(page), name="pairing")]
