"""What is kept from slice to slice of a report."""

from pathlib import Path

from bench.speed.figures import Outcome
from bench.speed.kept import Kept
from bench.speed.table import NAMED


def test_slices_of_one_commit_make_one_report(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    Kept("abc", file).add(Outcome(NAMED["pay"][0], [10.0, 12.0], [100.0, 90.0], notes=["said"]))
    Kept("abc", file).add(Outcome(NAMED["read"][0], [50.0], [100.0]))
    kept = Kept("abc", file)
    assert [outcome.line.name for outcome in kept.outcomes()] == ["read", "pay"]
    assert kept.outcomes()[1].ours == [10.0, 12.0]
    assert kept.outcomes()[1].notes[0] == "said"
    assert kept.has("pay", quick=False)
    assert not kept.has("create", quick=True)


def test_short_rounds_are_marked_and_replace_no_full_ones(tmp_path: Path) -> None:
    kept = Kept("abc", tmp_path / "kept.json")
    line = NAMED["pay"][0]
    kept.add(Outcome(line, [9.0], [100.0]), quick=True)
    assert "--quick" in kept.outcomes()[0].notes[-1]
    assert not kept.has("pay", quick=False)
    kept.add(Outcome(line, [10.0], [100.0]))
    kept.add(Outcome(line, [8.0], [100.0]), quick=True)
    assert kept.outcomes()[0].ours == [10.0]


def test_what_another_commit_gave_is_measured_anew(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    Kept("abc", file).add(Outcome(NAMED["pay"][0], [10.0], [100.0]))
    assert Kept("abd", file).outcomes() == []
