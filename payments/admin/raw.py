"""What a wallet wrote, as it came, without whatever may be secret or about a person."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from friendpay.kit import desk_limits
from payments.models import ProviderEvent

KEPT = frozenset(
    ("id", "object", "type", "event_type", "resource_type", "summary", "status", "state", "reason", "code", "currency")
    + ("trade_state", "trade_status", "trade_type", "refund_status", "notify_type", "notify_id", "api_version", "mode")
    + ("out_trade_no", "out_refund_no", "out_biz_no", "transaction_id", "refund_id", "trade_no", "reference", "number")
    + ("charge", "charge_reference", "charge_transaction", "payment_intent", "payment_status", "client_reference_id")
    + ("transaction", "app_id", "appid", "mchid", "original_type", "algorithm", "version", "charset", "sign_type")
)
"""Fields whose texts are shown. All other texts are only counted: an allow-list forgets no secret."""

_PLAIN = re.compile(r"-?\d{1,8}(\.\d{1,6})?|\d{4}-\d\d-\d\d[T ][\d:.]{5,15}(Z|[+-]\d\d:?\d\d)?|", re.ASCII)


def shown(event: ProviderEvent) -> str:
    """The message, indented; its size alone where it cannot be read."""
    body = bytes(event.body)
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = dict(parse_qsl(body.decode(errors="replace")))
    return json.dumps(_redacted(read), indent=2, ensure_ascii=False) if read else f"{len(body)} bytes"


def _redacted(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {str(key)[: desk_limits.RAW_CHARACTERS]: _redacted(its, str(key)) for key, its in value.items()}
        case list():
            return [_redacted(its, name) for its in value]
        case str():
            is_plain = _PLAIN.fullmatch(value) or (name in KEPT and len(value) <= desk_limits.RAW_CHARACTERS)
            return value if is_plain else f"… ({len(value)} characters)"
    return value
