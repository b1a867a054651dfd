"""Notifications of the wallet: written with what they tell of, sent over HTTP until the shop says it has them.

Right after the commit by a thread that nobody waits for; or, where a payer is to be sent back to a shop that knows
already (`at_once`), by the payer's own.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F

from friendpay.kit import background, clock, ids, limits
from friendpay.kit.compiled import Change, Given
from friendpay.kit.keys import among
from friendpay.kit.writes import Writes
from sandbox.models import Charge, Notice
from sandbox.signing import sign

logger = logging.getLogger(__name__)

TIMEOUT = 3  # seconds for each step of an attempt; a stalled attempt ends well within the first lease
DELAYS = (15, 15, 30, 60, 180, 600, 1200, 1800, 3600, 3 * 3600, 6 * 3600, 6 * 3600)
"""Seconds from one attempt to the next. Each is longer than an attempt can take, so that it is the lease as well."""

_GATHERED = 0.2  # seconds until it is written down that they were heard: well within their head start
_READ = 64 * 1024  # bytes of an answer; one that says more loses its connection

SENDERS = 4
"""Threads that send right after a commit: a shop that is slow to answer one notice does not keep the others waiting."""

_turns = count()

_TAKE = Change(
    lambda: Notice.objects.filter(pk=Given("pk"), attempts=Given("known"), next_attempt_at__isnull=False),
    "next_attempt_at",
    attempts=F("attempts") + 1,
)
_delivered: list[int] = []
_lock = threading.Lock()


def write(  # noqa: PLR0913  # a notification, each thing by its name
    charge: Charge,
    kind: str,
    said: dict[str, Any],
    now: datetime,
    writes: Writes,
    *,
    held_back: bool = False,
    after: timedelta = timedelta(),
) -> None:
    """Queue a notification to the shop, written with `writes` in the caller's transaction and sent right after it, or
    so much later.

    `held_back` loses it: it is kept, but not sent until `repeat` asks for it.
    """
    event_id = ids.public_id("sbx")
    body = json.dumps({"id": event_id, "kind": kind, "account": charge.account, **said}, separators=(",", ":"))
    next_attempt_at = None if held_back else now + (after or limits.HEAD_START)
    notice = Notice(
        charge=charge, event_id=event_id, kind=kind, body=body, created_at=now, next_attempt_at=next_attempt_at
    )
    writes.insert(notice)
    if not held_back and not after:
        _send_after_commit(notice)


def repeat(charge: Charge, now: datetime) -> None:
    """Send the charge's last notification again, delivered or lost, with the same id and the same bytes."""
    last = charge.notices.order_by("-id").first()
    if last is not None:
        last.charge, last.delivered_at, last.next_attempt_at = charge, None, now + limits.HEAD_START
        last.save(update_fields=["delivered_at", "next_attempt_at"])
        _send_after_commit(last)


def send_due(budget: float = 4) -> None:
    """Send what is due, for `budget` seconds at most. Any number of senders share the work; none sends the same one."""
    end = time.monotonic() + budget
    while time.monotonic() < end and (notice := _claim()):
        if _send(notice, clock.now()):
            _is_delivered([notice.pk])


@transaction.atomic(durable=True)
def _claim() -> Notice | None:
    """The next due notice, its time moved on before it is sent: a sender that dies has merely used up an attempt."""
    now = clock.now()
    notice = Notice.objects.due(now).select_for_update(skip_locked=True, of=("self",)).select_related("charge").first()
    if notice is None:
        return None
    return notice if _take(notice, now) else None


def _take(notice: Notice, now: datetime) -> bool:
    """Put a due notice off until its next time; False where another sender has had it since it was read."""
    more = notice.attempts < len(DELAYS)
    until = now + timedelta(seconds=DELAYS[notice.attempts]) if more else None
    return bool(_TAKE(pk=notice.pk, known=notice.attempts, next_attempt_at=until))


def _send(notice: Notice, now: datetime) -> bool:
    """One attempt; whether it was heard. Anything but a 2xx answer leaves the notice to its next time."""
    charge, body = notice.charge, notice.body.encode()
    timestamp, nonce = str(int(now.timestamp())), ids.token()
    headers = {
        "content-type": "application/json",
        "sandbox-timestamp": timestamp,
        "sandbox-nonce": nonce,
        "sandbox-signature": sign(charge.secret, timestamp, nonce, body),
    }
    try:
        answer = _post(charge.notify_url, body, headers)
    except (OSError, HTTPException, ValueError) as error:
        logger.info("notice %s: %r", notice.event_id, error)
        return False
    if not 200 <= answer < 300:
        logger.info("notice %s: answered %d", notice.event_id, answer)
        return False
    return True


def _is_delivered(pks: list[int]) -> None:
    Notice.objects.filter(pk__in=among(pks)).update(delivered_at=clock.Now(), next_attempt_at=None)


def _write_delivered() -> None:
    """On the job thread: all that are heard within a moment, by one statement; of the jobs for them one finds something
    to do. Should it be lost, the shop is told twice.
    """
    global _delivered
    if _delivered:
        time.sleep(_GATHERED)
        with _lock:
            heard, _delivered = _delivered, []
        _is_delivered(heard)


class _Lines(threading.local):
    """The connection each sender keeps to the shop it told last, and whether it tells before it goes on."""

    def __init__(self) -> None:
        self.at_once = False
        self.place, self.line = ("", ""), HTTPConnection("")


_lines = _Lines()


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer, of which nothing else is read. A connection that was kept may have ended meanwhile:
    then it is made anew, once.
    """
    parts = urlsplit(url)
    place, path = (parts.scheme, parts.netloc), parts._replace(scheme="", netloc="").geturl() or "/"
    kept = _lines.place == place and _lines.line.sock is not None
    if not kept:
        _lines.line.close()
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        _lines.place, _lines.line = place, kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        _lines.line.request("POST", path, body, {"user-agent": "friendpay-sandbox", **headers})
        response = _lines.line.getresponse()
        response.read(_READ)
        if not response.isclosed():
            _lines.line.close()
    except ConnectionError:
        _lines.line.close()
        if not kept:
            raise
        return _post(url, body, headers)
    except BaseException:
        _lines.line.close()
        raise
    return response.status


@contextmanager
def at_once() -> Iterator[None]:
    """What is written within this block is sent by this thread, after its commit, before it goes on: for a few seconds
    at most. What is not heard then is sent again like any other.
    """
    _lines.at_once = True
    try:
        yield
    finally:
        _lines.at_once = False


def _send_after_commit(notice: Notice) -> None:
    """Whatever goes wrong then, it is written: Django logs the name of what failed, which a `partial` does not have."""
    transaction.on_commit(lambda: _send_soon(notice), robust=True)


def _send_soon(notice: Notice) -> None:
    if _lines.at_once:
        return _send_first(notice)
    return background.run_later(f"sandbox-notices-{next(_turns) % SENDERS}", partial(_send_first, notice))


def _send_first(notice: Notice) -> None:
    """The attempt right after the commit, which no sweep makes before the head start is over."""
    if notice.next_attempt_at:
        now = notice.next_attempt_at - limits.HEAD_START
        if _send(notice, now):
            with _lock:
                _delivered.append(notice.pk)
            background.run_later("sandbox-delivered", _write_delivered)
        else:
            _take(notice, now)
