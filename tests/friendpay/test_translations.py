"""Catalogs are compiled wherever the software runs."""

import os
from pathlib import Path

import pytest

from friendpay import translations

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Pay"\nmsgstr "付款"\n'


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    source = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO, "utf-8")
    return source


def test_starting_compiles_what_is_missing_and_what_changed(source: Path) -> None:
    target = source.with_suffix(".mo")
    translations.compile_messages()
    assert "付款".encode() in target.read_bytes()
    source.write_text(PO.replace("付款", "支付"), "utf-8")
    os.utime(target, (0, 0))
    translations.compile_messages()
    assert "支付".encode() in target.read_bytes()
    assert translations.check_compiled() == []


def test_a_check_says_which_languages_are_not_compiled(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(translations, "write_mo", refuse)
    translations.compile_messages()
    (found,) = translations.check_compiled()
    assert "zh_Hans" in found.msg
