"""Logging, with redaction: a link to a page is the right to use it, so no log holds a whole one, nor an API key."""

import logging
import re
from typing import Any

from friendpay.kit import links

_SECRETS = re.compile(
    rf"(?P<link>/(?:{'|'.join(links.PREFIXES)})/\w{{4}})\w{{12,}}"
    r"|(?P<group>\bp\.\w{4})\w{16,}"
    r"|(?P<key>\bsk_(?:test|live)_\w{2})[\w-]+"
)


def redact(words: str) -> str:
    """The same words with every link token and API key cut short: enough to recognise one by, too little to use it."""
    return _SECRETS.sub(lambda found: f"{found['link'] or found['group'] or found['key']}…", words)


class Formatter(logging.Formatter):
    """A line as ever, redacted; its traceback too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": Formatter, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # These bring handlers of their own, which would write whole links. Who came when is for the proxy's log to say.
    "loggers": {
        **{name: {"handlers": [], "propagate": True} for name in ("django", "django.server", "uvicorn", "celery")},
        "uvicorn.access": {"handlers": [], "propagate": False},
        "uvicorn.error": {"level": "WARNING"},  # it writes three lines for every socket
        "httpx": {"level": "WARNING"},  # it writes whole addresses, and one of WeChat's holds the app's secret
    },
}
