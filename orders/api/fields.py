"""What fields of the API's bodies have in common (pydantic). They are strict: no unknown field, no number as text."""

from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from friendpay.kit import limits

# Control characters, and those that turn a text around.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
LINE = rf"^[^{_UNSEEN}]*$"
FILLED_LINE = rf"^[^{_UNSEEN}]*[^{_UNSEEN}\s][^{_UNSEEN}]*$"
PARAGRAPH = rf"^(?:[^{_UNSEEN}]|\n)*$"
WEB_URL = r"^https?://[!-\[\]-~]+$"
FILLED = r"[^\s\x1c-\x1f\ufeff]"  # something to see, in whatever language this pattern is read
CHALLENGE, VERIFIER = r"^[0-9A-Za-z_-]{43}$", r"^[0-9A-Za-z._~-]{43,128}$"  # of a pairing (RFC 7636)
CODE = r"^[0-9A-Za-z]+$"
KEY = r"^[A-Za-z0-9_.:-]+$"

SHAPES = {
    LINE: _("Send one line, without control characters."),
    FILLED_LINE: _("Send one line that says something, without control characters."),
    PARAGRAPH: _("Send a text without control characters."),
    WEB_URL: _("Send a whole address, such as https://shop.example/thanks."),
    FILLED: _("Send a text that says something."),
    CHALLENGE: _("Send the SHA-256 of the verifier as base64url: 43 characters."),
    VERIFIER: _("Send the verifier: 43 to 128 letters, digits and the characters . _ ~ -"),
    CODE: _("Send the code as it came: letters and digits."),
    KEY: _("A key is of letters, digits and the characters _ . : -"),
}
"""What a text is told that does not have the shape of its field."""

Minor = Annotated[int, Field(ge=1, le=limits.MAX_MINOR, description="A whole number of the currency's minor unit.")]
WebUrl = Annotated[str, Field(max_length=500, pattern=WEB_URL)]

_Key = Annotated[str, Field(min_length=1, max_length=limits.METADATA_KEY_CHARACTERS, pattern=KEY)]
_Value = Annotated[str, Field(max_length=limits.METADATA_VALUE_CHARACTERS, pattern=PARAGRAPH)]
Metadata = Annotated[
    dict[_Key, _Value],
    Field(max_length=limits.METADATA_KEYS),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": limits.METADATA_KEYS,
            "propertyNames": {"pattern": KEY, "maxLength": limits.METADATA_KEY_CHARACTERS},
            "additionalProperties": {
                "type": "string",
                "maxLength": limits.METADATA_VALUE_CHARACTERS,
                "pattern": PARAGRAPH,
            },
            "description": "Your own keys and values, kept and given back in answers and events. Nobody else sees "
            "them.",
        }
    ),
]


class Taken(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)
