"""What the histories of bench/chaos.py and bench/cluster.py must hold: answers as of one register, written in order."""

from typing import Any

import pytest

from bench import linear


def told(who: str, began: float, ended: float, seq: int, did: str = "status", state: str = "open") -> dict[str, Any]:
    return {"who": who, "did": did, "began": began, "ended": ended, "request": "r", "seq": seq, "state": state}


GOOD = [
    told("Ann", 0.0, 1.0, 1),
    told("Bo", 0.5, 2.0, 2),
    told("Ann", 0.9, 3.0, 1),  # asked before Bo was answered: either may be told
    told("Mei", 0.0, 3.2, 2, did="hear"),
    told("Jun", 3.1, 3.4, 2),
    told("Mei", 0.0, 3.9, 3, did="hear"),
    told("Ann", 4.0, 4.1, 3, state="paid"),
]


def test_a_true_history_has_nothing_wrong() -> None:
    assert [*linear.stale(GOOD)] == [*linear.differing(GOOD[:5])] == []


@pytest.mark.parametrize(
    "wrong",
    [
        told("Kim", 2.1, 2.5, 1),  # Bo had been told 2
        told("Kim", 4.2, 4.3, 2),  # Ann had been told 3
        told("Kim", 3.95, 5.0, 2),  # a socket had said 3
    ],
    ids=["another had been told", "after it was paid", "a socket had said"],
)
def test_an_answer_older_than_one_given_before_is_found(wrong: dict[str, Any]) -> None:
    (found,) = linear.stale([*GOOD, wrong])
    assert found.startswith("Kim was told")


def test_what_a_socket_says_late_is_no_fault() -> None:
    assert not [*linear.stale([*GOOD, told("Kim", 0.0, 5.0, 2, did="hear")])]


def test_two_states_of_one_seq_are_found() -> None:
    (found,) = linear.differing([*GOOD[:5], told("Kim", 5.0, 5.1, 2, state="paid")])
    assert "r at 2: open, and to Kim: paid" in found


def test_what_expired_by_the_clock_needs_no_seq() -> None:
    assert not [*linear.differing([*GOOD[:5], told("Kim", 5.0, 5.1, 2, state="expired")])]
