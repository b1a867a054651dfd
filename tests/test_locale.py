"""Every language says everything: no message is missing, unfinished or broken.

Simplified Chinese speaks everywhere; the other languages wherever a buyer or a friend reads: on pages, in mails and
share texts. The desk, the models behind it and the API's refusals are for staff.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from gettext import c2py
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize
from jinja2.ext import babel_extract

from payments.models import Refund, Report

ROOT = Path(settings.BASE_DIR)
PUBLIC = ROOT / "templates" / "public"  # drawn by Jinja2
JINJA = {"trimmed": "yes", "silent": "no", "trim_blocks": "yes", "lstrip_blocks": "yes"}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}
STAFF = re.compile(
    r"(^|/)(admin|admin_kit|management|models|webhooks|api|demo|emulator|unfold)/"
    r"|/(admin|apps|credentials)\.py$|^sandbox/models\.py$"
    r"|^friendpay/kit/paging\.py$|^orders/(allowed_origins|services)\.py$|^payments/(offers/rollout|wallets/about)\.py$"
    r"|^payments/settlement/(bills|identity|inbox|orphans|outside|refund_moves|refunds|remedies)\.py$"
)
ENGLISH = ("en", "en-gb")  # what the code says; British dates and amounts come from CLDR, and its words are the same
TRANSLATIONS = [to_locale(code) for code, _name in settings.LANGUAGES if code not in ENGLISH]
PUBLIC_ALONE = [locale for locale in TRANSLATIONS if locale != "zh_Hans"]
HOLES = re.compile(r"%\((\w+)\)s|%[sd]")


@cache
def catalog(locale: str) -> Catalog:
    with (ROOT / "locale" / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=locale)


@cache
def spoken() -> list[tuple[str, str]]:
    """Every message in the code and in the pages, with the file it is in."""
    return list(_spoken())


def _spoken() -> Iterator[tuple[str, str]]:
    for app in ("friendpay", "orders", "payments", "sandbox"):
        for path in (ROOT / app).rglob("*.py"):
            yield from read(path, path.read_bytes())
    for path in (ROOT / "templates").rglob("*.*"):
        if PUBLIC in path.parents:
            with path.open("rb") as file:
                yield from known(path, babel_extract(file, list(KEYWORDS), [], JINJA))
        else:
            source = templatize(path.read_text(), origin=str(path))  # Python of a kind, in which indents mean nothing
            yield from read(path, re.sub(r"(?m)^[ \t]+", "", source).encode())


def public() -> Iterator[tuple[str, str]]:
    """Those of them that buyers and friends may read."""
    yield from ((text, file) for text, file in spoken() if not STAFF.search(file))
    for reason in (*Refund.Reason, *Report.Reason):  # on receipts, and where friends report
        yield str(reason.label), "a reason"
    yield from ((str(reason.label), "a report") for reason in Report.Reason)


def read(path: Path, source: bytes) -> Iterator[tuple[str, str]]:
    yield from known(path, extract_python(BytesIO(source), KEYWORDS, [], {}))


def known(path: Path, found: Iterable[tuple[int, Any, Any, Any]]) -> Iterator[tuple[str, str]]:
    for _line, _function, message, _comments in found:
        text = message[0] if isinstance(message, tuple) else message
        if isinstance(text, str) and text:
            yield text, str(path.relative_to(ROOT))


def singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def strings(message: Message) -> list[str]:
    """The translation, in each of its plural forms."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def missing(locale: str, wanted: Iterable[tuple[str, str]]) -> list[str]:
    known = {singular(message) for message in catalog(locale) if all(strings(message)) and not message.fuzzy}
    return sorted({f"{file}: {text}" for text, file in wanted if text not in known})


def test_simplified_chinese_speaks_everywhere() -> None:
    assert missing("zh_Hans", spoken()) == []


@pytest.fixture(scope="module")
def wanted() -> list[tuple[str, str]]:
    return list(public())


@pytest.mark.parametrize("locale", PUBLIC_ALONE)
def test_every_public_message_is_translated(locale: str, wanted: list[tuple[str, str]]) -> None:
    assert missing(locale, wanted) == []


def test_what_the_public_reads_is_told_from_what_staff_reads(wanted: list[tuple[str, str]]) -> None:
    files = {file for _text, file in wanted}
    assert {"templates/public/friend/open.html", "payments/settlement/rules.py", "payments/share/text.py"} <= files
    assert not {file for file in files if "admin" in file}


@pytest.mark.parametrize("locale", TRANSLATIONS)
def test_every_translation_fits_its_message(locale: str) -> None:
    """Each has the holes of its message, no more and no less, in every plural form."""
    broken = []
    for message in catalog(locale):
        holes = set(HOLES.findall(singular(message)))
        if message.id and any(set(HOLES.findall(text)) != holes for text in strings(message)):
            broken.append(singular(message))
    assert broken == []


@pytest.mark.parametrize("locale", TRANSLATIONS)
def test_every_plural_form_of_the_language_is_there(locale: str) -> None:
    """As many as the language has for whole numbers, and each number gets the form that CLDR gives it."""
    known = catalog(locale)
    form_of = c2py(known.plural_expr)
    category_of = Locale.parse(locale).plural_form
    pairs = {(form_of(number), category_of(number)) for number in range(1000)}
    assert len(pairs) == len({form for form, _ in pairs}) == len({category for _, category in pairs})
    assert known.num_plurals == len(pairs)
    for message in known:
        if isinstance(message.id, (list, tuple)):
            assert len([text for text in strings(message) if text]) == len(pairs), singular(message)


def test_chinese_has_chinese_punctuation() -> None:
    """Half-width signs belong between Latin words alone."""
    texts = [text for locale in ("zh_Hans", "zh_Hant") for message in catalog(locale) for text in strings(message)]
    assert [text for text in texts if re.search(r"[\u4e00-\u9fff…][:;,?!]|[:;,?!] ?[\u4e00-\u9fff]", text)] == []


@pytest.mark.parametrize("locale", PUBLIC_ALONE)
def test_no_translation_is_left_of_a_message_that_is_gone(locale: str, wanted: list[tuple[str, str]]) -> None:
    texts = {text for text, _file in wanted}
    assert [singular(message) for message in catalog(locale) if message.id and singular(message) not in texts] == []
