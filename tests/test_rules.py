"""docs/rules.md names tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent


def named() -> list[tuple[str, str]]:
    """Every test file and test that the document names; `::test_x` alone belongs to the file before."""
    found, file = [], ""
    for path, test in re.findall(
        r"([\w/]+\.py)?(?:::(test_\w+))?", (TESTS.parent / "docs" / "rules.md").read_text("utf-8")
    ):
        if path:
            file = path
        if path or test:
            found.append((file, test))
    return [pair for pair in found if pair[0] != "tests/test_rules.py"]


@pytest.mark.parametrize(("file", "test"), named())
def test_every_test_that_holds_a_rule_is_there(file: str, test: str) -> None:
    source = (TESTS / file).read_text("utf-8")
    assert not test or f"def {test}(" in source
