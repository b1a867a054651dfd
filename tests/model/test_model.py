"""Settlement as a model: searched whole, found out when it is wrong, and held to the real code step by step."""

import os
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import transaction

from friendpay.kit import background
from payments.live import snapshot
from payments.settlement import expiry, ledger, reconcile, refunds
from tests.model import spin
from tests.model.replay import Replay, asked, differs

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

FIRST, LAST = map(int, os.environ.get("FRIENDPAY_STORIES", "1-100").split("-"))
"""The numbers of the random stories that are replayed, of each kind of request."""


@pytest.fixture(autouse=True)
def _has_spin() -> None:
    missing = [name for name in ("spin", "cc") if shutil.which(name) is None]
    assert not missing, f"these tests need {' and '.join(missing)}: install Debian's spin and gcc"


@pytest.fixture(autouse=True)
def _nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (background, snapshot):
        monkeypatch.setattr(module, "run_later", mock.Mock())


@pytest.mark.parametrize(
    ("parts", "payers", "mishaps", "states"), [(False, 3, 0, 1_200_000), (False, 2, 1, 120_000), (True, 2, 1, 700_000)]
)
def test_no_order_of_steps_breaks_a_rule_of_money(
    tmp_path: Path, parts: bool, payers: int, mishaps: int, states: int
) -> None:
    """All of it for the sizes that are done in seconds; `bench/model.py` searches three payers with mishaps as well."""
    found = spin.search(tmp_path, parts=parts, payers=payers, mishaps=mishaps)
    assert found.complete
    assert not found.errors, found.report
    assert found.states > states


@pytest.mark.parametrize("mistake", spin.MISTAKES, ids=spin.MISTAKES.values())
def test_a_mistake_in_the_model_is_found_and_the_code_does_not_make_it(tmp_path: Path, mistake: int) -> None:
    how: dict[str, Any] = {"parts": True, "payers": 2, "mishaps": 1, "mistake": mistake}
    found = spin.search(tmp_path, **how)
    assert found.errors == 1, found.report
    story = spin.story_of(tmp_path, **how)
    assert story
    replay = Replay(asked(parts=True), parts=True)
    with replay.running():
        for step in story:
            replay.do(step)
        assert differs(story[-1], replay.seen())
        _come_to_an_end(replay)


def _come_to_an_end(replay: Replay) -> None:
    """Time passes; what was charged counts, or is back with who paid it."""
    for _again in range(4):
        for payer in range(3):
            if any(payment.visitor == f"Friend {payer}" for payment in replay.request.payments.all()):
                replay.do(spin.Step("over", payer, ("", 0, 0), (), (), ()))
        replay.do(spin.Step("time_over", 0, ("", 0, 0), (), (), ()))
        for payment in replay.request.payments.all():
            reconcile.ask(payment.pk)
        expiry.sweep()
        refunds.send()
    assert ledger.check() == []
    seen = replay.seen()
    assert seen.owed == seen.back
    assert seen.request[0] != "OPEN"


@pytest.mark.parametrize("parts", [False, True])
def test_the_code_does_what_the_model_does(tmp_path: Path, parts: bool) -> None:
    steps, request = 0, asked(parts=parts)
    stories = spin.stories(tmp_path, parts=parts, first=FIRST, count=LAST + 1 - FIRST)
    for number, story in enumerate(stories, FIRST):
        with transaction.atomic():
            replay = Replay(request, parts=parts)
            with replay.running():
                for step in story:
                    replay.do(step)
                    seen = replay.seen(step.what, step.who)
                    assert not differs(step, seen), f"story {number} of spin -n{number}: {step} but {seen}"
                    steps += 1
            transaction.set_rollback(True)
    assert steps > 5 * (LAST + 1 - FIRST)
