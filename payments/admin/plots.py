"""Today's figures as the front page draws them: tiles, and plots with the same figures in a table beside them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from friendpay.admin_kit.cells import Cell, Panel
from friendpay.kit import desk_limits
from friendpay.kit.templatetags.money import amount
from payments.admin.figures import Figures
from payments.admin.friction import ROW, duration
from payments.offers.weighing import LABELS


@dataclass(frozen=True)
class Tile:
    label: str
    number: str
    more: str = ""


@dataclass(frozen=True)
class Hour:
    """A place of the plot, in percent across and pixels down."""

    left: float
    asked: float
    paid: float
    label: str

    @property
    def asked_top(self) -> float:
        return desk_limits.PLOT_HEIGHT - self.asked

    @property
    def paid_top(self) -> float:
        return desk_limits.PLOT_HEIGHT - self.paid


@dataclass(frozen=True)
class Bar:
    label: str
    number: int
    top: int
    width: float


@dataclass(frozen=True)
class Plots:
    figures: Figures
    tiles: list[Tile]
    hours: list[Hour]
    methods: list[Bar]
    shops: list[Bar]
    panel: Panel
    height: int = desk_limits.PLOT_HEIGHT

    @property
    def methods_height(self) -> int:
        return ROW * len(self.methods)

    @property
    def shops_height(self) -> int:
        return ROW * len(self.shops)


def of(figures: Figures) -> Plots:
    """All that is drawn of them."""
    asked, paid = figures.asked.total(), figures.paid.total()
    tiles = [
        Tile(_("Payment requests"), str(asked)),
        Tile(_("Paid"), str(paid), _sums(figures.taken)),
        Tile(_("Expired"), str(figures.expired)),
        Tile(_("Refunded"), str(figures.refunds), _sums(figures.refunded)),
        Tile(_("Median time to paid"), duration(figures.median)),
    ]
    most = max([1, *figures.asked.values(), *figures.paid.values()])
    hours = [
        Hour(
            100 * hour / 24,
            desk_limits.PLOT_HEIGHT * figures.asked[hour] / most,
            desk_limits.PLOT_HEIGHT * figures.paid[hour] / most,
            f"{hour:02}",
        )
        for hour in range(24)
    ]
    rows: list[tuple[Cell, ...]] = [
        (f"{hour:02}:00", figures.asked[hour], figures.paid[hour])
        for hour in range(24)
        if figures.asked[hour] or figures.paid[hour]
    ]
    panel = Panel("", (_("Hour"), _("Payment requests"), _("Paid")), rows)
    methods = {str(LABELS.get(method, method)): number for method, number in figures.by_method.items()}
    return Plots(figures, tiles, hours, _bars(methods), _bars(figures.by_shop), panel)


def _sums(sums: Mapping[str, int]) -> str:
    return " + ".join(amount(sum, currency) for currency, sum in sorted(sums.items()))


def _bars(numbers: Mapping[str, int]) -> list[Bar]:
    """The largest, and the rest together."""
    counted = Counter(numbers)
    rows = counted.most_common(desk_limits.PLOT_BARS)
    if rest := counted.total() - sum(number for _label, number in rows):
        rows.append((_("all others"), rest))
    most = max((number for _label, number in rows), default=1)
    return [Bar(label, number, ROW * place, 100 * number / most) for place, (label, number) in enumerate(rows)]
