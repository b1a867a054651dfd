"""What bin/up is told, before anything is installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_read_before_anything_is_installed_needs_nothing_but_python() -> None:
    command = [sys.executable, "-S", str(ROOT / "bin" / "up"), "--help"]  # -S: without the packages that are there
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert asked.stderr == ""
    assert "--emulators" in asked.stdout
