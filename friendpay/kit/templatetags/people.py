"""Template filters for what people wrote, isolated for bidirectional text. Known to every template without loading."""

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def apart(text: object) -> SafeString:
    """A name, a code, an address in a sentence: whichever way it is read, it does not turn the words around it."""
    return format_html("<bdi>{}</bdi>", text) if text else conditional_escape("")
