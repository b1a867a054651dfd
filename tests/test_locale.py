"""Every language says everything: no message is missing, unfinished or broken."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}
TRANSLATIONS = [to_locale(code) for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
HOLES = re.compile(r"%\((\w+)\)s|%[sd]")


def catalog(locale: str) -> Catalog:
    with (ROOT / "locale" / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=locale)


def spoken() -> Iterator[tuple[str, str]]:
    """Every message in the code and in the pages, with the file it is in."""
    for app in ("friendpay", "orders", "payments", "sandbox"):
        for path in (ROOT / app).rglob("*.py"):
            yield from read(path, path.read_bytes())
    for path in (ROOT / "templates").rglob("*.*"):
        yield from read(path, templatize(path.read_text(), origin=str(path)).encode())


def read(path: Path, source: bytes) -> Iterator[tuple[str, str]]:
    for _line, _function, message, _comments in extract_python(BytesIO(source), KEYWORDS, [], {}):
        text = message[0] if isinstance(message, tuple) else message
        if isinstance(text, str) and text:
            yield text, path.name


def singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


@pytest.mark.parametrize("locale", TRANSLATIONS)
def test_every_message_is_translated(locale: str) -> None:
    known = {singular(message) for message in catalog(locale) if message.string and not message.fuzzy}
    missing = sorted({f"{file}: {text}" for text, file in spoken() if text not in known})
    assert missing == [], "\n".join(missing)


@pytest.mark.parametrize("locale", TRANSLATIONS)
def test_every_translation_fits_its_message(locale: str) -> None:
    broken = []
    for message in catalog(locale):
        if not message.id:
            continue
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        holes = set(HOLES.findall(singular(message)))
        if any(not text or set(HOLES.findall(text)) != holes for text in strings):
            broken.append(singular(message))
    assert broken == []
