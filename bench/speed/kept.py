"""What was measured, kept from slice to slice of one report: a machine that others use is quiet for a few minutes at a
time. It belongs to one commit; what another commit gave is not put beside it.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.speed.figures import Outcome
from bench.speed.load import ROOT
from bench.speed.table import NAMED

FILE = ROOT / ".friendpay" / "bench" / "kept.json"


class Kept:
    """The outcomes of this commit, each with when it was measured; full rounds are never replaced by short ones."""

    def __init__(self, commit: str, file: Path = FILE) -> None:
        self.commit, self._file = commit, file
        told: Any = json.loads(file.read_text()) if file.exists() else {}
        self._lines: dict[str, Any] = told["lines"] if told.get("commit") == commit else {}

    def add(self, outcome: Outcome, *, quick: bool = False) -> None:
        if quick and self.has(outcome.line.name, quick=False):
            return
        now = datetime.now(UTC).strftime("%H:%M")
        self._lines[outcome.line.name] = {
            "ours": list(outcome.ours),
            "beside": list(outcome.beside),
            "notes": list(outcome.notes),
            "at": now,
            "quick": quick,
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"commit": self.commit, "lines": self._lines}, indent=1))

    def has(self, name: str, *, quick: bool) -> bool:
        """Whether it was measured already, in full rounds or, with `quick`, in short ones at least."""
        return name in self._lines and (quick or not self._lines[name]["quick"])

    def outcomes(self) -> list[Outcome]:
        """In the order of the table."""
        return [_outcome(name, told) for name in NAMED if (told := self._lines.get(name))]


def _outcome(name: str, told: Any) -> Outcome:
    short = ", in short rounds and with small crowds (--quick)" if told["quick"] else ""
    notes = [*told["notes"], f"measured at {told['at']} UTC{short}"]
    return Outcome(NAMED[name][0], told["ours"], told["beside"], notes)


def commit() -> str:
    """What is measured; with a mark where it is not all committed, but for what a report writes itself."""
    changed = _git("status", "--porcelain", "--", ".", ":!bench/RESULTS.md", ":!bench/results-*.svg")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()
