"""Translations (gettext): each catalog is compiled where the software runs, whoever starts it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.core.checks import CheckMessage, Error

ROOT = Path(__file__).resolve().parent.parent


def compile_messages() -> None:
    """Compile each catalog that changed. Where nothing can be written, `check_compiled` says so."""
    for source, target in _outdated():
        unfinished = target.with_suffix(f".{os.getpid()}")
        with suppress(OSError), source.open("rb") as po, unfinished.open("wb") as mo:
            write_mo(mo, read_po(po))
            unfinished.replace(target)


def check_compiled(**_: Any) -> list[CheckMessage]:
    """A system check: without compiled catalogs every page is English."""
    outdated = [target.parent.parent.name for _source, target in _outdated()]
    if not outdated:
        return []
    return [
        Error(
            f"Not compiled: {', '.join(sorted(outdated))}. Pages in these languages are English or out of date.",
            hint=f"Run `python manage.py check` once as a user who may write into {ROOT / 'locale'}.",
            id="friendpay.E001",
        )
    ]


def _outdated() -> Iterator[tuple[Path, Path]]:
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            yield source, target
