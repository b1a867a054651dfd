"""Of 10,000 honest asks the limits of trust stop fewer than one in a thousand."""

import pytest

from bench import honest_people
from friendpay.kit import trust_limits


def test_honest_asks_are_hardly_ever_stopped() -> None:
    assert len(honest_people.stopped(1)) < honest_people.ASKS * honest_people.ALLOWED


def test_the_same_people_would_meet_limits_that_are_too_tight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_limits, "ASKS_OF_A_NEW_BUYER", (1, 1, 1))
    assert "new_buyer_open_count" in honest_people.stopped(1)
