"""Numbers of receipts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.share.codes import ALPHABET
from payments.share.receipt_numbers import meant, number


@given(st.integers(1, 26**8 - 1))
def test_a_number_is_read_back(payment_id: int) -> None:
    assert meant(number(payment_id)) == payment_id


def test_it_can_be_said_and_tells_no_count() -> None:
    numbers = [number(payment_id) for payment_id in range(1, 500)]
    assert all(re.fullmatch(f"R-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", it) for it in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len({it[:6] for it in numbers}) > 400


@pytest.mark.parametrize("nothing", ["", "R-", "2222-2222", "R-8FHC-Y23", "R-8FHC-Y23NN", "refund R-8FHC-Y23N"])
def test_what_is_no_number_means_nothing(nothing: str) -> None:
    assert meant(nothing) is None
