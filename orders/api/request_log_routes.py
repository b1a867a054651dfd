"""API routes of the request log: what the shop's keys asked for lately, and what was answered."""

from datetime import datetime
from typing import Annotated, Self

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Router
from pydantic import BaseModel, Field

from friendpay.kit.paging import newest_first
from orders.api.auth import Call
from orders.api.fields import FILLED_LINE
from orders.api.schemas import Limit, Moment, Page
from orders.models import ApiCall, ApiKey

router = Router(tags=["Account"])

CallId = Annotated[str, Field(pattern=r"^req_[0-9A-Za-z]{1,36}$")]


class ApiCallOut(BaseModel):
    """A call that was let in. Texts that may be secret, or about somebody, are not kept."""

    id: Annotated[str, Field(description="The answer's Request-Id.")]
    key: Annotated[str, Field(description="How the key begins that was used.")]
    live: bool
    at: datetime
    method: str
    path: str
    query: dict[str, str]
    body: Annotated[str, Field(description="What was sent, without such texts and cut.")]
    status: int
    code: Annotated[str, Field(description="Of a refusal; else empty.")]
    answer: Annotated[str, Field(description="Of a refusal all of it; else the id of what was answered.")]
    milliseconds: int
    agent: str

    @classmethod
    def of(cls, call: ApiCall) -> Self:
        own = {name: getattr(call, name) for name in cls.model_fields if name not in ("id", "key")}
        return cls(id=call.public_id, key=call.key.start, **own)


class ApiCallPage(Page[ApiCallOut]):
    """Calls, newest first."""


def _calls(key: ApiKey) -> QuerySet[ApiCall]:
    return ApiCall.objects.filter(merchant=key.merchant_id, live=key.live).select_related("key")


@router.get("/request-logs", response=ApiCallPage, operation_id="list_request_logs")
def list_calls(  # noqa: PLR0913  # a filter is a parameter
    request: Call,
    limit: Limit = 20,
    after: CallId | None = None,
    before: CallId | None = None,
    status: Annotated[int, Field(ge=100, lt=600)] | None = None,
    code: Annotated[str, Field(max_length=40, pattern=FILLED_LINE)] | None = None,
    created_since: Moment | None = None,
    created_before: Moment | None = None,
) -> ApiCallPage:
    """List the latest calls

    Newest first, of all keys of your shop in this mode: the last 1,000 of each. A call appears a moment after its
    answer; reading this list is not on it.
    """
    wanted = {"status": status, "code": code, "at__gte": created_since, "at__lt": created_before}
    rows = _calls(request.auth).filter(**{name: value for name, value in wanted.items() if value is not None})
    found, has_more = newest_first(rows, after=after, before=before, limit=limit)
    return ApiCallPage.of(map(ApiCallOut.of, found), has_more)


@router.get("/request-logs/{call_id}", response=ApiCallOut, operation_id="get_request_log")
def get_call(request: Call, call_id: CallId) -> ApiCallOut:
    """Get a call by its Request-Id

    Where a problem's `instance` leads.
    """
    return ApiCallOut.of(get_object_or_404(_calls(request.auth), public_id=call_id))
