"""The friend's page is read before it is drawn: on the event loop, where it is then drawn too, without a thread.

Nothing else differs: the same handler, middleware and view answer. Where more has to be asked than the one statement
(a shop's settings that have just changed, an address that is nobody's), or a database that is in trouble, a thread does
all of it as ever.
"""

import re
from typing import Any, NamedTuple

from django.http import HttpRequest, parse_cookie

from friendpay.kit.reads_ahead import Readers
from payments.pages import friend_reading
from payments.pages.friend_reading import Reading
from payments.pages.visitors import visitor_among, visitor_of

readers = Readers(4)
"""One for a statement that is under way, the others for those that come meanwhile."""

_PAGE = re.compile(r"/p/([-\w]+)/", re.ASCII)
_KEY = "friendpay.ahead"  # no header is called that


class _Ahead(NamedTuple):
    token: str
    visitor: str
    reading: Reading


async def prepare(environ: dict[str, Any]) -> bool:
    """Read for this request what its page shows. False where it is not that page, or not all could be read."""
    page = _PAGE.fullmatch(environ["PATH_INFO"])
    if page is None or environ["REQUEST_METHOD"] != "GET":
        return False
    token, visitor = page[1], visitor_among(parse_cookie(environ.get("HTTP_COOKIE", "")))
    if reading := await friend_reading.read_ahead(token, visitor, readers):
        environ[_KEY] = _Ahead(token, visitor, reading)
    return reading is not None


def read(request: HttpRequest, token: str) -> Reading:
    """What was read for this request, else what is read now. 404 where there is no such page."""
    visitor, known = visitor_of(request), request.META.get(_KEY)
    return known.reading if known and known[:2] == (token, visitor) else friend_reading.read(token, visitor)
