"""Template filters for amounts, as people of the page's language read them."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from friendpay.kit.money import Money

register = template.Library()


@register.simple_tag
def money(minor: int, currency: str) -> SafeString:
    """An amount in figures of equal width, never broken over two lines."""
    return format_html('<bdi class="num nowrap">{}</bdi>', amount(minor, currency))


@register.simple_tag
def big_money(minor: int, currency: str) -> SafeString:
    """The amount a page is about, as large as its length allows on a phone."""
    text = amount(minor, currency)
    size = "longest" if len(text) > 14 else "long" if len(text) > 10 else ""
    return format_html('<p class="amount {}"><bdi class="num nowrap">{}</bdi></p>', size, text)


@register.simple_tag
def amount(minor: int, currency: str) -> str:
    """An amount as plain text, for sentences and attributes."""
    return Money(minor, currency).text(get_language() or "en")


@register.simple_tag
def figures(minor: int, currency: str) -> str:
    """The figures alone, as a form of the page's language takes them."""
    return Money(minor, currency).figures(get_language() or "en")
