"""What every page for people has in common: its methods, its caching, its kind words when something does not work."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control

View = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """After a POST: look there. Loading that page again repeats nothing."""

    status_code = 303


def page(*methods: str, of: str = "") -> Callable[[View], View]:
    """A view for people. Other methods than these get the 405 page; no cache keeps what only one person may see.

    `of` names the page whose form is sent here. Who comes back by GET, with an old tab or a copied address, is led to
    that page.
    """
    allowed = ("HEAD", *methods) if "GET" in methods else methods

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            response: HttpResponse
            if of and request.method in ("GET", "HEAD"):
                response = SeeOther(reverse(of, args=args, kwargs=kwargs))
            elif request.method not in allowed:
                response = render(request, "405.html", status=405)
                response["Allow"] = ", ".join(allowed)
            else:
                response = view(request, *args, **kwargs)
            if not response.has_header("Cache-Control"):
                patch_cache_control(response, private=True, no_cache=True)
            return response

        return answer

    return decorate


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to what Django itself refuses to read."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return render(request, f"{status}.html", status=status)
