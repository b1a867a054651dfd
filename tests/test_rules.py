"""docs/rules.md and docs/edges.md name tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
EDGES = (TESTS.parent / "docs" / "edges.md").read_text("utf-8")


def named() -> list[tuple[str, str]]:
    """Every test file and test that the documents name; `::test_x` alone belongs to the file before."""
    found, file = [], ""
    for document in ((TESTS.parent / "docs" / "rules.md").read_text("utf-8"), EDGES):
        for path, test in re.findall(r"([\w/]+\.py)?(?:::(test_\w+))?", document):
            if path:
                file = path
            if path or test:
                found.append((file, test))
    return [pair for pair in found if pair[0] != "tests/test_rules.py"]


@pytest.mark.parametrize(("file", "test"), named())
def test_every_test_that_holds_a_rule_is_there(file: str, test: str) -> None:
    source = (TESTS / file).read_text("utf-8")
    assert not test or f"def {test}(" in source


@pytest.mark.parametrize("point", re.split(r"^## ", EDGES, flags=re.M)[1:], ids=lambda point: str(point).split("\n")[0])
def test_every_point_has_a_rule_and_three_further_inputs_that_a_test_runs(point: str) -> None:
    assert re.search(r"^\*\*.+\*\*$", point, re.M)
    assert re.search(r"^Held by \S+\.py::test_", point, re.M)
    inputs = re.findall(r"^- .+", point, re.M)
    assert len(inputs) >= 3
    assert all("::test_" in it for it in inputs)
