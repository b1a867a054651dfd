"""Tokens nobody guesses."""

from collections import Counter

import pytest

from friendpay.kit import ids, limits


@pytest.mark.parametrize("length", [0, 1, 7, 24, 61])
def test_a_token_is_as_long_as_was_asked_for(length: int) -> None:
    assert len(ids.token(length)) == length


def test_no_symbol_of_a_token_comes_more_often_than_another() -> None:
    drawn = Counter("".join(ids.token() for _turn in range(4000)))
    fair = 4000 * limits.TOKEN_SYMBOLS / len(drawn)
    assert len(drawn) == 54
    assert not set("ilILoOuU") & drawn.keys()
    assert all(0.85 * fair < times < 1.15 * fair for times in drawn.values())


def test_no_token_comes_twice() -> None:
    assert len({ids.token() for _turn in range(1000)}) == 1000
