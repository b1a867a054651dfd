"""Pictures of goods. Only our own: a page for payers asks nobody else for anything."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def own_picture(url: str) -> str:
    """The address if it is on this site, else nothing."""
    for start in (f"{settings.PUBLIC_URL}/", "/"):
        if url.startswith(start) and not url.startswith(("//", "/\\")):
            return f"/{url.removeprefix(start)}"
    return ""
