"""Known weaknesses in what friendpay is pinned to: `python -m tests.audit`, each night.

It is no part of `bin/test`: whether that passes must not depend on the network, nor on what was published today.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".friendpay" / "audit"
TOOL = "pip-audit==2.10.1"
PINNED = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")
NOT_ASKED = 2
_SECONDS = 600


def main() -> int:
    """0: none is known. 1: some are, and are printed. 2: not every package could be asked about, which says nothing."""
    program = HOME / "bin" / "pip-audit"
    try:
        if not program.exists():
            _run(sys.executable, "-m", "venv", str(HOME))
            _run(str(HOME / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", TOOL)
        lists = [word for name in PINNED for word in ("--requirement", str(ROOT / name))]
        words = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "15", *lists]
        asked = subprocess.run([str(program), *words], timeout=_SECONDS, check=False, capture_output=True, text=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Nobody could be asked: {error}", file=sys.stderr)
        return NOT_ASKED
    print(asked.stdout + asked.stderr)
    knows_some = "ID" in asked.stdout  # of the table of weaknesses; it says "none" of packages it left out, too
    if not knows_some and (asked.returncode or "could not be audited" in asked.stdout):
        return NOT_ASKED
    return asked.returncode


def _run(*command: str) -> None:
    subprocess.run(command, timeout=_SECONDS, check=True)


if __name__ == "__main__":
    sys.exit(main())
