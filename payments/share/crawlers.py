"""Link previews: crawlers of messengers are shown one page that tells nothing of anybody."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from friendpay.kit import links

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

PRIVATE = tuple(f"/{prefix}/" for prefix in links.OF_A_REQUEST)


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer every address of a request to a crawler with the same page, whether there is such a request or not.

    Crawlers of whom we know nothing get the page itself, whose preview is as silent; what they do changes nothing
    either.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not request.path_info.startswith(PRIVATE):
            return get_response(request)
        if CRAWLERS.search(request.headers.get("User-Agent", "")):
            response = render(request, "preview.html")
        else:
            response = get_response(request)
        patch_vary_headers(response, ["User-Agent"])
        return response

    return answer
