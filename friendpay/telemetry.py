"""Errors to Sentry and traces to an OpenTelemetry collector, for who sets SENTRY_DSN or OTEL_EXPORTER_OTLP_ENDPOINT.

Without these nothing of either is imported. Both are told by other people's servers, so what they are sent is cut down:
no address of ours (a link is a secret), no header, cookie, body, nor value of a variable; statements without values.
"""

from typing import Any

from django.conf import settings

from friendpay.kit import env
from friendpay.logs import redact

_INSTALL = "install requirements-telemetry.txt too."


def start() -> None:
    """In every process that runs Django, before it serves anything."""
    if settings.SENTRY_DSN:
        _sentry()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _opentelemetry()


def _sentry() -> None:
    try:
        import sentry_sdk
    except ImportError:
        env.stop(f"SENTRY_DSN is set: {_INSTALL}")
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        before_send=without_request,
    )


def without_request(event: dict[str, Any], _hint: Any = None) -> dict[str, Any]:
    """What went wrong and where in the code, and nothing of who asked for what."""
    for about in ("request", "user", "extra", "breadcrumbs", "logentry", "message", "server_name"):
        event.pop(about, None)
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = redact(str(error.get("value", "")))
    if "<" not in event.get("transaction", "<"):
        event["transaction"] = "a page"  # an address as it was asked for, not the pattern of its route
    return event


def _opentelemetry() -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        env.stop(f"OTEL_EXPORTER_OTLP_ENDPOINT is set: {_INSTALL}")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(request_hook=without_address)
    PsycopgInstrumentor().instrument()
    CeleryInstrumentor().instrument()


ADDRESSES = ("http.url", "http.target", "http.user_agent", "net.peer.ip", "url.full", "url.path", "url.query")


def without_address(span: Any, _request: Any) -> None:
    """The route's pattern stays, as OpenTelemetry names the span by it."""
    if span and span.is_recording():
        for name in ADDRESSES:
            span.set_attribute(name, "")
