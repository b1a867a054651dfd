"""What a kill disturbed is told from what was slow by itself."""

from bench.speed.record_day import outside


def test_who_was_paid_before_a_kill_and_seen_after_it_counts_as_disturbed() -> None:
    assert outside([(100.0, 0.2), (108.0, 5.0), (111.0, 4.0), (119.9, 0.1), (120.1, 0.3)], [110.0]) == [0.2, 0.3]


def test_without_kills_everything_counts() -> None:
    assert outside([(1.0, 9.0), (2.0, 0.1)], []) == [9.0, 0.1]
