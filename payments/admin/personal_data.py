"""Personal data at the desk: what is known of an order's buyer or a payment's payer, taken along or erased."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from friendpay.admin_kit import reauthentication
from friendpay.admin_kit.acts import DANGER, Act
from orders import access
from orders.models import Access
from payments.books import erasure, persons
from payments.books.persons import Person

RIGHT = "orders.erase_person"
Find = Callable[[Any], Person]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("For the record, such as the number of her letter. Without her name."),
    )


def erases(find: Find) -> "Act[Any]":
    """The button that erases whoever `find` names."""
    return Act(
        label=_("Erase personal data"),
        rights=(RIGHT,),
        icon="person_remove",
        colour=DANGER,
        again=True,
        title=_("Erase this person's data"),
        text=_(
            "Names, messages, addresses and whatever recognises this person go, here and in all that we can tell is "
            "hers at this shop. Amounts, times and references stay. It cannot be undone."
        ),
        button=_("Erase personal data"),
        form=lambda data, _thing: ReasonForm(data),
        why="reason",
        do=lambda thing, data, by: erasure.erase(find(thing), who=by.removeprefix("support:"), reason=data["reason"]),
        done=_("Personal data was erased. Reason: %(reason)s"),
    )


def known(admin: Any, request: HttpRequest, person: Person, name: str) -> HttpResponse:
    """What is known, as a file, for who gave the password lately. Who took it is on record."""
    if page := reauthentication.ask(request, admin.admin_site):
        return page
    access.note(request.user.get_username(), Access.Kind.PERSON, person.said)
    text = json.dumps(persons.known_of(person), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="personal-data-{name}.json"'
    return response
