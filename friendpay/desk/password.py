"""The first factor. Passwords can be guessed, so wrong ones count: for where they come from, and for the login tried.

Whoever has logged in with a browser before carries a cookie that says so. Wrong passwords of strangers then never lock
that person out there.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm

from friendpay.desk import logbook
from friendpay.digests import digest
from friendpay.networks import network_of
from orders import ratelimit

WINDOW = 900
"""Seconds in which wrong passwords count together."""

FROM_ONE_NETWORK = 10
FOR_ONE_LOGIN = 30
"""Wrong passwords for a login from browsers it was never used with."""

COOKIE = "desk"
AGE = 180 * 24 * 3600


class PasswordForm(AuthenticationForm):
    """A login and its password. After too many wrong ones even the right one is not looked at for a while."""

    request: HttpRequest
    seconds = 0
    """How long to wait, when it was not looked at."""

    def clean(self) -> dict[str, Any]:
        names = self._counts()
        self.seconds = max(
            (
                ends
                for (tries, ends), most in zip(ratelimit.counted(*names), names.values(), strict=True)
                if tries >= most
            ),
            default=0,
        )
        if self.seconds:
            logbook.write_failure(self.request, logbook.LOCKED_OUT, self.cleaned_data.get("username", ""))
            minutes = -(-self.seconds // 60)
            raise forms.ValidationError(
                ngettext(
                    "There were too many wrong passwords. Please wait %(minutes)s minute and try again.",
                    "There were too many wrong passwords. Please wait %(minutes)s minutes and try again.",
                    minutes,
                )
                % {"minutes": minutes}
            )
        try:
            return super().clean()
        except forms.ValidationError:
            logbook.write_failure(self.request, logbook.WRONG_PASSWORD, self.cleaned_data.get("username", ""))
            ratelimit.count(*names, window=WINDOW)
            raise

    def _counts(self) -> dict[str, int]:
        """Under which names a wrong password counts, and how many there may be."""
        login = _hashed(self.cleaned_data.get("username", ""))
        if self.request.get_signed_cookie(COOKIE, "", salt=COOKIE, max_age=AGE) == login:
            return {f"desk-browser:{login}": FROM_ONE_NETWORK}
        network = network_of(self.request)
        near = {f"desk-network:{network}": FROM_ONE_NETWORK} if network else {}
        return {**near, f"desk-login:{login}": FOR_ONE_LOGIN}


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser of who is in say so next time."""
    response.set_signed_cookie(
        COOKIE,
        _hashed(request.user.get_username()),
        salt=COOKIE,
        max_age=AGE,
        path="/admin/",
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
    )


def _hashed(login: str) -> str:
    return digest("friendpay.desk", login.casefold())
