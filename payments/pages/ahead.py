"""The friend's page is read before it is drawn: on the event loop, where it is then drawn too, without a thread
(`payments.pages.framed`).

Where more has to be asked than the one statement (a shop's settings that have just changed, an address that is
nobody's), or a database that is in trouble, a thread does all of it as ever.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

import psycopg
from django.http import HttpRequest, parse_cookie

from friendpay.kit.reads_ahead import Readers
from orders.models import Merchant
from payments.live import snapshot
from payments.pages import friend_reading
from payments.pages.friend_reading import Reading, Row
from payments.pages.visitors import visitor_among, visitor_of

readers = Readers(2)
"""One for what is under way, the other for those who come meanwhile."""

_STATE = re.compile(r"/p/([-\w]+)/status\.json", re.ASCII)
_PAGE = re.compile(r"/p/([-\w]+)/", re.ASCII)
_KEY, _SHOWN, _TOLD = "friendpay.ahead", "friendpay.shown", "friendpay.state"  # no headers are called that


class Ahead(NamedTuple):
    """What was read for a request, and the cookies it brought."""

    token: str
    row: Row
    cookies: dict[str, str]


async def prepare(environ: dict[str, Any]) -> Ahead | None:
    """Read for this request what its page shows. None where it is not that page, or it could not be read."""
    page = _PAGE.fullmatch(environ["PATH_INFO"])
    if page is None or environ["REQUEST_METHOD"] != "GET":
        return None
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    row = await friend_reading.row_ahead(page[1], visitor_among(cookies), readers)
    if row is None:
        return None
    environ[_KEY] = known = Ahead(page[1], row, cookies)
    return known


def read(request: HttpRequest, token: str) -> Reading:
    """What was read for this request, else what is read now. 404 where there is no such page."""
    visitor = visitor_of(request)
    known: Ahead | None = request.META.get(_KEY)
    if known and (known.token, known.row.visitor) == (token, visitor):
        request.META[_SHOWN] = True
        return friend_reading.made(known.row, known.row.now)
    return friend_reading.read(token, visitor)


def merchant(request: HttpRequest, token: str) -> Merchant:
    """The shop of what was read for this request, else as it is now; no page of it is shown. 404 as ever."""
    known: Ahead | None = request.META.get(_KEY)
    if known and known.token == token:
        return friend_reading.made(known.row, known.row.now).request.merchant
    return friend_reading.read(token, "").request.merchant


def is_shown(environ: dict[str, Any]) -> bool:
    """Whether the page that was answered is the one that was read for."""
    return _SHOWN in environ


async def prepare_state(environ: dict[str, Any]) -> snapshot.Snapshot | None:
    """Read for this request what status.json says; None where it is not that, or could not be read."""
    asked = _STATE.fullmatch(environ["PATH_INFO"])
    if asked is None or environ["REQUEST_METHOD"] != "GET":
        return None
    try:
        found = await snapshot.read_ahead(asked[1], readers)
    except (psycopg.Error, TimeoutError):
        return None
    environ[_TOLD] = asked[1], found
    return found


def state(request: HttpRequest, token: str) -> snapshot.Snapshot | None:
    """What was read for this request, else what is read now; None where there is no such request."""
    asked, found = request.META.get(_TOLD, ("", None))
    return found if asked == token and found else snapshot.read(token)


def tagged(state: snapshot.Snapshot) -> tuple[bytes, str]:
    """A state as JSON, and its tag, which leaves out the running seconds: asking again costs nothing."""
    still = {**state, "seconds_left": 0, "holders": [holder["name"] for holder in state["holders"]]}
    return json.dumps(state).encode(), f'"{hashlib.sha256(json.dumps(still).encode()).hexdigest()[:20]}"'
