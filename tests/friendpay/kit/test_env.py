"""Settings come from the environment, and whatever is wrong with one is said in one line."""

from pathlib import Path

import pytest

from friendpay.kit import env


def refusal(call: object, *arguments: object) -> str:
    with pytest.raises(SystemExit) as stopped:
        call(*arguments)  # type: ignore[operator]
    line = str(stopped.value)
    assert line.startswith("friendpay: ")
    assert "\n" not in line
    return line


def test_a_value_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", " tea ")
    assert env.text("THING") == "tea"


def test_a_value_is_read_from_the_file_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "thing").write_text("tea\n")
    monkeypatch.setenv("THING", "coffee")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "thing"))
    assert env.text("THING") == "tea"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_value_ends_the_boot_and_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("THING", raising=False)
    if value is not None:
        monkeypatch.setenv("THING", value)
    assert "THING is not set" in refusal(env.text, "THING")
    assert env.text("THING", "milk") == "milk"


def test_a_file_that_is_not_there_or_no_text_ends_the_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / "nothing"))
    assert "cannot be read" in refusal(env.text, "THING")
    (tmp_path / "nothing").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(env.text, "THING")


@pytest.mark.parametrize(("value", "meant"), [("yes", True), ("1", True), ("ON", True), ("no", False), ("0", False)])
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, value: str, meant: bool) -> None:
    monkeypatch.setenv("THING", value)
    assert env.flag("THING") is meant


def test_a_flag_that_is_neither_ends_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "maybe")
    assert "neither yes nor no" in refusal(env.flag, "THING")


@pytest.mark.parametrize("value", ["", "-1", "0", "1.5", "two", "٣"])
def test_a_number_is_whole_and_large_enough(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("THING", value)
    if value:
        assert "whole number" in refusal(env.number, "THING", 2)
    else:
        assert env.number("THING", 2) == 2


def test_a_list_has_no_blanks_and_may_not_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", " a, ,b ,")
    assert env.items("THING") == ["a", "b"]
    monkeypatch.setenv("THING", ",")
    assert "THING is empty" in refusal(env.items, "THING")


@pytest.mark.parametrize(
    "value", ["https://pay.example", "http://127.0.0.1:8000", "http://[::1]:8000", "https://Pay.Example/"]
)
def test_an_address_of_a_site_is_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("THING", value)
    assert env.web_address("THING") == value.rstrip("/").lower()


@pytest.mark.parametrize(
    "value",
    [
        "pay.example",
        "ftp://pay.example",
        "https://",
        "https://pay.example/shop",
        "https://a:b@pay.example",
        "http://x:y",
        "http://[::1",
    ],
)
def test_what_is_no_address_of_a_site_ends_the_boot(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("THING", value)
    assert "is not an address" in refusal(env.web_address, "THING")


def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "10.0.0.0/8, ::1")
    assert env.networks("THING") == ["10.0.0.0/8", "::1"]
    monkeypatch.setenv("THING", "10.0.0.1/8")
    assert "10.0.0.1/8" in refusal(env.networks, "THING")


@pytest.mark.parametrize(
    "host", ["localhost", "shop.localhost", "box.local", "127.0.0.1", "192.168.1.5", "10.1.2.3", "[::1]", "fd00::1"]
)
def test_a_private_host_is_local(host: str) -> None:
    assert env.is_local(host)


@pytest.mark.parametrize(
    "host", ["", "*", "pay.example", ".local.example", "8.8.8.8", "0.0.0.0", "[2606:4700::1]", "127.0.0.1.example"]
)
def test_any_other_host_is_not(host: str) -> None:
    assert not env.is_local(host)
