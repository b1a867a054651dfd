"""bench/RESULTS.md and its pictures, from the outcomes of one run."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.speed import plot
from bench.speed.figures import Outcome, Reached, median, number, spread

HERE = Path(__file__).resolve().parents[1]
MODEL = "## Settlement as a model, searched by Spin"


def write(outcomes: Sequence[Outcome], failed: Sequence[str], commit: str) -> None:
    """Replaces what an earlier run wrote."""
    (HERE / "results-progress.svg").write_text(plot.progress(outcomes), encoding="utf-8")
    (HERE / "results-rounds.svg").write_text(plot.rounds(outcomes), encoding="utf-8")
    (HERE / "RESULTS.md").write_text(f"{text(outcomes, failed, _machine(commit))}\n{_model()}", encoding="utf-8")


def renew_model() -> None:
    """What `bench/model.py` found last, in the place of what it found before; all else stays."""
    measured = (HERE / "RESULTS.md").read_text(encoding="utf-8").partition(MODEL)[0].rstrip()
    (HERE / "RESULTS.md").write_text(f"{measured}\n\n{_model()}", encoding="utf-8")


def text(outcomes: Sequence[Outcome], failed: Sequence[str], machine: str) -> str:
    """The table, with what there is to say to each line."""
    rows = [
        "| name | workload | ours | beside it | ratio | floor | goal | |",
        "|---|---|---|---|---|---|---|---|",
        *map(_row, outcomes),
    ]
    notes = [f"- **{outcome.line.name}**: {note}" for outcome in outcomes for note in outcome.notes]
    lines = [
        "# Results",
        "",
        f"Written by `python -m bench --report`: {machine}.",
        "Medians of rounds in turn, ± half the distance between the best and the worst; what is unfair about which",
        "line stands in [README.md](README.md).",
        "",
        *rows,
        "",
        *notes,
        *(f"- **{name}** failed: there is no figure." for name in failed),
        "",
        "![How far each line came](results-progress.svg)",
        "",
        "![What the rounds gave](results-rounds.svg)",
        "",
        *(_why(outcome) for outcome in outcomes if outcome.reached is not Reached.GOAL),
    ]
    return "\n".join(lines)


def _why(outcome: Outcome) -> str:
    """What `bench/unreached` says of a line that is below its goal: a profile, the limit it shows, what was tried."""
    name = outcome.line.name
    known = HERE / "unreached" / f"{name}.md"
    said = known.read_text(encoding="utf-8") if known.exists() else "Nothing is written down yet.\n"
    return f"## {name}: {outcome.reached}\n\n{said}"


def _model() -> str:
    """What `bench/modelled` keeps: of `bench/model.py`'s searches, broken models and stories."""
    parts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "modelled").glob("*.md"))]
    words = f"{MODEL}\n\nWritten by `bench/model.py`; the model is `tests/model/settlement.pml`."
    return "\n\n".join([words, *parts]).replace("\n\n\n", "\n\n")


def side(values: Sequence[float]) -> str:
    """A median, and how far the rounds lay apart."""
    return f"{number(median(values))} ±{100 * spread(values):.0f}%"


def _row(outcome: Outcome) -> str:
    line = outcome.line
    beside = f"{line.beside}: {side(outcome.beside)}" if outcome.beside else "-"
    ratio = line.said(outcome.value) if outcome.beside else "-"
    cells = [line.name, line.what, f"{side(outcome.ours)} {line.unit}", beside, ratio]
    return f"| {' | '.join([*cells, line.said(line.floor), line.said(line.goal), str(outcome.reached)])} |"


def _machine(commit: str) -> str:
    day = datetime.now(UTC).strftime("%d %B %Y").lstrip("0")
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[2]
    return (
        f"commit {commit}, {day}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, "
        f"load of the last quarter of an hour {load:.1f}"
    )
