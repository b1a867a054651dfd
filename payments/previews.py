"""Messengers fetch a link to show what is behind it. They are shown one page that tells nothing of anybody."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

CRAWLERS = re.compile(
    r"^WhatsApp/|TelegramBot|Slackbot|Slack-ImgProxy|facebookexternalhit|Facebot|facebookcatalog|meta-externalagent|"
    r"Twitterbot|LinkedInBot|Discordbot|SkypeUriPreview|kakaotalk-scrap|Line(spider|bot)|vkShare|Viber|Iframely|"
    r"Googlebot|Applebot|bingbot|Baiduspider|Sogou web spider|Bytespider|Yandex(Bot|Images)|PetalBot",
    re.IGNORECASE,
)
"""How those introduce themselves that fetch links without a person looking; never what an app's own browser says."""

PRIVATE = ("/p/", "/checkout/", "/pay/", "/r/")


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer every address of a request to a crawler with the same page, whether there is such a request or not.

    Crawlers of whom we know nothing get the page itself, whose preview is as silent; what they do changes nothing
    either.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not request.path_info.startswith(PRIVATE):
            return get_response(request)
        if CRAWLERS.search(request.headers.get("User-Agent", "")):
            response = render(request, "payments/preview.html")
        else:
            response = get_response(request)
        patch_vary_headers(response, ["User-Agent"])
        return response

    return answer
