"""The deliberate bugs the proofs are tried with still have a place in the source."""

import pytest

from bench.sabotage import BUGS, ROOT, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_deliberate_bug_can_be_put_in(bug: Bug) -> None:
    assert (ROOT / bug.where).read_text().count(bug.old) == 1
    assert bug.new != bug.old
