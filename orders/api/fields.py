"""What fields of the API's bodies have in common (pydantic). They are strict: no unknown field, no number as text."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from friendpay.kit import limits

# Control characters, and those that turn a text around.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
LINE = rf"^[^{_UNSEEN}]*$"
FILLED_LINE = rf"^[^{_UNSEEN}]*[^{_UNSEEN}\s][^{_UNSEEN}]*$"
PARAGRAPH = rf"^(?:[^{_UNSEEN}]|\n)*$"

Minor = Annotated[int, Field(ge=1, le=limits.MAX_MINOR, description="A whole number of the currency's minor unit.")]
WebUrl = Annotated[str, Field(max_length=500, pattern=r"^https?://[!-\[\]-~]+$")]


class Taken(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)
