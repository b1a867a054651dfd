"""The desk's login with its rate limits: wrong passwords count for where they come from and for the login tried.

Whoever has logged in with a browser before carries a cookie that says so. Wrong passwords of strangers then never lock
that person out there.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from friendpay.admin_kit import audit_log
from friendpay.kit import counters, desk_limits
from friendpay.kit.digests import digest
from friendpay.kit.networks import network_of

T = TypeVar("T")


COOKIE = "desk"


class TooMany(forms.ValidationError):
    """There were too many wrong passwords, so this one was not looked at: not for so many seconds."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        text = ngettext(
            "There were too many wrong passwords. Please wait %(minutes)s minute and try again.",
            "There were too many wrong passwords. Please wait %(minutes)s minutes and try again.",
            minutes,
        )
        super().__init__(text % {"minutes": minutes})
        self.seconds = seconds


def limit_guesses(request: HttpRequest, login: str, compare: Callable[[], T]) -> T:
    """What `compare` says of a password, which raises ValidationError for a wrong one: that counts and is written down.

    After too many even the right one is not compared for a while (TooMany).
    """
    names = _counts(request, login)
    counted = zip(counters.counted(*names), names.values(), strict=True)
    if seconds := max((ends for (tries, ends), most in counted if tries >= most), default=0):
        audit_log.write_failure(request, audit_log.LOCKED_OUT, login)
        raise TooMany(seconds)
    try:
        return compare()
    except forms.ValidationError:
        audit_log.write_failure(request, audit_log.WRONG_PASSWORD, login)
        counters.count(*names, window=desk_limits.WRONG_PASSWORDS_SECONDS)
        raise


def _counts(request: HttpRequest, login: str) -> dict[str, int]:
    """Under which names a wrong password counts, and how many there may be."""
    login = _hashed(login)
    if request.get_signed_cookie(COOKIE, "", salt=COOKIE, max_age=desk_limits.KNOWN_BROWSER_SECONDS) == login:
        return {f"desk-browser:{login}": desk_limits.WRONG_PASSWORDS_OF_A_NETWORK}
    network = network_of(request)
    near = {f"desk-network:{network}": desk_limits.WRONG_PASSWORDS_OF_A_NETWORK} if network else {}
    return {**near, f"desk-login:{login}": desk_limits.WRONG_PASSWORDS_OF_A_LOGIN}


class PasswordForm(AuthenticationForm):
    """A login and its password."""

    request: HttpRequest
    seconds = 0
    """How long to wait, when the password was not looked at."""

    def clean(self) -> dict[str, Any]:
        try:
            return limit_guesses(self.request, self.cleaned_data.get("username", ""), super().clean)
        except TooMany as error:
            self.seconds = error.seconds
            raise


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """Another password for oneself; the present one is asked for, and wrong ones count with those of the login."""

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        return limit_guesses(self.request, self.user.get_username(), super().clean_old_password)

    def save(self, commit: bool = True) -> User:
        audit_log.write(self.request, audit_log.PASSWORD_CHANGED)
        return super().save(commit)


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser of somebody who has signed in say so next time."""
    response.set_signed_cookie(
        COOKIE,
        _hashed(request.user.get_username()),
        salt=COOKIE,
        max_age=desk_limits.KNOWN_BROWSER_SECONDS,
        path="/admin/",
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
    )


def _hashed(login: str) -> str:
    return digest("friendpay.admin_kit", login.casefold())
