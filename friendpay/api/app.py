"""The API object (django-ninja): the routers of both sides under one root, their OpenAPI description, and its page."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import translation
from django.utils.translation import gettext
from ninja import NinjaAPI, Status
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema
from pydantic import BaseModel

from friendpay.api import guides, manual, openapi, problems
from friendpay.kit.waiting import waits_for_wallet
from orders.api import by_metadata
from orders.api.auth import KEY, Call
from orders.api.delivery_routes import router as deliveries
from orders.api.idempotency import once
from orders.api.pairing_routes import router as pairings
from orders.api.request_log_routes import router as request_log
from orders.api.webhook_routes import router as webhooks
from payments.api.list_routes import router as lists
from payments.api.order_routes import router as orders
from payments.api.routes import router as payments
from payments.api.shop_routes import router as account


class Manual(DocsBase):
    """The description as a page: rendered here, with nothing from elsewhere and no script."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        return render(
            request, "api/manual.html", {**manual.contents(api.get_openapi_schema()), "guides": guides.GUIDES}
        )


class Api(NinjaAPI):
    """django-ninja, with a description that names every status an operation can answer."""

    _description: OpenAPISchema | None = None

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        if self._description is None:
            with translation.override("en"):
                self._description = openapi.complete(super().get_openapi_schema(**kwargs))
        return self._description


def answered(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Render what a route gives; of a POST, once per Idempotency-Key. Unknown query parameters are refused, as unknown
    fields are: a filter with a typo would else give everything.
    """
    known = signature(view).parameters.keys() - {"request", "data"}

    @wraps(view)
    def answer(call: Call, **values: Any) -> HttpResponse:
        of_path = call.resolver_match.kwargs.keys() if call.resolver_match else ()
        unknown = sorted(set(call.GET) - (known - set(of_path)))
        if getattr(view, "filters_metadata", False):
            unknown = [name for name in unknown if not by_metadata.is_one(name)]
        if unknown:
            words = gettext("There is no such parameter.")
            errors = [{"field": name, "code": "unknown_field", "message": words} for name in unknown]
            return problems.problem(422, errors=errors)

        def work() -> HttpResponse:
            return _rendered(view(call, **values))

        caller = getattr(call, "auth", None)  # nobody begins a pairing
        kept = call.method == "POST" and not getattr(view, "not_kept", False)
        return once(caller, call, work) if caller and kept else work()

    return answer


def _rendered(result: BaseModel | Status[BaseModel | None]) -> HttpResponse:
    status, model = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    if model is None:
        return HttpResponse(status=status, content_type="application/json")
    return HttpResponse(model.model_dump_json(), status=status, content_type="application/json")


api = Api(
    title="friendpay",
    version="1.0",
    description=openapi.INTRODUCTION,
    auth=KEY,
    docs=Manual(),
    servers=[{"url": settings.PUBLIC_URL}],
    urls_namespace="api",
)
problems.install(api)
api.add_decorator(answered)
api.add_router("", account)
api.add_router("", orders)
api.add_router("", payments)
api.add_router("", lists)
api.add_router("", deliveries)
api.add_router("", webhooks)
api.add_router("", pairings)
api.add_router("", request_log)

addresses = api.urls
for address in addresses[0]:  # django-ninja's view hides what its operation says of itself
    if isinstance(address, URLPattern) and address.name == "simulate":
        waits_for_wallet(lane="sandbox")(address.callback)  # its thread waits for another of our own
urlpatterns = [path("docs/<slug:name>", guides.page, name="guide"), path("", addresses)]
