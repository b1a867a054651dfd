"""Columns of the desk as data: a title, what is shown of a row, and by which field a list sorts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit.cells import Cell, code, mode

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a list, or a field of a page. Django's admin calls it, and reads its two other names."""

    title: Promise
    show: Callable[[Row], Cell]
    order: str | None = None

    def __call__(self, row: Row) -> Cell:
        """What is shown; where that is nothing, what Django shows for nothing, so that no cell is blank."""
        shown = self.show(row)
        return None if shown == "" else shown

    @property
    def short_description(self) -> Promise:
        return self.title

    @property
    def admin_order_field(self) -> str | None:
        return self.order


ID: Column[Any] = Column(_("Id"), lambda row: code(row.public_id))
MODE: Column[Any] = Column(_("Mode"), lambda row: mode(row.live), "live")
