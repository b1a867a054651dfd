"""Why somebody at the desk does something: a choice from a list, and words. Both go into the record."""

from typing import Any, TypeVar, cast

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

Form = TypeVar("Form", bound=forms.BaseForm)

WHY, WORDS = "why", "why_words"
OTHER = "other"

REASONS = {
    "buyer": _("The buyer asked for it"),
    "payer": _("The payer asked for it"),
    "shop": _("The shop asked for it"),
    "fault": _("Something went wrong"),
    "suspicion": _("It looks suspicious"),
    "checked": _("It was looked into"),
    "routine": _("Set-up or routine work"),
    OTHER: _("Something else"),
}


class _Choice(forms.ChoiceField):
    """Nothing is chosen beforehand: a reason nobody chose tells nothing."""

    def __init__(self) -> None:
        choices = [("", "-"), *REASONS.items()]
        super().__init__(label=_("Reason"), choices=choices, widget=UnfoldAdminSelectWidget)


def ask_in(form: forms.Form) -> None:
    """Let the form ask why. Where no reason of the list fits, words are wanted."""
    form.fields[WHY] = _Choice()
    other = form.data.get(WHY) == OTHER
    form.fields[WORDS] = forms.CharField(
        label=_("In your words"), max_length=200, required=other, widget=UnfoldAdminTextInputWidget
    )


class _Asking:
    """Goes before a form that is saved: it asks why, which is no change of what is saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ask_in(cast(forms.Form, self))

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name not in (WHY, WORDS)]  # type: ignore[misc]


def asked_by(form: type[Form]) -> type[Form]:
    """The same form, which asks why."""
    kind: Any = type(form)
    made: type[Form] = kind(form.__name__, (_Asking, form), {})
    return made


def apart(data: dict[str, Any]) -> dict[str, Any]:
    """What a form says but for the reason."""
    return {name: value for name, value in data.items() if name not in (WHY, WORDS)}


def told(said: str, data: dict[str, Any]) -> str:
    """What was done, with the reason that was given for it."""
    if WHY not in data:  # the form asks in its own words, which are in what is said
        return said
    reason = {"reason": REASONS[data[WHY]], "words": data[WORDS]}
    words = gettext("Reason: %(reason)s. %(words)s") % reason
    return f"{said} {words}".strip()
