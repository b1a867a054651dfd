"""What the doctor finds, and where it looks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is. With anything WRONG the doctor's exit code is 1."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is like and, unless that is OK, what mends it."""

    about: str
    state: State
    says: str
    mend: str = ""


Look = Callable[[], Iterator[Finding]]


def of(about: str, look: Look) -> Iterator[Finding]:
    """What `look` finds. That it fails is a finding too."""
    try:
        yield from look()
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        yield Finding(about, State.WRONG, f"could not be looked at: {type(error).__name__}: {said}", MENDS[about])


MENDS = {
    "configuration": "Compare the environment with .env.example.",
    "database": "Start PostgreSQL, or correct DATABASE_URL.",
    "pooler": "Correct DATABASE_URL and DIRECT_DATABASE_URL (docs/production.md).",
    "migrations": "Run manage.py migrate.",
    "months": "Start the workers; their log says why orders.make_months fails (docs/operate.md).",
    "Valkey": "Start Valkey, or correct REDIS_URL.",
    "broker": "Start the broker, or correct CELERY_BROKER_URL.",
    "clock": "Keep the clocks of all machines by NTP (chrony or systemd-timesyncd).",
    "background work": "Start the workers (docs/deploy.md).",
    "mail": "Correct EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD.",
    "wallets": "Open the account at the desk and test it there.",
    "public address": "Start the web processes and the proxy before them; look at DNS and the firewall.",
}
"""Each thing that is looked at, and what to try first where that fails."""
