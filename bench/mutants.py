#!/usr/bin/env python3
"""Small mistakes put into the modules that settle money, one at a time: do the tests notice?

    .venv/bin/python bench/mutants.py                            every module, every mutant
    .venv/bin/python bench/mutants.py lifecycle funds --most 60  sixty of them, drawn by --seed
    .venv/bin/python bench/mutants.py funds --only make_room     those whose name contains this

The tests are collected once and run once, to learn who runs which line and how long it takes. Then the process forks
for each mutant (`mistakes.py`), and the child runs the tests that come by until one fails: first those that saw one in
this function before, then those that run the most of this module that few others run.
Only `--patience` seconds' worth of them are run, so a survivor may be one that a later test would have seen, never the
other way round; a line no test runs is a survivor as well. Each lane has a copy of the test database of its own.

Survivors named in `survivors.txt` are explained there. Ends with 1 when another one survived, or below 95 killed in a
hundred.
"""

import argparse
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, connections

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.lanes import Lane, Seen, copy_database, drop_database, lines_run  # noqa: E402
from bench.mistakes import EXPLAINED, Mistake, living, make, mistakes, none_at_all, survivors  # noqa: E402

MODULES = (
    *(
        f"settlement/{name}"
        for name in (
            *("lifecycle", "holds", "refunds", "refund_moves", "remedies", "reconcile", "inbox", "orphans", "checkout"),
            *("rules", "turns", "chip_in", "ledger", "locks", "outside", "expiry", "rounds", "outcomes", "effects"),
            *("requests", "asking", "batches", "reissue", "taps", "calls", "bills", "bill_days", "disputes", "fees"),
            "goods",
        )
    ),
    *("models/payment", "models/refund", "models/request"),
)
TESTS = (  # the tests about money; what only pages show is seen elsewhere
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/payments/settlement/test_*.py")),
    *(f"tests/payments/models/test_{name}.py" for name in ("refund", "request")),
    *(f"tests/payments/admin/test_{name}.py" for name in ("actions", "case", "order_refund")),
    *(f"tests/payments/api/test_{name}.py" for name in ("line_refunds", "order_routes", "refunds", "requests")),
    *(f"tests/payments/pages/test_{name}.py" for name in ("buyer", "more_time", "notify", "progress", "shares")),
    *(f"tests/payments/{name}.py" for name in ("funnel/test_friction", "offers/test_offers", "offers/test_rollout")),
    *("tests/payments/wallets/test_jsapi.py", "tests/test_queries.py"),
)
WATCHED = ROOT / ".friendpay/mutants-watched.pickle"
ENOUGH = 0.95
KILLED, BROKEN = 1, 3  # how a child ends
LONG = 20.0  # seconds: a test that takes longer is not asked
CASES = 6  # of one test that are asked
LONGEST = 120  # seconds a child may stand still; it may compute for much less


