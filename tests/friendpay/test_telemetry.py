"""Sentry and OpenTelemetry are off unless asked for, and are never told an address, a header or a person."""

import json
import sys
from types import ModuleType
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from friendpay import telemetry


def test_without_its_settings_nothing_of_either_is_loaded() -> None:
    telemetry.start()
    assert not [name for name in sys.modules if name.startswith(("sentry_sdk", "opentelemetry"))]


@pytest.mark.parametrize("setting", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_asked_for_and_not_installed_it_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    for name in ("sentry_sdk", "opentelemetry"):
        monkeypatch.setitem(sys.modules, name, None)
    setattr(settings, setting, "http://collector.example")
    with pytest.raises(SystemExit, match=f"{setting} is set: install requirements-telemetry.txt"):
        telemetry.start()


def test_sentry_is_begun_without_bodies_variables_or_persons(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[str, Any] = {}
    fake = ModuleType("sentry_sdk")
    vars(fake)["init"] = lambda **words: begun.update(words)
    monkeypatch.setitem(sys.modules, "sentry_sdk", fake)
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    telemetry.start()
    assert begun["dsn"] == settings.SENTRY_DSN
    off = ("send_default_pii", "include_local_variables", "max_breadcrumbs", "traces_sample_rate")
    assert not any(begun[name] for name in off)
    assert begun["max_request_body_size"] == "never"
    assert begun["before_send"] is telemetry.without_request


def test_an_error_is_told_without_who_asked_for_what() -> None:
    token = "7KQ2M9T4XW8BHC3NVRJ6PDSA"
    event = {
        "request": {"url": f"https://pay.example/p/{token}/", "cookies": {"sessionid": "x"}},
        "user": {"ip_address": "192.0.2.7"},
        "extra": {"a": token},
        "logentry": {"message": f"/p/{token}/"},
        "transaction": f"/p/{token}/",
        "exception": {"values": [{"type": "ValueError", "value": f"no such page: /p/{token}/"}]},
    }
    told = telemetry.without_request(event)
    assert token not in json.dumps(told)
    assert "192.0.2.7" not in json.dumps(told)
    assert told["exception"]["values"][0]["type"] == "ValueError"
    assert telemetry.without_request({"transaction": "/p/<slug:token>/"}) == {"transaction": "/p/<slug:token>/"}


class Span:
    def __init__(self) -> None:
        self.attributes = {"http.method": "GET", "http.target": "/p/7KQ2M9T4XW8BHC3NVRJ6PDSA/", "url.path": "/p/7K/"}

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, name: str, value: str) -> None:
        self.attributes[name] = value


def test_a_trace_names_the_route_and_no_address() -> None:
    span = Span()
    telemetry.without_address(span, None)
    assert {name: value for name, value in span.attributes.items() if value} == {"http.method": "GET"}
    telemetry.without_address(None, None)
