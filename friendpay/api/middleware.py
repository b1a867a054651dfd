"""The API's outermost middleware: bodies nobody should read stop here, and whatever goes wrong leaves as a problem."""

import json
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from friendpay.api.problems import MEDIA_TYPE, problem
from friendpay.kit import ids, limits
from orders import request_log
from orders.models import ApiKey

logger = logging.getLogger(__name__)

ROOT = "/api/v1"


def holds(path: str) -> bool:
    """Whether this is an address of the API."""
    return f"{path}/".startswith(f"{ROOT}/")


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Stands before whatever may refuse a call, so that their errors are problems too. Every answer has a Request-Id;
    the log names it beside whatever went wrong on our side, and the request log of the key has it.
    """

    def answer(call: HttpRequest) -> HttpResponse:
        if not holds(call.path_info):
            return get_response(call)
        began = time.monotonic()
        response = _refusal(call) or get_response(call)
        if response.status_code >= 400 and response["Content-Type"] != MEDIA_TYPE:
            plain, response = response, problem(response.status_code)
            if plain.has_header("Allow"):
                response["Allow"] = plain["Allow"]
        if allowance := getattr(call, "allowance", None):
            for name, value in allowance.headers.items():
                response[name] = value
        response["Request-Id"] = request_id = ids.public_id("req")
        key = getattr(call, "auth", None)
        if isinstance(key, ApiKey) and not holds_log(call.path_info):
            _note(call, key, response, request_id, time.monotonic() - began)
        if response.status_code >= 500:
            logger.error("%s %s was answered %s: %s", call.method, call.path, response.status_code, request_id)
        return response

    return answer


def holds_log(path: str) -> bool:
    """Whether this is the request log itself, which is not on it."""
    return path.startswith(f"{ROOT}/request-logs")


def _note(call: HttpRequest, key: ApiKey, response: HttpResponse, request_id: str, seconds: float) -> None:
    """Put the call into the request log of its key; a refusal says where it stands there."""
    if response["Content-Type"] == MEDIA_TYPE:
        said = {**json.loads(response.content), "instance": f"{ROOT}/request-logs/{request_id}"}
        response.content = content = json.dumps(said, ensure_ascii=False).encode()
        response["Content-Length"] = str(len(content))  # it was told of what stood there before
    entry = request_log.Entry(
        id=request_id,
        key=key.pk,
        at=call.now,  # type: ignore[attr-defined]  # set with the key
        method=call.method or "",
        path=call.path.removeprefix(ROOT),
        query=call.GET.dict(),
        body=vars(call).get("_body", b"")[: limits.API_CALL_READ_BYTES],  # as far as it was read
        status=response.status_code,
        answer=response.content[: limits.API_CALL_READ_BYTES],
        milliseconds=round(seconds * 1000),
        agent=call.headers.get("User-Agent", ""),
    )
    request_log.note(entry)


def _refusal(call: HttpRequest) -> HttpResponse | None:
    length = call.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        return problem(400)
    if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return problem(413)
    if int(length) and call.method in ("POST", "PATCH") and call.content_type != "application/json":
        return problem(415)
    return None
