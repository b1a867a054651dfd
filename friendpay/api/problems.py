"""Errors of the API: every answer of 400 and above under its root is an RFC 9457 problem document."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from friendpay.api import field_words
from friendpay.kit import limits
from friendpay.kit.errors import Refused

MEDIA_TYPE = "application/problem+json"

WORDS: dict[int, tuple[str, Any]] = {
    400: ("malformed", _("The body is not JSON, or the call cannot be read.")),
    401: ("unauthorized", _("Send a valid API key as `Authorization: Bearer sk_…`.")),
    403: ("forbidden", _("This key may not do that.")),
    404: ("not_found", _("There is nothing here that this key may see.")),
    405: ("method_not_allowed", _("This address takes other methods; `Allow` names them.")),
    408: ("timeout", _("The body did not arrive in time. Please send it again.")),
    413: ("too_large", _("The body is too large.")),
    415: ("not_json", _("Send the body as `Content-Type: application/json`.")),
    422: ("invalid", _("Some fields are not right; `errors` names them.")),
    429: ("too_many_requests", _("Too many calls with this key. `Retry-After` says when to go on.")),
    500: ("server_error", _("Something went wrong on our side. Repeat the call with the same Idempotency-Key.")),
    503: ("overloaded", _("Too much to do just now; nothing was done. Please try again after `Retry-After` seconds.")),
}
"""The code and the sentence of a status, where nothing more is known."""

_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "string_pattern_mismatch": "malformed",
    "too_long": "too_many",
    "too_short": "too_few",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
}
"""What the checker calls a fault, and what the contract calls it; a wrong type is `wrong_type`, the rest `invalid`."""


FIELD_CODES = (*dict.fromkeys(_CODES.values()), "wrong_type", "invalid")

CODES = (
    *(code for code, _words in WORDS.values()),
    "amount_mismatch",
    "amount_missing",
    "amount_out_of_range",
    "amount_step",
    "ask_limit_reached",
    "below_minimum",
    "crumb_left",
    "endpoint_disabled",
    "expires_in_out_of_range",
    "held",
    "idempotency_key_in_use",
    "idempotency_key_reused",
    "last_part",
    "line_returned",
    "looks_like_a_seal",
    "max_payers_out_of_range",
    "merchant_frozen",
    "message_has_contact",
    "method_not_offered",
    "min_amount_out_of_range",
    "not_paid_elsewhere",
    "nothing_paid",
    "order_cancelled",
    "order_expired",
    "order_not_awaiting_payment",
    "order_paid",
    "pairing_refused",
    "partly_paid",
    "reference_used",
    "refund_beyond_payment",
    "request_cancelled",
    "request_expired",
    "request_not_paid",
    "request_open",
    "request_paid",
    "return_url_not_of_site",
    "return_url_not_registered",
    "right_missing",
    "share_amount",
    "share_names",
    "share_paid",
    "share_required",
    "shares_do_not_add_up",
    "test_mode_only",
    "told_already",
    "too_many_endpoints",
    "unknown_currency",
    "unknown_cursor",
    "unknown_line",
    "unreadable",
    "url_not_allowed",
    "wallet_not_permitted",
    "wallet_refused",
    "wallet_unavailable",
)
"""Every code of a problem that a call can answer."""


def page_of(code: str) -> str:
    """Where the code is explained."""
    return f"{settings.PUBLIC_URL}/api/v1/docs/errors#{code}"


def problem(status: int, code: str = "", detail: object = "", errors: Sequence[dict[str, str]] = ()) -> HttpResponse:
    """A problem document. `code` is for programs and stays the same; `detail` is a sentence for people."""
    usual_code, usual_detail = WORDS.get(status, WORDS[400 if status < 500 else 500])
    code = code or usual_code
    body: dict[str, object] = {
        "type": page_of(code),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail or usual_detail),
    }
    if errors:
        body["errors"] = list(errors)
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="friendpay"'
    return response


def install(api: NinjaAPI) -> None:
    """Let the API answer what goes wrong inside it with problems; a fault of ours is left to Django, which logs it."""
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, lambda request, error: problem(404))
    api.add_exception_handler(RequestDataTooBig, lambda request, error: problem(413))


def _http_error(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    return problem(error.status_code)


def _refused(request: HttpRequest, error: Refused | type[Refused]) -> HttpResponse:
    assert isinstance(error, Refused)
    message = str(error.message)
    errors = [{"field": error.field, "code": error.code, "message": message}] if error.field else []
    response = problem(error.status, error.code, message, errors)
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response


def _invalid(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    """An id that no object can have is one that no object has."""
    assert isinstance(error, ValidationError)
    if any(fault["loc"][0] == "path" for fault in error.errors):
        return problem(404)
    errors = [
        {"field": _field(fault["loc"]), "code": _code(fault["type"]), "message": field_words.of(fault)}
        for fault in error.errors[: limits.API_ERRORS_SHOWN]
    ]
    return problem(422, errors=errors)


def _field(place: Sequence[str | int]) -> str:
    """`lines.0.unit_amount`; "" when it is the body as a whole."""
    source, *rest = place
    return ".".join(str(part) for part in (rest[1:] if source == "body" else rest))


def _code(kind: str) -> str:
    return _CODES.get(kind) or ("wrong_type" if kind.endswith(("_type", "_parsing")) else "invalid")
