"""The arithmetic of the benches: medians, spreads, percentiles, ratios, and whether a floor or a goal is reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil


class Reached(StrEnum):
    """How far a line of the table came."""

    GOAL = "goal reached"
    FLOOR = "floor reached"
    BELOW = "below the floor"


@dataclass(frozen=True)
class Line:
    """A line of the table: what is measured, beside what, and what it is to reach.

    `floor` and `goal` bound the ratio of ours to what stands beside it, or ours itself where nothing does. Where more
    is better the goal lies above the floor.
    """

    name: str
    what: str
    beside: str
    floor: float
    goal: float
    unit: str  # of the figures
    form: str = "percent"  # of the ratio: "percent", "times", or "" where nothing stands beside it

    @property
    def more_is_better(self) -> bool:
        return self.goal > self.floor

    def reached(self, value: float) -> Reached:
        if value >= self.goal if self.more_is_better else value <= self.goal:
            return Reached.GOAL
        if value >= self.floor if self.more_is_better else value <= self.floor:
            return Reached.FLOOR
        return Reached.BELOW

    def said(self, value: float) -> str:
        """A ratio, a floor or a goal as it is written."""
        match self.form:
            case "percent":
                return f"{100 * value:.3g}%"
            case "times":
                return f"{value:.3g}x"
        return f"{value:.3g} {self.unit}"


@dataclass(frozen=True)
class Outcome:
    """What the rounds of one line gave; a round of `ours` and one of `beside` at the same place were run in turn."""

    line: Line
    ours: Sequence[float]
    beside: Sequence[float] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def value(self) -> float:
        """What is compared with floor and goal."""
        return ratio(self.ours, self.beside) if self.beside else median(self.ours)

    @property
    def reached(self) -> Reached:
        return self.line.reached(self.value)


def median(values: Sequence[float]) -> float:
    """The middle one; of an even number the mean of the two in the middle."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """Half the distance between smallest and largest, as a part of the median: 0.1 is "within 10%"."""
    middle = median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def ratio(ours: Sequence[float], beside: Sequence[float]) -> float:
    """Median by median, not the median of ratios: one disturbed round then spoils neither."""
    below = median(beside)
    return median(ours) / below if below else 0.0


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that `part` (0.99) of all do not exceed; it is one of them."""
    ranked = sorted(values)
    return ranked[max(0, ceil(part * len(ranked)) - 1)]


def number(value: float) -> str:
    """Three significant digits, thousands set apart, never an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