class Mutants:
    """A pytest plugin: instead of each test once, it runs what each mutant needs."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.began = time.monotonic()
        self.named = survivors(chosen.alive) if chosen.alive else set()
        self.failed = False  # the test that runs now, in a child
        self.seen: dict[int, Seen] = {}
        self.saw: dict[tuple[str, str], Counter[int]] = {}  # which tests saw mutants of this function
        self.worth: dict[int, float] = {}  # how much of the module a test runs that few others run
        self.killed: list[Mistake] = []
        self.alive: list[Mistake] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session = session
        self._passes(session.items[0])  # makes the database
        with tempfile.TemporaryDirectory() as folder:
            self.lanes = [Lane(f"lane_{number}", Path(folder) / str(number)) for number in range(self.chosen.lanes)]
            try:
                for lane in self.lanes:
                    copy_database(lane.database)
                self._watch()
                for module in self.chosen.modules:
                    self._module(module)
            finally:
                for lane in self.lanes:
                    drop_database(lane.database)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def _passes(self, item: pytest.Item) -> bool:
        self.failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=self.session)
        return not self.failed

    def _watch(self) -> None:
        """Run every test once, and write down which lines it runs."""
        began = time.monotonic()
        names, unseen = [it.nodeid for it in self.session.items], list[int]()
        before: dict[str, Seen] = {}
        if self.chosen.again and WATCHED.exists():
            before = pickle.loads(WATCHED.read_bytes())
            self.seen = {number: before[name] for number, name in enumerate(names) if name in before}
        cases: Counter[str] = Counter()
        for number, name in enumerate(names):
            cases[name.partition("[")[0]] += 1
            if number not in self.seen and cases[name.partition("[")[0]] <= CASES:
                unseen.append(number)
        for number, lane in enumerate(self.lanes):
            mine = unseen[number :: len(self.lanes)]
            self._fork(lane, partial(self._watched, lane, mine))
        for lane in self.lanes:
            if os.waitstatus_to_exitcode(os.waitpid(lane.child, 0)[1]):
                sys.exit(f"the tests could not be watched: {lane.answer.read_text()}")
            self.seen.update(pickle.loads(lane.answer.read_bytes()))
            lane.child = 0
        WATCHED.write_bytes(pickle.dumps(before | {names[number]: seen for number, seen in self.seen.items()}))
        print(f"{len(unseen)} tests watched in {time.monotonic() - began:.0f} s")
        for number, it in self.seen.items():
            if not it.passed:
                print(f"  failed, so it is not asked: {names[number]}")

    def _watched(self, lane: Lane, mine: list[int]) -> int:
        files = {str(ROOT / f"payments/{module}.py") for module in MODULES}
        seen = {}
        for number in mine:
            began = time.process_time()
            with lines_run(files) as lines:
                passed = self._passes(self.session.items[number])
            seen[number] = Seen(time.process_time() - began, passed, lines)
        lane.answer.write_bytes(pickle.dumps(seen))
        return 0

    def _module(self, module: str) -> None:
        living(str(ROOT / f"payments/{module}.py"))
        path = str(ROOT / f"payments/{module}.py")
        runs = Counter(line for it in self.seen.values() for line in it.lines.get(path, ()))
        self.worth = {
            number: sum(1 / runs[line] for line in it.lines.get(path, ())) for number, it in self.seen.items()
        }
        began, killed, alive = time.monotonic(), len(self.killed), len(self.alive)
        self._ask_of(none_at_all(ROOT, module), [it for it in self.seen if self._comes_by(it, module, range(0))])
        found = mistakes(ROOT, module)
        drawn = [it for it in found if self.chosen.only in str(it) and (not self.named or str(it) in self.named)]
        random.Random(self.chosen.seed).shuffle(drawn)
        for mistake in drawn[: self.chosen.most or None]:
            if self.chosen.seconds and time.monotonic() - self.began > self.chosen.seconds:
                break
            tests = [it for it in self.seen if self._comes_by(it, module, mistake.lines)]
            self._ask_of([mistake], tests)
        for lane in self.lanes:
            self._wait_for(lane)
        killed, alive = len(self.killed) - killed, len(self.alive) - alive
        share = killed / max(1, killed + alive)
        print(f"{module}: {len(found)} mutants, {killed + alive} tried, {killed} killed ({share:.1%})", end=" ")
        print(f"in {time.monotonic() - began:.0f} s", flush=True)

    def _comes_by(self, test: int, module: str, lines: range) -> bool:
        seen = self.seen[test]
        run = seen.lines.get(str(ROOT / f"payments/{module}.py"), set())
        return seen.passed and seen.seconds < LONG and bool(run.intersection(lines) if lines else run)

    def _ask_of(self, made: list[Mistake], tests: list[int]) -> None:
        """Let a free lane make these mistakes and run these tests, the likeliest first."""
        mistake = made[0] if made[0].what else None
        saw = self.saw.setdefault((made[0].module, made[0].unit), Counter())
        tests.sort(key=lambda it: (-saw[it], -self.worth[it], self.seen[it].seconds))
        patience: list[int] = []
        budget = self.chosen.patience
        for test in tests:
            budget -= self.seen[test].seconds
            if budget < 0 and patience:
                break
            patience.append(test)
        if mistake and not patience:
            self._note(mistake, killed=False, by="no test comes here")
            return
        lane = self._free()
        lane.mistake = mistake
        self._fork(lane, lambda: self._asked(lane, made, patience))
        lane.ends = time.monotonic() + LONGEST
        if not mistake:
            self._wait_for(lane)

    def _asked(self, lane: Lane, made: list[Mistake], tests: list[int]) -> int:
        for mistake in made:
            make(mistake)
        for test in tests:  # one that goes round and round is ended
            limit = int(time.process_time() + 4 + 5 * self.seen[test].seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
            if not self._passes(self.session.items[test]):
                lane.answer.write_text(str(test))
                return KILLED
        return 0

    def _fork(self, lane: Lane, job: Callable[[], int]) -> None:
        lane.answer.unlink(missing_ok=True)
        connections.close_all()
        lane.child = os.fork()
        if lane.child:
            return
        try:
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silence, stream)
            connection.settings_dict["NAME"] = lane.database
            os._exit(job())
        except BaseException:
            lane.answer.write_text(traceback.format_exc())
        finally:
            os._exit(BROKEN)

    def _free(self) -> Lane:
        while True:
            for lane in self.lanes:
                if self._is_free(lane):
                    return lane
            time.sleep(0.01)

    def _wait_for(self, lane: Lane) -> None:
        while not self._is_free(lane):
            time.sleep(0.01)

    def _is_free(self, lane: Lane) -> bool:
        """Whether its child has ended; what that says is written down."""
        if not lane.child:
            return True
        ended, status = os.waitpid(lane.child, os.WNOHANG)
        if not ended and time.monotonic() < lane.ends:
            return False
        if not ended:
            os.kill(lane.child, signal.SIGKILL)
            os.waitpid(lane.child, 0)
        lane.child = 0
        code = os.waitstatus_to_exitcode(status) if ended else KILLED
        if code == BROKEN or (code and not lane.mistake):
            words = lane.answer.read_text()
            sys.exit(
                f"{lane.mistake or 'without a mutant'}: {self.session.items[int(words)] if code == KILLED else words}"
            )
        if lane.mistake:
            seen_by = int(lane.answer.read_text()) if ended and code == KILLED else None
            if seen_by is not None:
                self.saw[lane.mistake.module, lane.mistake.unit][seen_by] += 1
            self._note(lane.mistake, killed=bool(code), by=str(seen_by))
        if not ended or code not in (0, KILLED):  # it may have left rows
            copy_database(lane.database)
        return True

    def _note(self, mistake: Mistake, *, killed: bool, by: str) -> None:
        (self.killed if killed else self.alive).append(mistake)
        if not killed:
            told = "explained" if str(mistake) in EXPLAINED else "SURVIVED"
            print(f"{told} {mistake.line} {mistake}{f' ({by})' if ' ' in by else ''}", flush=True)
        elif by == "None":
            print(f"killed without a word, by time or by a crash: {mistake.line} {mistake}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of the modules that settle money.")
    parser.add_argument("modules", nargs="*", default=list(MODULES), help="of payments/ (default: all that settle)")
    parser.add_argument("--most", type=int, default=0, help="so many mutants of each at most (default: all)")
    parser.add_argument("--seconds", type=int, default=0, help="begin no mutant after so long (default: no end)")
    parser.add_argument("--only", default="", help="only mutants whose name contains this")
    parser.add_argument("--alive", type=Path, help="only those that lived in a run whose output is this file")
    parser.add_argument("--tests", nargs="+", default=[], help="ask these alone, such as settlement/refunds")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default: 1)")
    parser.add_argument("--lanes", type=int, default=2, help="children at a time (default: 2)")
    parser.add_argument("--patience", type=float, default=6, help="seconds of tests for one mutant (default: 6)")
    parser.add_argument("--again", action="store_true", help="the modules are as they were: watch only new tests")
    chosen = parser.parse_args()
    began, mutants = time.monotonic(), Mutants(chosen)
    os.chdir(ROOT)
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:terminalreporter", "-m", "not proof"]
    files = [f"tests/payments/{room}/test_{name}.py" for room, name in (it.split("/") for it in chosen.tests)] or TESTS
    ended = pytest.main([*quiet, *files], plugins=[mutants])
    tried = len(mutants.killed) + len(mutants.alive)
    share = len(mutants.killed) / max(1, tried)
    print(f"{len(mutants.killed)} of {tried} killed ({share:.1%}) in {time.monotonic() - began:.0f} s")
    return int(bool(ended) or share < ENOUGH or any(str(it) not in EXPLAINED for it in mutants.alive))


if __name__ == "__main__":
    sys.exit(main())
