"""The audit tells weaknesses from not having been able to ask."""

import sys
from pathlib import Path

import pytest

from tests import audit

FOUND = "Name Version ID Fix Versions\\nx 1 CVE-1 2"
NONE = "No known vulnerabilities found"
LEFT_OUT = "Name Skip Reason\\nx Dependency not found on PyPI and could not be audited: x (1)"


@pytest.mark.parametrize(
    ("says", "code", "comes"),
    [
        (NONE, 0, 0),
        (FOUND, 1, 1),
        ("ConnectionError", 1, audit.NOT_ASKED),
        (f"{LEFT_OUT}\\n{NONE}", 0, audit.NOT_ASKED),
        (f"{FOUND}\\n{LEFT_OUT}", 1, 1),
    ],
)
def test_a_weakness_is_one_and_no_answer_is_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, code: int, comes: int
) -> None:
    monkeypatch.setattr(audit, "HOME", tmp_path)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pip-audit"
    asked = tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}\nprintf "{says}"\nexit {code}\n')
    program.chmod(0o755)
    assert audit.main() == comes
    assert all((audit.ROOT / name).is_file() and name in asked.read_text() for name in audit.PINNED)


def test_where_it_cannot_be_installed_nothing_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "HOME", tmp_path / "none")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert audit.main() == audit.NOT_ASKED
