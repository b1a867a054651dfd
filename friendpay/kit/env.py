"""Settings from environment variables: one clear line for whatever is missing or malformed."""

import ipaddress
import os
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from friendpay.kit import limits

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}

_WIDEST_OWN_NETWORK = {4: 8, 6: 16}  # bits: what is wider holds strangers,
_WIDEST_PUBLIC_NETWORK = {4: 12, 6: 20}  # and of public addresses what is wider than a company's own
_PLACEHOLDER = re.compile(
    r"change|secret|passw|replace|insert|example|your-|qwert|asdfg|friendpay|django", re.IGNORECASE
)
_MARK = re.compile(  # of share codes' signs those that nobody types for others; with a digit it is no word
    "(?=.*[0-9])[3479ACDEFHJKMNPQRTVWXY]{2}"
)
_HOST = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def stop(line: str) -> NoReturn:
    """End the boot with one line that says what to do."""
    sys.exit(f"friendpay: {line}")


def text(name: str, default: str | None = None) -> str:
    """The value of NAME, or what the file named by NAME_FILE holds; without either the default, else the boot stops."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            stop(f"{name}_FILE={path} cannot be read ({getattr(error, 'strerror', 'not text')}).")
    else:
        value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        stop(f"{name} is not set. Set it, or {name}_FILE to a file that holds it (bin/up does both for a demo).")
    return default


def database(name: str, default: str | None = None) -> str:
    """The address of a PostgreSQL database, in any form libpq takes."""
    from psycopg import ProgrammingError  # bin/up loads this module before anything is installed
    from psycopg.conninfo import conninfo_to_dict

    url = text(name, default)
    if not url.startswith(("postgres://", "postgresql://")):
        stop(f"{name} must begin with postgresql://; friendpay runs on PostgreSQL alone.")
    try:
        conninfo_to_dict(url)
    except ProgrammingError as error:
        stop(f"{name} cannot be read ({str(error).strip()}).")
    return url


def mark(name: str) -> str:
    """Two signs that nobody takes for others, or none: the first of several has none."""
    value = text(name, "")
    if value == "first":
        return ""
    if value and not _MARK.fullmatch(value):
        stop(f"{name}={value} is no mark of a cell: `first`, or two of 3479ACDEFHJKMNPQRTVWXY, one of them a digit.")
    return value


def secrets(name: str, default: str | None = None) -> list[str]:
    """Secrets separated by commas, each too long and too varied to be guessed; anything else stops the boot."""
    found = items(name, default)
    for value in found:
        pairs = list(pairwise(value))
        repeats = len(set(value)) < limits.SECRET_DIFFERENT or len(set(pairs)) < limits.SECRET_PAIRS
        in_order = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairs) * 2 > len(pairs)
        if len(value) < limits.SECRET_SYMBOLS or repeats or in_order or _PLACEHOLDER.search(value):
            stop(
                f"{name} can be guessed: it needs {limits.SECRET_SYMBOLS} random symbols or more. "
                'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
            )
    return found


def secret(name: str) -> str:
    """One such secret."""
    found = secrets(name)
    if len(found) > 1:
        stop(f"{name} holds a comma; make one without.")
    return found[0]


def flag(name: str, *, default: bool = False) -> bool:
    """A yes or no; anything else stops the boot."""
    value = text(name, "yes" if default else "no").lower()
    if value not in _TRUE | _FALSE:
        stop(f"{name}={value!r} is neither yes nor no.")
    return value in _TRUE


def items(name: str, default: str | None = None) -> list[str]:
    """A comma-separated list without blanks; an empty one stops the boot unless that is the default."""
    found = [item.strip() for item in text(name, default).split(",") if item.strip()]
    if not found and default is None:
        stop(f"{name} is empty.")
    return found


def number(name: str, default: int, *, least: int = 1) -> int:
    """A whole number; anything else stops the boot."""
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) < least:
        stop(f"{name}={value!r} is not a whole number from {least} to 999999.")
    return int(value)


def sums(name: str, default: str) -> dict[str, str]:
    """An amount for each of some currencies: "CNY:5000.00,USD:700"."""
    found = {}
    for item in items(name, default):
        currency, _colon, amount = item.partition(":")
        if not re.fullmatch(r"[A-Z]{3}", currency) or not re.fullmatch(r"\d{1,12}(\.\d{1,3})?", amount):
            stop(f"{name} has to name amounts like CNY:5000.00,USD:700; {item!r} is none.")
        found[currency] = amount
    return found


def web_address(name: str) -> str:
    """A site's address such as https://pay.example, without a path; anything else stops the boot."""
    value = text(name).rstrip("/")
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and parts.hostname and value == f"{parts.scheme}://{parts.netloc}"
        known = parts.hostname and (_HOST.fullmatch(parts.hostname) or parts.netloc.startswith("["))
        if fits and known and not parts.username and (parts.port is None or parts.port):
            return value.lower()
    except ValueError:
        pass
    stop(f"{name}={value!r} is not an address such as https://pay.example (a name in other letters is written xn--…).")


def check_hosts(name: str, found: list[str], own: str) -> None:
    """Names that let in half the world, or not our own pages, stop the boot."""
    for host in found:
        if host == "*" or (host.startswith(".") and host.count(".") < limits.WILDCARD_LABELS):
            stop(f"{name}: {host} lets anybody choose the host of our pages. Name the hosts, comma-separated.")
        if not _HOST.fullmatch(host):
            stop(f"{name}: {host!r} is no name of a host. Name hosts alone, as in pay.example, comma-separated.")
    if own not in found and not any(host.startswith(".") and f".{own}".endswith(host) for host in found):
        stop(f"{name} does not name {own}, the host of PUBLIC_URL: every page would be refused.")


def networks(name: str) -> list[str]:
    """Addresses and networks such as 10.0.0.0/8; anything else, and one that holds half the world, stops the boot."""
    found = items(name, "")
    for item in found:
        try:
            network = ipaddress.ip_network(item)
        except ValueError:
            stop(f"{name}: {item!r} is not an IP address or network.")
        widest = _WIDEST_OWN_NETWORK if network.is_private else _WIDEST_PUBLIC_NETWORK
        if network.prefixlen < widest[network.version]:
            stop(f"{name}: {item!r} lets strangers say who they are. Name your proxies alone.")
    return found


def is_local(host: str) -> bool:
    """Whether nobody but this machine and its own network can mean this host."""
    if host == "localhost" or host.endswith((".localhost", ".local")):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or (address.is_private and not address.is_unspecified)
