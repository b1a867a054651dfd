"""How a page says no: `Refused` leads back to the page it belongs on, with what was typed and why it will not do.

@page("POST", of="friend")
@refusals_on(friend_page.draw)
def decline(request, token):
    given = taken(request, DeclineForm(request.POST))
    requests.decline(...)                                 # may raise Refused
    return SeeOther(...)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from friendpay.kit.errors import Refused
from friendpay.kit.pages import View

AnyForm = TypeVar("AnyForm", bound=Form)


@dataclass(frozen=True)
class Told:
    """What a page has to say besides its state: the form that was sent, and why it was not taken."""

    form: Form | None = None
    refusal: str = ""  # where there is no form for it to stand on
    status: int = HTTPStatus.OK

    def form_or(self, empty: AnyForm) -> AnyForm:
        """The form that was sent if it is this one, else the empty one."""
        return self.form if isinstance(self.form, type(empty)) else empty

    def above(self, *shown: str) -> str:
        """What is wrong with anything but the fields that are shown, for the top of the page."""
        if self.form is None:
            return self.refusal
        return " ".join(
            str(error) for name, errors in self.form.errors.items() if name not in shown for error in errors
        )


NOTHING = Told()

Draw = Callable[..., HttpResponse]
"""Draws a page: `draw(request, **the view's own arguments, told=...)`."""


class _NotTaken(Refused):
    """A form that cannot be read as it was sent."""

    def __init__(self) -> None:
        super().__init__("invalid", "", status=HTTPStatus.UNPROCESSABLE_ENTITY)


def taken(request: HttpRequest, form: Form) -> dict[str, Any]:
    """What was sent by a form, checked; what is refused from here on stands on this form."""
    vars(request)["taken"] = form
    if not form.is_valid():
        raise _NotTaken
    return form.cleaned_data


def refusals_on(draw: Draw) -> Callable[[View], View]:
    """A view whose refusals are told on the page that `draw` draws, with the status that they deserve."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except Refused as refused:
                form: Form | None = vars(request).get("taken")
                if form is not None and not isinstance(refused, _NotTaken):
                    form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
                told = Told(form, str(refused.message), refused.status)
                response = draw(request, *args, told=told, **kwargs)
                if refused.retry_after:
                    response["Retry-After"] = str(refused.retry_after)
                return response

        return answer

    return decorate
