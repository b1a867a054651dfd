"""Public pages: a typed object that a Jinja2 template draws. (The desk and the mails are drawn by Django's templates.)

Pages that are equal look the same, so what was drawn once is kept in this process under the page itself and its
language: whatever a page shows is a field of it, and nothing kept is ever stale. What differs for each visitor or runs
with the clock (the CSRF token, the time left) is a mark in what is kept, and is filled in each time.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from math import ceil, floor
from typing import Any, ClassVar, cast
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext
from django.utils.translation.trans_real import translation
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from friendpay.kit import amounts, csrf, limits, links
from friendpay.kit.folding import Folding, escaped
from friendpay.kit.money import Money
from friendpay.kit.templatetags.pictures import preview_picture
from friendpay.kit.templatetags.times import digits, moment

ENGINE = "public"  # its name in settings.TEMPLATES

_SIGN = f"\0{secrets.token_hex(8)} "  # nobody can type it
_MARK = re.compile(f"{_SIGN}([^\0]+)\0")
_CSRF = Markup(f'<input type="hidden" name="csrfmiddlewaretoken" value="{_SIGN}csrf\0">')
_LATIN = re.compile(r"[A-Za-z0-9](.*[A-Za-z0-9])?$", re.DOTALL)
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a template draws, and all that it knows. `url` is the page's own address, `accent` the colour of its shop;
    the time that is left on it is counted from `now`, and alone may differ between pages that look the same.
    """

    template: ClassVar[str] = ""
    url: str = ""
    accent: str = ""
    now: datetime = field(default=_EPOCH, compare=False)


def draw(request: HttpRequest, page: Page, *, status: int = 200) -> HttpResponse:
    """The page, for this visitor and this moment."""
    return HttpResponse(drawn(request, page), status=status)


def drawn(request: HttpRequest, page: Page) -> str:
    """Its source."""
    return filled(request, pieces(page), page.now)


def pieces(page: Page) -> tuple[str, ...]:
    """The page in the language that is active, without what is the visitor's own or runs with the clock."""
    return _drawn(page, get_language() or settings.LANGUAGE_CODE)


def filled(request: HttpRequest, pieces: tuple[str, ...], now: datetime) -> str:
    """The pieces of a page, for this visitor and this moment."""
    own = {mark: _running(mark, now) for mark in set(pieces[1::2]) - {"csrf"}}
    own["csrf"] = csrf.token(request) if "csrf" in pieces[1::2] else ""
    whole = list(pieces)
    whole[1::2] = [own[mark] for mark in pieces[1::2]]
    return "".join(whole)


@lru_cache(maxsize=limits.DRAWN_PAGES_KEPT)
def _drawn(page: Page, language: str) -> tuple[str, ...]:
    """The page in the language that is active; every second piece is what has to be filled in."""
    template = _templates(language).get_template(page.template)
    return tuple(_MARK.split(template.render({"page": page, "csrf_input": _CSRF})))


@cache
def _templates(language: str) -> Environment:
    """The templates of the language that is active, with all in them that is the same on every page."""
    env = cast(Folding, cast(Jinja2, engines[ENGINE]).env)
    words = translation(language).gettext  # the catalog's own: Django would look for it at each word
    always = {
        name: env.globals[name] for name in ("static", "preview_picture", "LANGUAGES", "language", "right_to_left")
    }
    spoken = {name: partial(filter_, language=language) for name, filter_ in _SPOKEN.items()}
    return env.knowing({"_": words, "gettext": words, "dict": dict, **always}, spoken)


def _running(mark: str, now: datetime) -> str:
    """`left` seconds or the `digits` of a clock, until a moment; begun seconds count with `up`."""
    what, up, until = mark.split()
    left = max(0, (ceil if up == "up" else floor)(float(until) - now.timestamp()))
    return str(left) if what == "left" else digits(left)


def environment(**options: Any) -> Environment:
    """What the templates of public pages know: amounts, times, links to files, and the reader's language."""
    env = Folding(
        **{**options, "undefined": StrictUndefined},
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(gettext, ngettext)  # type: ignore[attr-defined]  # of the extension
    env.filters |= {
        **_SPOKEN,
        "moment": moment,
        "countdown": _countdown,
        "seconds": _seconds,
        "attributes": _attributes,
    }
    env.filters |= {"quoted": partial(quote, safe="")}
    env.globals |= {
        "url": _url,
        "static": cache(static),
        "public_url": settings.PUBLIC_URL,
        "way_back": links.way_back,
        "preview_picture": preview_picture,
        "LANGUAGES": settings.LANGUAGES,
        "page": Page(),  # of error pages, which know nothing
    }
    env.globals |= {"language": get_language, "right_to_left": get_language_bidi}
    return env


def _apart(text: object, language: str = "") -> Markup:
    """A name, a code, an address in a sentence: whichever way it is read, it does not turn the words around it. Latin
    letters stand apart from Chinese and Japanese ones.
    """
    language = language or get_language() or ""
    spaced = ' class="spaced"' if language[:2] in ("zh", "ja") and _LATIN.match(str(text)) else ""
    return Markup(f"<bdi{spaced}>{escaped(text)}</bdi>") if text else Markup()


def _money(amount: Money, language: str = "") -> Markup:
    """An amount in figures of equal width, never broken over two lines."""
    return Markup(f'<bdi class="num nowrap">{escaped(_text(amount, language))}</bdi>')


def _big_money(amount: Money, language: str = "") -> Markup:
    """The amount a page is about, as large as its length allows on a phone."""
    text = _text(amount, language)
    size = "longest" if len(text) > 14 else "long" if len(text) > 10 else ""
    return Markup(f'<p class="amount {size}"><bdi class="num nowrap">{escaped(text)}</bdi></p>')


def _text(amount: Money, language: str = "") -> str:
    return amount.text(language) if language else amounts.text(amount)


def _figures(amount: Money, language: str = "") -> str:
    return amount.figures(language or get_language() or settings.LANGUAGE_CODE)


_SPOKEN = {"apart": _apart, "money": _money, "big_money": _big_money, "text": _text, "figures": _figures}
"""Filters that ask for the language that is active where they are not told it."""


def _countdown(until: datetime, up: str = "down") -> Markup:
    """The time left, as 23:41:07 or 2:10; it runs where there is a script, and asks for news when it is over."""
    at = f"{up} {until.timestamp()}"
    return Markup(f'<span class="num" data-left="{_SIGN}left {at}\0">{_SIGN}digits {at}\0</span>')


def _seconds(until: datetime) -> str:
    """The whole seconds left, for a script."""
    return f"{_SIGN}left down {until.timestamp()}\0"


@lru_cache(maxsize=1000)  # of fields that nobody has filled in they are the same on every page
def _attributes(pairs: tuple[tuple[str, str], ...]) -> Markup:
    """Of an element; one without a value is said to be there."""
    return Markup().join(Markup(' %s="%s"') % pair if pair[1] else Markup(" %s") % pair[0] for pair in pairs)


def _url(name: str, *args: str) -> str:
    return reverse(name, args=args)
