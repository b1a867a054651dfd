"""docs/security.md leaves out no requirement of ASVS 5.0.0 at level 2, and every test it names is there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
LAST = """
    1.1.2 1.2.9 1.3.11 1.4.3 1.5.2 2.1.3 2.2.3 2.3.4 2.4.1 3.2.2 3.3.4 3.4.6 3.5.5 3.7.2 4.1.3 4.2.1 4.3.2 4.4.4
    5.1.1 5.2.3 5.3.2 5.4.3 6.1.3 6.2.12 6.3.4 6.4.4 6.5.5 6.6.3 6.8.4 7.1.3 7.2.4 7.3.2 7.4.5 7.5.2 7.6.2
    8.1.2 8.2.3 8.3.1 8.4.1 9.1.3 9.2.4 10.1.2 10.2.2 10.3.4 10.4.11 10.5.5 10.6.2 10.7.3
    11.1.2 11.2.3 11.3.3 11.4.4 11.5.1 11.6.1 12.1.3 12.2.2 12.3.4 13.1.1 13.2.5 13.3.2 13.4.5
    14.1.2 14.2.4 14.3.3 15.1.3 15.2.3 15.3.7 16.1.1 16.2.5 16.3.4 16.4.3 16.5.3 17.1.1 17.2.4 17.3.2
"""
"""The last requirement of level 1 or 2 in each section. Those of level 3 all follow after."""

ROW = re.compile(r"^\| (\d[\d., -]+) \| .+ \| (.+) \|$", re.MULTILINE)
PLACE = re.compile(r"`((?:\w+/)*test_\w+\.py)(?:::(\w+))?`")


def numbers(cell: str) -> list[str]:
    """ "1.2.6-1.2.8, 1.3.1" one by one."""
    found = []
    for part in cell.split(", "):
        first, _, last = part.partition("-")
        section, begin = first.rsplit(".", 1)
        end = last.rsplit(".", 1)[1] if last else begin
        assert not last or last.startswith(f"{section}."), part
        found += [f"{section}.{number}" for number in range(int(begin), int(end) + 1)]
    return found


def test_every_requirement_of_level_2_has_one_row() -> None:
    wanted = {
        f"{section}.{number}"
        for section, last in (one.rsplit(".", 1) for one in LAST.split())
        for number in range(1, int(last) + 1)
    }
    assert len(wanted) == 253
    told = Counter(number for cell, _held in ROW.findall(TEXT) for number in numbers(cell))
    assert {number: times for number, times in told.items() if times != 1} == {}
    assert set(told) == wanted


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for file, name in PLACE.findall(TEXT):
        path = ROOT / file
        if not path.is_file() or (name and not re.search(rf"^(async )?def {name}\(", path.read_text("utf-8"), re.M)):
            missing.append(f"{file}::{name}")
    assert missing == []


def test_what_is_open_is_listed_first() -> None:
    summary = TEXT.split("## What is open\n")[1].split("\n## ")[0]
    listed = {number for cell in re.findall(r"^\| (\d[\d., -]+) \|", summary, re.MULTILINE) for number in numbers(cell)}
    marked = {number for cell, held in ROW.findall(TEXT) if "**open" in held for number in numbers(cell)}
    assert listed == marked
