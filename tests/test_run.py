"""bin/test: everything is run whatever fails, and a first answer says what it is not."""

import os
import time
from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from tests import chromium, conftest, debian, php, run
from tests.model import spin
from tests.peers import fetched

CORES = min(os.cpu_count() or 1, 8)
SUITE = f"pytest --ignore tests/browser --ignore tests/integrations -m not proof -n {CORES}"
Calls = list[tuple[str, float | None]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What was run, in its order, and until when. The linter of types fails."""
    made: Calls = []

    def note(command: Sequence[str], *, until: float | None = None) -> int:
        made.append((" ".join(command), until))
        return 3 if command[0] == "mypy" else 0

    monkeypatch.setattr(run, "run", note)
    for tool in (chromium, php, spin, debian):
        monkeypatch.setattr(tool, "ensure", lambda *_words: None)
    monkeypatch.setattr(run, "_shops_being_installed", nullcontext)
    return made


def test_everything_is_run_whatever_fails_and_each_stage_is_told(
    calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([]) == 1
    assert [command for command, _until in calls] == [
        "ruff check --quiet",
        "ruff format --check --quiet",
        "mypy --no-error-summary",
        "lint-imports --no-logo",
        "djlint templates --lint --quiet",
        "biome lint --config-path=tests/lint --error-on-warnings static docs/examples integrations/woocommerce",
        f"stylelint --config tests/lint/stylelint.config.mjs --config-basedir {fetched.FOLDER}/lint static/**/*.css",
        SUITE,
        "pytest --ignore tests/browser --ignore tests/integrations -m proof and not alone"
        f" -n {CORES} --dist loadfile --no-loadscope-reorder",
        "pytest --ignore tests/browser --ignore tests/integrations -m alone",
        f"pytest tests/browser -n {CORES} --dist loadfile",
        f"pytest tests/integrations -n {CORES} --dist loadfile",
    ]
    assert {until for _command, until in calls} == {None}
    said = capsys.readouterr().out
    assert "== 8 of 12, tests: pytest" in said
    assert [line.split()[:2] for line in said.split("\n\n")[-1].splitlines()] == [
        ["passed", "rules"],
        ["passed", "layout"],
        ["FAILED", "types"],
        ["passed", "imports"],
        ["passed", "templates"],
        ["passed", "scripts"],
        ["passed", "styles"],
        ["passed", "tests"],
        ["passed", "proofs"],
        ["passed", "proofs"],
        ["passed", "browser"],
        ["passed", "shops"],
    ]


def test_a_first_answer_has_an_end_and_says_what_it_left_out(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--fast"]) == 1
    assert [command for command, _until in calls][-1] == SUITE
    assert len(calls) == 8
    for _command, until in calls:
        assert until is not None
        assert 60 < until - time.time() < 110
    said = capsys.readouterr().out
    assert "Not run: the proofs" in said
    assert "the browser" in said


def test_named_tests_are_run_alone(calls: Calls) -> None:
    assert run.main(["-k", "refund"]) == 0
    assert calls == [("pytest -k refund", None)]


def test_no_test_begins_once_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(run.UNTIL, str(time.time() + 60))
    conftest.pytest_runtest_setup()
    monkeypatch.setenv(run.UNTIL, str(time.time() - 1))
    with pytest.raises(pytest.skip.Exception, match="no time left"):
        conftest.pytest_runtest_setup()


def test_the_linters_are_run_alone(calls: Calls) -> None:
    assert run.main(["--lint"]) == 1
    assert [command.split()[0] for command, _until in calls] == [stage.command[0] for stage in run.LINTERS]
