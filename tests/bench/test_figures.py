"""The arithmetic of the benches, by figures worked out by hand."""

import pytest

from bench.speed import figures, plot, report
from bench.speed.figures import Line, Outcome, Reached

MORE = Line("read", "pages", "bare", 0.20, 0.45, "a second")
LESS = Line("push", "messages", "hub", 4, 3, "ms", "times")
ALONE = Line("cost", "CPU of a paid order", "", 25, 8, "ms", "")


def test_median_is_the_middle_one_however_they_come() -> None:
    assert figures.median([9, 1, 4]) == 4
    assert figures.median([9, 1, 4, 6]) == 5


def test_spread_is_half_the_distance_as_part_of_the_median() -> None:
    assert figures.spread([90, 100, 130]) == pytest.approx(0.2)
    assert figures.spread([7]) == 0
    assert figures.spread([0, 0, 1]) == 0


def test_ratio_is_median_by_median() -> None:
    """One round in which the limit was disturbed changes nothing; a mean of ratios would be 2.2."""
    assert figures.ratio([50, 50, 50], [100, 100, 8]) == 0.5
    assert figures.ratio([1], [0]) == 0


def test_percentile_is_a_value_that_was_measured() -> None:
    hundred = list(range(100, 0, -1))
    assert figures.percentile(hundred, 0.99) == 99
    assert figures.percentile(hundred, 0.5) == 50
    assert figures.percentile([3, 1, 2], 0.99) == 3
    assert figures.percentile([3], 0) == 3


@pytest.mark.parametrize(
    ("line", "value", "reached"),
    [
        (MORE, 0.45, Reached.GOAL),
        (MORE, 0.44, Reached.FLOOR),
        (MORE, 0.20, Reached.FLOOR),
        (MORE, 0.19, Reached.BELOW),
        (LESS, 3, Reached.GOAL),
        (LESS, 3.1, Reached.FLOOR),
        (LESS, 4, Reached.FLOOR),
        (LESS, 4.1, Reached.BELOW),
    ],
)
def test_floor_and_goal_are_reached_from_their_side(line: Line, value: float, reached: Reached) -> None:
    assert line.reached(value) is reached


def test_outcome_is_a_ratio_where_something_stands_beside_it() -> None:
    assert Outcome(MORE, [10, 20, 30], [100, 40, 50]).value == pytest.approx(0.4)
    assert Outcome(ALONE, [30, 7, 6]).value == 7
    assert Outcome(ALONE, [30, 7, 6]).reached is Reached.GOAL


def test_figures_are_written_without_exponents() -> None:
    assert [figures.number(value) for value in (48506.4, 123, 47.26, 0.3712)] == ["48,506", "123", "47.3", "0.371"]
    assert [line.said(0.0146) for line in (MORE, LESS, ALONE)] == ["1.46%", "0.0146x", "0.0146 ms"]


def test_report_says_what_failed_and_what_stands_beside() -> None:
    written = report.text([Outcome(MORE, [10, 20, 30], [100, 40, 50], notes=["said"])], ["push"], "here")
    assert "| read | pages | 20 ±50% a second | bare: 50 ±60% | 40% | 20% | 45% | floor reached |" in written
    assert "- **read**: said" in written
    assert "- **push** failed" in written


def test_bars_are_longer_the_better_it_is_whether_more_or_less_is_better() -> None:
    for line, worse, better in ((MORE, 0.1, 0.3), (LESS, 9, 3.5), (ALONE, 100, 20)):
        outcome = Outcome(line, [1])
        goal = plot.place(outcome, line.goal)
        assert 0 < plot.place(outcome, worse) < plot.place(outcome, better) < goal < 1
    assert plot.progress([Outcome(MORE, [1], [2])]).count("<rect") == 1
    assert plot.rounds([Outcome(MORE, [1, 2], [2, 3])]).count("<circle") == 4
