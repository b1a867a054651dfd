"""Runs lines of the table one after another and says what each gave."""

import time
from collections.abc import Sequence

from bench.speed.figures import Outcome, Reached
from bench.speed.kept import Kept, commit
from bench.speed.report import side, write
from bench.speed.table import NAMED
from bench.speed.world import running


def run(names: Sequence[str], *, quick: bool, report: bool) -> int:
    """0 when all of them reached their floors. A report measures what its commit has not measured yet, and is written
    of all that it has.
    """
    kept = Kept(commit())
    names = [name for name in names if not kept.has(name, quick=quick)] if report else names
    outcomes: list[Outcome] = []
    failed: list[str] = []
    with running(quick=quick) as world:
        for name in names:
            line, bench = NAMED[name]
            began = time.monotonic()
            try:
                outcome = bench(world, line)
            except Exception as error:  # one that fails costs none of the others
                failed.append(name)
                print(f"{name:<9} FAILED: {error!r}", flush=True)
                continue
            outcomes.append(outcome)
            kept.add(outcome, quick=quick)
            print(f"{said(outcome)}   [{time.monotonic() - began:.0f} s]", flush=True)
    if report:
        outcomes = kept.outcomes()
        write(outcomes, failed, kept.commit)
    return int(bool(failed) or any(outcome.reached is Reached.BELOW for outcome in outcomes))


def said(outcome: Outcome) -> str:
    """One line of the table, as it is printed."""
    line = outcome.line
    words = [f"{line.name:<9} ours {side(outcome.ours)} {line.unit}"]
    if outcome.beside:
        words.append(f"{line.beside} {side(outcome.beside)}")
        words.append(f"ratio {line.said(outcome.value)}")
    words.append(f"floor {line.said(line.floor)}, goal {line.said(line.goal)}: {outcome.reached}")
    return "; ".join(words) + "".join(f"\n          {note}" for note in outcome.notes)
