"""Actions of the desk as data: a button, a page that asks once more, and what is said once it is done.

What an action needs (rights, the password again, a form, a confirmation) is declared in an `Act` and enforced here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit import reasons
from friendpay.admin_kit.cells import address
from friendpay.admin_kit.reauthentication import requires_password
from friendpay.kit.errors import Refused
from friendpay.kit.waiting import waits_for_wallet

Thing = TypeVar("Thing", bound=Model)

Data = dict[str, Any]  # what a form was filled in with
PRIMARY, DANGER, PLAIN = ActionVariant.PRIMARY, ActionVariant.DANGER, ActionVariant.DEFAULT


@dataclass(frozen=True, kw_only=True)
class Act(Generic[Thing]):
    """One thing that support may do. Sentences may name the page's `facts`; `done` the form's data too."""

    label: Promise
    rights: tuple[str, ...]
    icon: str
    colour: ActionVariant = PLAIN
    again: bool = False
    """Whether the password is asked for again, if it was not given lately."""
    waits: bool = False
    """Whether a wallet is called in it."""
    when: Callable[[Thing], bool] = lambda _thing: True
    """Whether the button makes sense for this thing now. The use case decides in the end."""

    title: Promise
    text: Promise
    button: Promise
    danger: bool = True
    form: Callable[[QueryDict | None, Thing], forms.Form] = lambda data, _thing: forms.Form(data)

    why: str = reasons.WHY
    """The field by which whoever does it says why; the record says it too. It is asked for here, or named here where
    the form asks in its own words.
    """
    instead: Callable[[HttpRequest, Thing, Data], str] = lambda _request, _thing, _data: ""
    """What happens in place of `do`, in words, where one person alone may not do it. It may raise Refused as well."""

    do: Callable[[Thing, Data, str], Any]
    """The use case: the thing, the form's data, and who events say did it. It raises Refused, or happens."""
    done: "Promise | Callable[[Thing, Any], str]"
    """What was done; a function of the thing and what `do` returned, where that decides the words."""
    after: Callable[[HttpRequest, Thing, Any], None] = lambda _request, _thing, _result: None
    """What follows the commit: whatever calls a wallet, or shows a secret once."""
    ends: bool = False
    """Whether the thing is gone afterwards, so that its list follows."""

    def asks(self, data: QueryDict | None, thing: Thing) -> forms.Form:
        """The form, which always asks why."""
        form = self.form(data, thing)
        if self.why == reasons.WHY:
            reasons.ask_in(form)
        return form

    def happens(self, thing: Thing, data: Data, by: str) -> Any:
        """The use case, which has nothing to do with the reason."""
        return self.do(thing, reasons.apart(data), by)

    def said(self, thing: Thing, result: Any, facts: Data) -> str:
        """What was done, in words."""
        return self.done(thing, result) if callable(self.done) else _filled(self.done, facts)


def deletes(right: str, title: Promise, text: Promise, *, again: bool = False) -> Act[Any]:
    """What takes a thing away for good. What was done to it stays on record."""
    return Act(
        label=_("Delete"),
        rights=(right,),
        icon="delete",
        colour=DANGER,
        again=again,
        title=title,
        text=text,
        button=_("Delete"),
        do=lambda thing, _data, _by: thing.delete(),
        done=_("It was deleted."),
        ends=True,
    )


def by(user: Any) -> str:
    """Who events say did it."""
    return f"support:{user.get_username()}"[:80]


def view_of(name: str, act: Act[Any]) -> Any:
    """The page of an action, with its button, as the admin wants it: a method of this name."""

    def method(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        if not admin.has_view_or_change_permission(request):  # who may not read about it does nothing with it
            raise PermissionDenied
        thing = admin.to_act_on(request, object_id)
        if thing is None:
            missing: HttpResponse = admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)
            return missing
        return _confirm(admin, request, thing, act)

    method.__name__ = name
    if act.waits:
        waits_for_wallet(lane="desk")(method)
    return action(
        description=act.label,
        url_path=name.replace("_", "-"),
        permissions=act.rights,
        icon=act.icon,
        variant=act.colour,
    )(requires_password(method) if act.again else method)


def _confirm(admin: Any, request: HttpRequest, thing: Any, act: Act[Any]) -> HttpResponse:
    """Show what would be done, with its form; once it is posted, do it.

    What was done and the log of it commit together. A refusal is shown as an error; then nothing has happened.
    """
    facts = admin.facts(thing)
    form = act.asks(request.POST if request.method == "POST" else None, thing)
    back = reverse(f"admin:{admin.opts.label_lower.replace('.', '_')}_changelist") if act.ends else address(thing)
    status, title, text = 200, _filled(act.title, facts), _filled(act.text, facts)
    if request.method == "POST" and form.is_valid():
        key = thing.pk
        try:
            with transaction.atomic():
                result, said = None, act.instead(request, thing, form.cleaned_data)
                if not (proposed := bool(said)):
                    result = act.happens(thing, form.cleaned_data, by(request.user))
                    thing.pk = key  # the log names what was deleted, too
                    said = act.said(thing, result, form.cleaned_data | facts)
                admin.log_change(request, thing, reasons.told(said, form.cleaned_data))
                messages.success(request, said)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
            status = refused.status
        else:
            if not proposed:
                act.after(request, thing, result)
            return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": thing,
        "title": title,
        "text": text,
        "button": act.button,
        "danger": act.danger,
        "form": form,
        "back": address(thing),
    }
    return TemplateResponse(request, "orders/admin/confirm.html", context, status=status)


def _filled(words: "Promise | str", facts: Data) -> str:
    return str(words) % facts if facts else str(words)
