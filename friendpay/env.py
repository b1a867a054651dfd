"""Reading settings from the environment: one clear line for whatever is missing or malformed."""

import os
import sys
from pathlib import Path
from typing import NoReturn

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


def stop(line: str) -> NoReturn:
    """End the boot with one line that says what to do."""
    sys.exit(f"friendpay: {line}")


def text(name: str, default: str | None = None) -> str:
    """The value of NAME, or what the file named by NAME_FILE holds; without either the default, else the boot stops."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            stop(f"{name}_FILE={path} cannot be read ({error.strerror}).")
    value = os.environ.get(name, default)
    if value is None:
        stop(f"{name} is not set. Set it, or {name}_FILE to a file that holds it (bin/up does both for a demo).")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """A yes or no; anything else stops the boot."""
    value = os.environ.get(name, "1" if default else "").strip().lower()
    if value not in _TRUE | _FALSE:
        stop(f"{name}={value!r} is neither yes nor no.")
    return value in _TRUE


def items(name: str, default: str | None = None) -> list[str]:
    """A comma-separated list without blanks."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def number(name: str, default: int) -> int:
    """A whole number; anything else stops the boot."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal():
        stop(f"{name}={value!r} is not a whole number.")
    return int(value)
