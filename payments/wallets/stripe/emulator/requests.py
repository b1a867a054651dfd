"""What Stripe demands of a request before it does anything: form encoding, known parameters, their forms."""

import re
from typing import Any
from urllib.parse import parse_qsl

from payments.wallets.stripe.emulator.methods import CURRENCIES

Params = dict[str, Any]

_INT = r"-?\d{1,12}"
_BOOL = "true|false"
_URL = r"https?://[^\s]{1,5000}"
_METADATA = {"*": r"[\s\S]{0,500}"}
_EXPAND = [r"[a-z_.]{1,100}"]
_LOCALE = (
    "auto|bg|cs|da|de|el|en|en-GB|es|es-419|et|fi|fil|fr|fr-CA|hi-IN|hr|hu|id|it|ja|ko|lt|lv|ms|mt|nb|nl|pl|pt|pt-BR|ro|"
    "ru|sk|sl|sv|th|tr|vi|zh|zh-HK|zh-TW"
)
_LIST = {
    "limit": r"\d{1,3}",
    "starting_after": r"\w{1,100}",
    "created": {"gt": _INT, "gte": _INT, "lt": _INT, "lte": _INT},
    "expand": _EXPAND,
}

NOTHING: Params = {"expand": _EXPAND}
SESSION: Params = {
    "mode!": "payment",
    "client_reference_id": r".{1,200}",
    "metadata": _METADATA,
    "payment_intent_data": {"metadata": _METADATA, "description": r"[\s\S]{1,1000}"},
    "line_items!": [
        {
            "quantity!": r"[1-9]\d{0,5}",
            "price_data!": {
                "currency!": "[a-z]{3}",
                "unit_amount!": _INT,
                "product_data!": {"name!": r"[^\n]{1,250}"},
            },
        }
    ],
    "allowed_payment_method_types": ["|".join(CURRENCIES)],
    "payment_method_options": {"wechat_pay": {"client!": "android|ios|web"}},
    "adaptive_pricing": {"enabled": _BOOL},
    "expires_at": _INT,
    "success_url!": _URL,
    "cancel_url": _URL,
    "locale": _LOCALE,
    "expand": _EXPAND,
}
SESSIONS: Params = _LIST | {"payment_intent": r"pi_\w+", "status": "open|complete|expired"}
SEARCH: Params = {"query!": r"[\s\S]{1,1000}", "limit": r"\d{1,3}", "expand": _EXPAND}
REFUND: Params = {
    "payment_intent": r"pi_\w+",
    "charge": r"ch_\w+",
    "amount": _INT,
    "reason": "duplicate|fraudulent|requested_by_customer",
    "metadata": _METADATA,
    "expand": _EXPAND,
}
REFUNDS: Params = _LIST | {"payment_intent": r"pi_\w+", "charge": r"ch_\w+"}
TRANSACTIONS: Params = _LIST | {"type": r"[a-z_]+", "source": r"\w+"}


class Wrong(Exception):
    """An error as Stripe words it."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"code": code, "message": message, "param": param, "type": kind}
        self.body = {"error": {name: value for name, value in named.items() if value}}


def read(text: str, shape: Params) -> Params:
    """The parameters of a form or a query, nested as their brackets say, every one known and of its form."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), encoding="utf-8", errors="strict")
    except ValueError as error:
        raise Wrong("Invalid request body, or not of form encoding") from error
    params: Params = {}
    for name, value in pairs:
        _put(params, name, value)
    _check(params, shape, "")
    return params


def _put(params: Params, name: str, value: str) -> None:
    match = re.fullmatch(r"(\w+)((?:\[[^\[\]]*\])*)", name)
    if not match:
        raise Wrong(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    *path, last = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    for step in path:
        params = params.setdefault(step, {})
        if not isinstance(params, dict):
            raise Wrong(f"Invalid object: {name}", param=name)
    if last in params:
        last = last or str(len(params))
    params[last or "0"] = value


def _check(given: Any, shape: Any, name: str) -> None:
    if isinstance(shape, str):
        if given == "":
            raise Wrong(f"You passed an empty string for '{name}'.", code="parameter_invalid_empty", param=name)
        if not isinstance(given, str) or not re.fullmatch(shape, given):
            kind = "parameter_invalid_integer" if shape == _INT else "parameter_invalid"
            raise Wrong(f"Invalid {name}: {given}", code=kind, param=name)
        return
    if not isinstance(given, dict):
        raise Wrong(f"Invalid {name}: must be an object or a list", param=name)
    if isinstance(shape, list):
        if [*given] != [str(number) for number in range(len(given))]:
            raise Wrong(f"Invalid array: {name}", param=name)
        for number, item in given.items():
            _check(item, shape[0], f"{name}[{number}]")
        return
    known = {key.rstrip("!"): value for key, value in shape.items()}
    for key, value in given.items():
        inner = f"{name}[{key}]" if name else key
        if key not in known and "*" not in known:
            raise Wrong(f"Received unknown parameter: {inner}", code="parameter_unknown", param=inner)
        if "*" in known and len(key) > 40:
            raise Wrong("Metadata keys have at most 40 characters", param=inner)
        if value != "" or "*" not in known:
            _check(value, known.get(key, known.get("*")), inner)
    for key in shape:
        if key.endswith("!") and key[:-1] not in given:
            inner = f"{name}[{key[:-1]}]" if name else key[:-1]
            raise Wrong(f"Missing required param: {inner}.", code="parameter_missing", param=inner)
