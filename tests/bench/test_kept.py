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
    assert "pay" in kept
    assert "create" not in kept


def test_what_another_commit_gave_is_measured_anew(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    Kept("abc", file).add(Outcome(NAMED["pay"][0], [10.0], [100.0]))
    assert Kept("abd", file).outcomes() == []
