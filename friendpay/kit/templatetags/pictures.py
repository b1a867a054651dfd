"""Template tags for pictures. Only our own: a page for payers asks nobody else for anything."""

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()


@register.simple_tag
def own_picture(url: str) -> str:
    """The address if it is on this site, else nothing."""
    for start in (f"{settings.PUBLIC_URL}/", "/"):
        if url.startswith(start) and not url.startswith(("//", "/\\")):
            return f"/{url.removeprefix(start)}"
    return ""


@register.simple_tag
def preview_picture() -> str:
    """What messengers show beside a link: the same for every request, with an address that they can fetch."""
    return f"{settings.PUBLIC_URL}{static('og.png')}"
