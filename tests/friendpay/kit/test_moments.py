"""A moment says until when what it was asked stays true; compared with what a plain one answers as time goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from friendpay.kit.moments import Watch

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: int) -> datetime:
    return NOON + minutes * MINUTE


QUESTIONS: list[Callable[[datetime], Any]] = [
    lambda now: now < at(3),
    lambda now: now <= at(3),
    lambda now: now > at(3),
    lambda now: now >= at(3),
    lambda now: at(3) > now,
    lambda now: at(3) <= now,
    lambda now: now > NOON - MINUTE,
    lambda now: at(9) - now < 4 * MINUTE,
    lambda now: at(9) - now >= 4 * MINUTE,
    lambda now: MINUTE.__mul__(4) > at(9) - now,
    lambda now: now - NOON > 4 * MINUTE,
    lambda now: now + 2 * MINUTE <= at(5),
    lambda now: at(-1) < now - 7 * MINUTE,
    lambda now: max(at(2), now) > at(4),
    lambda now: (now < at(3), now < at(6)),
]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_an_answer_holds_until_it_turns_out_otherwise(ask: Callable[[datetime], Any]) -> None:
    watch = Watch(NOON)
    answer = ask(watch.now)
    assert answer == ask(NOON)
    later = [NOON + seconds * timedelta(seconds=10) for seconds in range(120)]
    assert all(ask(now) == answer for now in later if watch.holds(now))
    assert any(ask(now) != answer for now in later) <= (watch.until is not None)
    assert not watch.holds(NOON - MINUTE)


@pytest.mark.parametrize(
    "ask",
    [
        lambda now: now.isoformat(),
        lambda now: f"{now:%H}",
        lambda now: str(now),
        lambda now: now.timestamp(),
        lambda now: now.hour,
        lambda now: now == NOON,
        lambda now: hash(now),
        lambda now: (now + MINUTE).date(),
        lambda now: (NOON + MINUTE - now).total_seconds(),
        lambda now: (NOON + MINUTE - now) // MINUTE,
        lambda now: (now - NOON).seconds,
        lambda now: int((NOON + MINUTE - now) / MINUTE),
    ],
)
def test_whatever_else_is_asked_is_true_for_that_moment_alone(ask: Callable[[datetime], Any]) -> None:
    watch = Watch(NOON)
    assert ask(watch.now) == ask(NOON)
    assert not watch.holds(NOON)


def test_what_depends_on_no_time_holds_for_ever() -> None:
    watch = Watch(NOON)
    assert watch.now + MINUTE is not None
    assert watch.holds(NOON + timedelta(days=9999))
