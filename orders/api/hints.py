"""What a shop tells and nothing depends on: names people read, and the buyer's language. It is made to fit, and never
refuses an order.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from friendpay.kit import languages, text_filter
from orders.api.fields import FILLED


def fitting(most: int) -> AfterValidator:
    """One line without what nobody sees, cut to so many characters and never within one that is made of several."""

    def fit(text: str) -> str:
        line = text_filter.line(text)
        if len(line) <= most:
            return line
        end = most - 1
        while end > 1 and (_joins(line[end]) or _joins(line[end - 1], last=True)):
            end -= 1
        return f"{line[:end].rstrip()}…"

    return AfterValidator(fit)


def _joins(char: str, *, last: bool = False) -> bool:
    joiner = char == "\u200d"
    return joiner if last else joiner or char == "\ufe0f" or unicodedata.category(char) in ("Mn", "Me", "Mc")


Filled = Field(pattern=FILLED)
Goods = Annotated[str, Filled, fitting(120)]
Name = Annotated[str, Filled, fitting(60)]
Locale = Annotated[str, AfterValidator(languages.tag)]
