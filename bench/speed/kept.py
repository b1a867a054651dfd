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
    """The outcomes of full rounds of this commit, each with when it was measured."""

    def __init__(self, commit: str, file: Path = FILE) -> None:
        self.commit, self._file = commit, file
        told: Any = json.loads(file.read_text()) if file.exists() else {}
        self._lines: dict[str, Any] = told["lines"] if told.get("commit") == commit else {}

    def add(self, outcome: Outcome) -> None:
        now = datetime.now(UTC).strftime("%H:%M")
        self._lines[outcome.line.name] = {
            "ours": list(outcome.ours),
            "beside": list(outcome.beside),
            "notes": list(outcome.notes),
            "at": now,
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"commit": self.commit, "lines": self._lines}, indent=1))

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def outcomes(self) -> list[Outcome]:
        """In the order of the table."""
        return [
            Outcome(NAMED[name][0], told["ours"], told["beside"], [*told["notes"], f"measured at {told['at']} UTC"])
            for name in NAMED
            if (told := self._lines.get(name))
        ]


def commit() -> str:
    """What is measured; with a mark where it is not all committed."""
    ran = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "unknown"
