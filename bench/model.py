#!/usr/bin/env python3
"""Settlement as a model (`tests/model`): what Spin says of it, written into RESULTS.md by way of `modelled/`.

    .venv/bin/python bench/model.py searches             every state of each size of the model: minutes, 2 GB
    .venv/bin/python bench/model.py mistakes             broken models, and the shortest story that shows what is wrong
    .venv/bin/python bench/model.py stories --first 1 --count 5000   random stories of each kind against the real code
    .venv/bin/python bench/model.py told                 counts those that were replayed, however many at a time

Stories are replayed by the test suite itself, 500 at a time. Ends with 1 when anything was found, or not found.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.speed import report  # noqa: E402
from tests.model import spin  # noqa: E402

SIZES = [(False, 2, 1), (True, 2, 1), (False, 3, 0), (False, 3, 1), (True, 3, 0)]
"""Whether in parts, how many payers, how many mishaps; each of them whole."""
BROKEN = (True, 2, 1)
SLICE = 500
REPLAYED = ROOT / ".friendpay/stories.txt"
KINDS = {False: "one pays all", True: "in parts"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["searches", "mistakes", "stories", "told"])
    parser.add_argument("--first", type=int, default=1, help="number of the first story (default: 1)")
    parser.add_argument("--count", type=int, default=5000, help="how many stories of each kind (default: 5,000)")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    spin.ensure()
    match chosen.part:
        case "searches":
            right = _searches()
        case "mistakes":
            right = _mistakes()
        case "stories":
            right = _stories(chosen.first, chosen.count)
        case _:
            right = _told()
    report.renew_model()
    return int(not right)


def _searches() -> bool:
    rows, right = [], True
    for parts, payers, mishaps in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            found = spin.search(Path(folder), parts=parts, payers=payers, mishaps=mishaps)
        whole = "all of it" if found.complete else "**not** all of it"
        size = [KINDS[parts], str(payers), str(mishaps), f"{found.states:,}", f"{found.depth:,}"]
        rows.append([*size, f"{found.seconds:,.0f}", f"{found.megabytes:,.0f}", whole, str(found.errors)])
        right &= found.complete and not found.errors
        print(*rows[-1], sep=" | ", flush=True)
    heads = ["request", "payers", "mishaps", "states", "depth", "seconds", "MB", "searched", "violations"]
    _keep(
        "1-searches", f"Every state, on {_day()}; the seconds are those of a machine that others used too.", heads, rows
    )
    return right


def _mistakes() -> bool:
    rows, right = [], True
    parts, payers, mishaps = BROKEN
    for number, mistake in spin.MISTAKES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = spin.search(folder, parts=parts, payers=payers, mishaps=mishaps, mistake=number)
            story = spin.story_of(folder, parts=parts, payers=payers, mishaps=mishaps, mistake=number)
        rows.append([mistake, "found" if found.errors else "**missed**", f"{found.states:,}", str(len(story))])
        right &= bool(found.errors)
        print(*rows[-1], sep=" | ", flush=True)
    words = (
        "Models with a mistake in them (two payers, in parts, one mishap), searched breadth first, and the steps of "
    )
    words += (
        "the shortest story that shows it. The test suite replays that story with the real code, which ends otherwise."
    )
    _keep("2-mistakes", words, ["mistake", "", "states seen before", "steps"], rows)
    return right


def _stories(first: int, count: int) -> bool:
    """Replay them, and note which went as the model says."""
    right = True
    for begin in range(first, first + count, SLICE):
        end = min(begin + SLICE, first + count)
        environment = os.environ | {"FRIENDPAY_STORIES": f"{begin}-{end - 1}"}
        command = [sys.executable, "-m", "pytest", "-q", "tests/model/test_model.py", "-k", "what_the_model_does"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        print(f"{begin} to {end - 1}:", done.stdout.strip().splitlines()[-1], flush=True)
        if done.returncode:
            right = False
            print(done.stdout)
        else:
            with REPLAYED.open("a", encoding="utf-8") as replayed:
                replayed.write(f"{_model()} {begin} {end}\n")
    return right


def _told() -> bool:
    """Count the stories of this model that were replayed, and write down how many differ from each other."""
    lines = [line.split() for line in REPLAYED.read_text(encoding="utf-8").splitlines()]
    numbers = sorted({it for model, begin, end in lines if model == _model() for it in range(int(begin), int(end))})
    rows = []
    for parts, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            told = [tuple(next(spin.stories(Path(folder), parts=parts, first=number, count=1))) for number in numbers]
        rows.append([kind, f"{len(told):,}", f"{len(set(told)):,}", f"{sum(map(len, told)):,}", "0"])
    words = (
        f"Random stories with three payers and up to two mishaps, until {_day()}: after each step request, payments, "
    )
    words += "refunds and wallet are compared with the real code."
    _keep("3-stories", words, ["request", "stories", "of them distinct", "steps", "stories that went otherwise"], rows)
    return True


def _model() -> str:
    """Which model, and which way to tell its stories."""
    return sha256(spin.MODEL.read_bytes()).hexdigest()[:12]


def _day() -> str:
    return datetime.now(UTC).strftime("%d %B %Y").lstrip("0")


def _keep(name: str, words: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One part of what RESULTS.md says of the model."""
    lines = [words, "", *(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])]
    (report.HERE / "modelled" / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
