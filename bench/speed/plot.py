"""Pictures of the results as small SVG: how far each line came towards its floor and goal; what its rounds gave."""

from collections.abc import Sequence
from html import escape
from math import log10

from bench.speed.figures import Outcome, Reached, median, number

_ROW, _LEFT, _WIDE = 34, 110, 520
_INK = {Reached.GOAL: "#1a7f4b", Reached.FLOOR: "#b7791f", Reached.BELOW: "#b42318"}
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.soft{fill:#67737e;font-size:11px}"
    "@media(prefers-color-scheme:dark){text{fill:#e6eaee}.soft{fill:#9aa7b3}}"
)


def place(outcome: Outcome, value: float) -> float:
    """Where a value lies between a hundredth of the goal (0), and three times as good as it (1), in logarithms."""
    line = outcome.line
    good = value / line.goal if line.more_is_better else line.goal / value if value else 3.0
    return min(1.0, max(0.0, (log10(max(good, 1e-9)) + 2) / (log10(3) + 2)))


def progress(outcomes: Sequence[Outcome]) -> str:
    """A bar for each line, with a stroke at its floor and one at its goal. Further right is better, whatever it is."""
    rows = []
    for row, outcome in enumerate(outcomes):
        line, y = outcome.line, 30 + row * _ROW
        wide = max(2.0, _WIDE * place(outcome, outcome.value))
        rows.append(f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(line.name)}</text>')
        rows.append(f'<rect x="{_LEFT}" y="{y}" width="{wide:.0f}" height="18" fill="{_INK[outcome.reached]}"/>')
        for value, dash in ((line.floor, ' stroke-dasharray="3"'), (line.goal, "")):
            x = _LEFT + _WIDE * place(outcome, value)
            rows.append(f'<path d="M{x:.0f} {y - 4}v26" stroke="#67737e" stroke-width="2"{dash}/>')
        rows.append(
            f'<text class="soft" x="{_LEFT + _WIDE + 10}" y="{y + 13}">{escape(line.said(outcome.value))}</text>'
        )
    told = '<text class="soft" x="110" y="16">dashed: floor; whole: goal; further right is better (logarithmic)</text>'
    return _svg(_LEFT + _WIDE + 90, 40 + len(outcomes) * _ROW, [told, *rows])


def rounds(outcomes: Sequence[Outcome]) -> str:
    """Every round of every line as a dot, beside what stands beside it: how far apart they lie, and how surely."""
    rows = []
    for row, outcome in enumerate(outcomes):
        y = 24 + row * _ROW
        most = max([*outcome.ours, *outcome.beside, 1e-9])
        rows.append(f'<text x="{_LEFT - 10}" y="{y + 12}" text-anchor="end">{escape(outcome.line.name)}</text>')
        for values, lower, ink in ((outcome.ours, 0, "#1a7f4b"), (outcome.beside, 12, "#67737e")):
            for value in values:
                x = _LEFT + _WIDE * value / most
                rows.append(f'<circle cx="{x:.0f}" cy="{y + 2 + lower}" r="4" fill="{ink}" fill-opacity=".6"/>')
        beside = f" / {number(median(outcome.beside))}" if outcome.beside else ""
        words = f"{number(median(outcome.ours))}{beside} {outcome.line.unit}"
        rows.append(f'<text class="soft" x="{_LEFT + _WIDE + 14}" y="{y + 12}">{escape(words)}</text>')
    told = '<text class="soft" x="110" y="12">green: ours; grey: what stands beside it; from zero to the largest</text>'
    return _svg(_LEFT + _WIDE + 210, 34 + len(outcomes) * _ROW, [told, *rows])


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])
