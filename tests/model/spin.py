"""Spin: searches all of the model of settlement, finds the mistakes that are put into it, and tells random stories.

Spin is a program of the system's (Debian's package `spin`), and makes C that a compiler has to build.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import debian

MODEL = Path(__file__).with_name("settlement.pml")
MISTAKES = {
    1: "an amount is held without another look at what others hold",
    2: "a request ends although somebody is paying",
    3: "every try of a refund has a number of its own",
    4: "money that comes too late is forgotten",
    5: "a notification that comes twice counts twice",
    6: "nobody's money is ever applied",
}


@dataclass(frozen=True)
class Search:
    """What a search of the model came to: how many states it has, and what was found wrong, if anything."""

    states: int
    depth: int
    errors: int
    complete: bool
    seconds: float
    megabytes: float
    report: str


@dataclass(frozen=True)
class Step:
    """One step of a story and all that is to be seen after it, in units of the model."""

    what: str
    who: int
    request: tuple[str, int, int]  # status, paid, held
    payments: tuple[tuple[str, int, bool, bool, int], ...]  # status, share, holds, closing, applied
    owed: tuple[int, ...]
    back: tuple[int, ...]


def ensure() -> None:
    """Have Spin, where the system's packages can be installed. Without it the model's tests say what is missing."""
    debian.ensure("spin", "spin")


def search(folder: Path, *, parts: bool, payers: int, mishaps: int, mistake: int = 0) -> Search:
    """Every state the model can come to, breadth first where a mistake is looked for: its shortest story then lies in
    `folder`.
    """
    how = (f"-DPARTS={int(parts)}", f"-DPAYERS={payers}", f"-DMISHAPS={mishaps}", f"-DBUG={mistake}")
    _run(folder, "spin", *how, "-a", str(MODEL))
    by = ("-DBFS",) if mistake else ()
    _run(folder, "cc", "-w", "-O2", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=4096", *by, "-o", "pan", "pan.c")
    report = _run(folder, "./pan", "-m100000", "-w24")

    def figure(pattern: str) -> float:
        found = re.search(pattern, report)
        assert found, report
        return float(found[1])

    return Search(
        states=int(figure(r"([\d.e+]+) states, stored")),
        depth=int(figure(r"depth reached (\d+)")),
        errors=int(figure(r"errors: (\d+)")),
        complete="Warning: Search not completed" not in report and "max search depth too small" not in report,
        seconds=figure(r"elapsed time ([\d.e+]+) seconds"),
        megabytes=figure(r"([\d.]+)\ttotal actual memory usage"),
        report=report,
    )


def story_of(folder: Path, *, parts: bool, payers: int, mishaps: int, mistake: int) -> list[Step]:
    """The story that `search` found in `folder`."""
    how = (f"-DPARTS={int(parts)}", f"-DPAYERS={payers}", f"-DMISHAPS={mishaps}", f"-DBUG={mistake}")
    trail = str(folder / f"{MODEL.name}.trail")
    return _steps(_run(folder, "spin", *how, "-k", trail, "-T", str(MODEL)))


def stories(folder: Path, *, parts: bool, first: int, count: int) -> Iterator[list[Step]]:
    """So many random stories of the model, each told by its number: the same number tells the same story."""
    for number in range(first, first + count):
        told = _run(
            folder,
            "spin",
            f"-DPARTS={int(parts)}",
            f"-DMISHAPS={number % 3}",
            "-DEAGER",
            f"-n{number}",
            "-T",
            str(MODEL),
        )
        assert "assertion violated" not in told, told
        yield _steps(told)


def _steps(told: str) -> list[Step]:
    return [_step(line) for line in told.splitlines() if line.startswith("> ")]


def _step(line: str) -> Step:
    did, request, *rest = (part.split() for part in line[2:].split(" | "))
    *payments, owed, back = rest
    return Step(
        what=did[0].removeprefix("DO_").lower(),
        who=int(did[1]),
        request=(request[0], int(request[1]), int(request[2])),
        payments=tuple((one[0], int(one[1]), one[2] == "1", one[3] == "1", int(one[4])) for one in payments),
        owed=tuple(map(int, owed)),
        back=tuple(map(int, back)),
    )


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
