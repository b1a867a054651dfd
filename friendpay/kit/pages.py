"""What every page for people shares: allowed methods, caching, redirects after a POST, error pages."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlsplit

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils.cache import patch_cache_control

from friendpay.kit import limits
from friendpay.kit.links import way_back

SAID = "said"

View = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """After a POST: look there. Loading that page again repeats nothing."""

    status_code = 303


def saying(response: HttpResponse, word: str) -> HttpResponse:
    """Have the page that is led to say once what the visitor has just done. It is in no address: who shares that, or
    opens it again, does not say it too.
    """
    path = urlsplit(response["Location"]).path
    response.set_cookie(SAID, word, max_age=limits.SAID_SECONDS, path=path, httponly=True, samesite="Lax")
    return response


def said(request: HttpRequest) -> str:
    """The word that `saying` left; `page` forgets it then."""
    return request.COOKIES.get(SAID, "") if request.method == "GET" else ""


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
            if said(request) and response.status_code == HTTPStatus.OK:
                response.delete_cookie(SAID, path=request.path)
            if not response.has_header("Cache-Control"):
                patch_cache_control(response, private=True, no_cache=True)
            return response

        return answer

    return decorate


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to what Django itself refuses to read."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return render(request, f"{status}.html", status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer to a fault of ours. It asks nothing of the request but where it went, since that is what may have
    failed; in a messenger, whose pages have no way to be loaded again, its button is one.
    """
    again = request.get_full_path() if request.method in ("GET", "HEAD") else way_back(request.path)
    return HttpResponse(loader.get_template("500.html").render({"again": again}), status=500)
