"""What bin/test does inside the virtual environment: everything, a first answer (--fast), or the tests named to it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from friendpay.demo.bootstrap import PYTHON, ROOT
from tests import chromium, debian, php
from tests.model import spin
from tests.peers import fetched

BROWSER = "tests/browser"
INTEGRATIONS = "tests/integrations"
_APART = ("--ignore", BROWSER, "--ignore", INTEGRATIONS)
FAST_SECONDS = 90.0
"""And what is begun by then has time to end within two minutes."""
UNTIL = "FRIENDPAY_TESTS_UNTIL"
"""When the tests have to end, as `time.time` tells it; `tests/conftest.py` begins none later."""


@dataclass(frozen=True)
class Stage:
    """One of our tools, and what it is run for."""

    name: str
    command: tuple[str, ...]


LINTERS = (
    Stage("rules of style", ("ruff", "check", "--quiet")),
    Stage("layout", ("ruff", "format", "--check", "--quiet")),
    Stage("types", ("mypy", "--no-error-summary")),
    Stage("imports", ("lint-imports", "--no-logo")),
    Stage("templates", ("djlint", "templates", "--lint", "--quiet")),
    Stage(
        "scripts",
        (
            "biome",
            "lint",
            "--config-path=tests/lint",
            "--error-on-warnings",
            "static",
            "docs/examples",
            "integrations/woocommerce",
        ),
    ),
    Stage(
        "styles",
        (
            *("stylelint", "--config", "tests/lint/stylelint.config.mjs"),
            *("--config-basedir", f"{fetched.FOLDER}/lint", "static/**/*.css"),
        ),
    ),
)
_BESIDE = ("-n", str(min(os.cpu_count() or 1, 8)))
_BY_FILE = (*_BESIDE, "--dist", "loadfile")
"""Those of a file by one process, for they share servers."""
TESTS = Stage("tests", ("pytest", *_APART, "-m", "not proof", *_BESIDE))
PROOFS = Stage("proofs", ("pytest", *_APART, "-m", "proof and not alone", *_BY_FILE, "--no-loadscope-reorder"))
"""In the order of their files: the long ones are in the middle, and none is waited for at the end."""
ALONE = Stage("proofs alone", ("pytest", *_APART, "-m", "alone"))
BROWSERS = Stage("browser", ("pytest", BROWSER, *_BY_FILE))
SHOPS = Stage("shops", ("pytest", INTEGRATIONS, *_BY_FILE))
"""Our adapters in the real shops, each installed from its lock file into a folder of its own."""


def main(arguments: Sequence[str]) -> int:
    """0 only when nothing failed. All that is asked for is run, whatever fails before."""
    if list(arguments) == ["--fast"]:
        return _fast()
    if list(arguments) == ["--lint"]:
        return _stages(LINTERS)
    if arguments:
        return run(("pytest", *arguments))
    chromium.ensure()
    php.ensure()
    spin.ensure()
    for program, package in (
        ("promtool", "prometheus"),
        ("nginx", "nginx"),
        ("haproxy", "haproxy"),
        ("etcd", "etcd-server"),
        ("pgbouncer", "pgbouncer"),
        ("rabbitmq-server", "rabbitmq-server"),
    ):
        debian.ensure(program, package)
    with _shops_being_installed():
        return _stages((*LINTERS, TESTS, PROOFS, ALONE, BROWSERS, SHOPS))


@contextmanager
def _shops_being_installed() -> Iterator[None]:
    """Real shops take minutes to install, most of it waiting. What is not there in time, or went wrong, the tests that
    want it do again.
    """
    command = [str(PYTHON), "-m", "tests.integrations.environments"]
    installing = subprocess.Popen(
        ["nice", "-n", "19", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(installing.pid, signal.SIGKILL)
        installing.wait()


def _fast() -> int:
    """An answer within two minutes, unless the types are checked for the first time, and what it does not tell."""
    failed = _stages((*LINTERS, TESTS), until=time.time() + FAST_SECONDS)
    print(
        "This was a first answer. Not run: the proofs (crowds, crashes, strangers' clients), the browser, the real "
        "shops, and every test that is counted as skipped: there was no time left for it. bin/test runs them all.",
        flush=True,
    )
    return failed


def _stages(stages: Sequence[Stage], *, until: float | None = None) -> int:
    """Each in its turn; at the end, how each went and how long it took."""
    told = []
    for number, stage in enumerate(stages, 1):
        print(f"\n== {number} of {len(stages)}, {stage.name}: {' '.join(stage.command)}", flush=True)
        began = time.monotonic()
        code = run(stage.command, until=until)
        told.append((stage.name, code, time.monotonic() - began))
        if code:
            print(f"FAILED: {stage.name}", flush=True)
    print()
    for name, code, seconds in told:
        print(f"{'FAILED' if code else 'passed'}  {name:<16}{seconds:6.0f} s", flush=True)
    return int(any(code for _name, code, _seconds in told))


def run(command: Sequence[str], *, until: float | None = None) -> int:
    """The exit code of one of our tools."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | ({UNTIL: str(until)} if until else {})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every process would compile everything anew
    name, *words = command
    program = fetched.linter(name) if name in fetched.LINTERS else [str(PYTHON.parent / name)]
    return subprocess.run([*program, *words], cwd=ROOT, env=environment, check=False).returncode
