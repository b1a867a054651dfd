"""A page that asks once more before something happens."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse

from friendpay.admin_kit.base import address
from friendpay.kit.errors import Refused


def actor(request: HttpRequest) -> str:
    """Who events say did it."""
    return f"support:{request.user.get_username()}"[:80]


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form on such a page is given: nothing before it is sent, even if little is sent then."""
    return request.POST if request.method == "POST" else None


def confirm(  # noqa: PLR0913  # the words of one page, each by its name
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    thing: Model,
    do: Callable[[dict[str, Any]], str],
    *,
    title: object,
    text: object,
    button: object,
    form: forms.Form | None = None,
    danger: bool = True,
) -> HttpResponse:
    """Show `text` and the form; once it is posted, `do` is called with its data and says what was done.

    What was done and the log of it commit together. A refusal is shown as an error; then nothing has happened.
    """
    form = form or forms.Form(posted(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                done = do(form.cleaned_data)
                admin.log_change(request, thing, done)
                messages.success(request, done)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
            status = refused.status
        else:
            return HttpResponseRedirect(address(thing))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": thing,
        "title": title,
        "text": text,
        "button": button,
        "danger": danger,
        "form": form,
        "back": address(thing),
    }
    return TemplateResponse(request, "orders/admin/confirm.html", context, status=status)
