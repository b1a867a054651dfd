"""What bin/test does inside the virtual environment."""

import os
import subprocess
import time

from friendpay.demo.bootstrap import PYTHON, ROOT
from tests import chromium

BROWSER = "tests/browser"
LINTERS = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--check", "--quiet"),
    ("mypy", "--no-error-summary"),
    ("lint-imports", "--no-logo"),
)


def main(arguments: list[str]) -> int:
    """Everything, or the tests the arguments name. All of it is run, whatever fails; 0 only when nothing did."""
    if arguments:
        return _pytest(*arguments)
    failed = [linter[0] for linter in LINTERS if _step(*linter)]
    chromium.ensure()
    failed += ["tests"] if _pytest("--ignore", BROWSER, "-m", "not proof", "-n", "2") else []
    failed += ["proof"] if _pytest("--ignore", BROWSER, "-m", "proof") else []
    if failed:
        print(f"\nFAILED so far: {', '.join(failed)}", flush=True)
    return max(_pytest(BROWSER), int(bool(failed)))


def _pytest(*arguments: str) -> int:
    return _step("pytest", *arguments)


def _step(program: str, *arguments: str) -> int:
    """Run one of our tools and say how long it took."""
    print(f"\n== {program} {' '.join(arguments)}", flush=True)
    began = time.monotonic()
    command = [str(PYTHON.parent / program), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every process would compile everything anew
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if program != "pytest":  # which says so itself
        print(f"{'failed' if code else 'passed'} in {time.monotonic() - began:.1f} s", flush=True)
    return code
