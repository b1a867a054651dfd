"""Why somebody at the desk does something: a choice from a list, and words. Both go into the record."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

WHY, WORDS = "why", "why_words"
OTHER = "other"

REASONS = {
    "buyer": _("The buyer asked for it"),
    "payer": _("The payer asked for it"),
    "shop": _("The shop asked for it"),
    "fault": _("Something went wrong"),
    "suspicion": _("It looks suspicious"),
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


def told(said: str, data: dict[str, Any]) -> str:
    """What was done, with the reason that was given for it."""
    if WORDS not in data:  # it was not asked for here; an act's own form may have a field of the other name
        return said
    reason = {"reason": REASONS[data[WHY]], "words": data[WORDS]}
    words = gettext("Reason: %(reason)s. %(words)s") % reason
    return f"{said} {words}".strip()
