"""Link previews: crawlers of messengers are shown one page, which tells the shop of a request and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from friendpay.kit import links
from friendpay.kit.rendering import Page, draw

_FIRST = (
    r"TelegramBot|Slackbot(-LinkExpanding)?|Slack-ImgProxy|facebookexternalhit|facebookcatalog|Twitterbot|redditbot|"
    r"meta-external(agent|fetcher)|LinkedInBot|Discordbot|SkypeUriPreview Preview|Iframely|Embedly|Pinterestbot|"
    r"Snap URL Preview Service|Mattermost-Bot|Synapse|Googlebot(-\w+)?|Applebot|Baiduspider(-\w+)?|"
    r"Sogou web spider|YandexBot|YandexImages"
)
_COMPATIBLE = (
    r"Discordbot|vkShare|Linespider|Pinterestbot|redditbot|Embedly|Yeti|Googlebot(-\w+)?|Google-InspectionTool|bingbot|"
    r"Baiduspider(-\w+)?|Bytespider|YandexBot|YandexImages|PetalBot|meta-external(agent|fetcher)"
)
CRAWLERS = re.compile(
    r"^(?:WhatsApp/[\d.]+( [A-Z])?$|Viber(/[\d.]+)?( CFNetwork/\S+ Darwin/\S+)?$|"  # all that these two say
    rf"(?:{_FIRST})(?![\w-])|"  # named first
    rf"Mozilla/5\.0 .*[(; ]compatible; ?(?:{_COMPATIBLE})(?![\w-])|"  # drawing pages as a browser does
    r"Mozilla/5\.0 .* facebookexternalhit/1\.1 Facebot Twitterbot/1\.0$|"  # Messages of Apple
    r"Mozilla/5\.0 .* SkypeUriPreview Preview/[\d.]+$|"  # Skype and Teams
    r"Mozilla/5\.0 .*\(Applebot/)",
    re.IGNORECASE,
)
"""Who fetches links without a person looking, by exact introductions: a messenger's own browser may name the messenger
anywhere, and whoever sits before it wants to pay.
"""

_LINK = re.compile(r"/p/[-\w]+/", re.ASCII)


@dataclass(frozen=True)
class PreviewedShop:
    """Who gets the money: its name is no secret."""

    name: str
    logo: str


@dataclass(frozen=True, kw_only=True)
class PreviewPage(Page):
    """What a crawler is shown of an address; `shop` where there is such a request."""

    template: ClassVar[str] = "preview.html"

    shop: PreviewedShop | None


PRIVATE = tuple(f"/{prefix}/" for prefix in links.OF_A_REQUEST)


def is_crawler(request: HttpRequest) -> bool:
    """Whether this is a crawler, which the friend's page shows a `PreviewPage` of its shop."""
    return CRAWLERS.search(request.headers.get("User-Agent", "")) is not None


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer every address of a request to a crawler with the same page; a friend's link names its shop.

    Crawlers of whom we know nothing get the page itself, whose preview is as silent; what they do changes nothing
    either.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not request.path_info.startswith(PRIVATE):
            return get_response(request)
        if not is_crawler(request):
            response = get_response(request)
        elif not _LINK.fullmatch(request.path_info) or (response := get_response(request)).status_code != HTTPStatus.OK:
            response = draw(request, PreviewPage(url=request.path_info, shop=None))
        patch_vary_headers(response, ["User-Agent"])
        return response

    return answer
