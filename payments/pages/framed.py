"""The friend's page and its state as JSON, answered on the event loop: in a frame that was learned
(`friendpay.kit.frames`), else by the ordinary handler, middleware and view, from which it is learned.

What was drawn of a row is drawn again for as long as PostgreSQL says the same and time has changed nothing of it
(`friendpay.kit.moments`): a link that many open is read each time and worked out once.
"""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, parse_cookie
from django.utils.translation import get_language

from friendpay.kit import limits, rendering
from friendpay.kit.frames import Answer, Asked, Frames
from friendpay.kit.moments import Watch
from payments.live.snapshot import Snapshot
from payments.offers.habits import Habits
from payments.offers.weighing import Surface
from payments.pages import ahead, form_action, friend_page, friend_reading
from payments.pages.ahead import Ahead
from payments.pages.friend_reading import Reading, Row
from payments.pages.visitors import habits_among


class _Drawn(NamedTuple):
    pieces: tuple[str, ...]
    watch: Watch


class _Kept(NamedTuple):
    """What was made of one row: the page's policy, and what was drawn where and in which language."""

    policy: str
    drawn: dict[tuple[Surface, Habits, str | None], _Drawn]


class _Read:
    """The reading of a row, worked out once for an answer that needs it, and what of it depends on the time."""

    def __init__(self, row: Row) -> None:
        self._row, self.watch = row, Watch(row.now)

    @cached_property
    def reading(self) -> Reading:
        return friend_reading.made(self._row, self.watch.now)


_frames, _states = Frames(), Frames()
_kept: dict[tuple[Any, ...], _Kept] = {}


async def answer(environ: dict[str, Any], ordinary: Callable[[dict[str, Any]], Answer]) -> Answer | None:
    """The answer, where all could be read for it; else None, and a thread is needed, which may ask the database."""
    if state := await ahead.prepare_state(environ):
        return _state(environ, state, ordinary)
    known = await ahead.prepare(environ)
    if known is None or known.row.leads_on:
        return None
    read = _Read(known.row)
    try:
        return _answer(environ, known, read, _of(known, read), ordinary)
    except SynchronousOnlyOperation:  # the shop's settings have just changed, and have to be read
        return None


def _state(environ: dict[str, Any], state: Snapshot, ordinary: Callable[[dict[str, Any]], Answer]) -> Answer | None:
    """One that the browser may have already is left to the ordinary path; nothing is learned of a compressed one."""
    content, tag = ahead.tagged(state)
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    size = "long" if len(content) >= limits.COMPRESSED_FROM_BYTES else "short"
    asked = None if "HTTP_IF_NONE_MATCH" in environ else Asked.of(environ, cookies, size, date.min)
    if asked and (framed := _states.tagged(asked, content, tag)):
        return framed
    found = _unless_failed(ordinary(environ))
    if found and asked:
        _states.learn(asked, found)
    return found


def _answer(
    environ: dict[str, Any], known: Ahead, read: _Read, kept: _Kept, ordinary: Callable[[dict[str, Any]], Answer]
) -> Answer | None:
    def drawn(request: HttpRequest) -> str:
        now, surface = known.row.now, Surface.of(environ.get("HTTP_USER_AGENT", ""))
        habits = habits_among(known.cookies, environ)
        which = surface, habits, get_language()
        found = kept.drawn.get(which)
        if found is None or not found.watch.holds(now):
            page = friend_page.built(read.reading, surface, habits, url=environ["PATH_INFO"])
            while len(kept.drawn) >= limits.WAYS_TO_DRAW_KEPT:
                del kept.drawn[next(iter(kept.drawn))]  # the oldest
            kept.drawn[which] = found = _Drawn(rendering.pieces(page), read.watch)
        return rendering.filled(request, found.pieces, now)

    asked = Asked.of(environ, known.cookies, kept.policy, known.row.now.date())
    if asked and (framed := _frames.answer(asked, known.cookies, drawn)):
        return framed
    found = _unless_failed(ordinary(environ))
    if found and asked and ahead.is_shown(environ):
        _frames.learn(asked, found, environ.get("CSRF_COOKIE", ""))
    return found


def _unless_failed(answer: Answer) -> Answer | None:
    """None of one that failed: it may have needed more than was read for it."""
    return None if answer[0] >= 500 else answer


def _of(known: Ahead, read: _Read) -> _Kept:
    """What is kept of a row as it stands."""
    key = known.token, known.row.visitor, known.row.values
    if key not in _kept:
        while len(_kept) >= limits.DRAWN_PAGES_KEPT:
            del _kept[next(iter(_kept))]  # the oldest
        _kept[key] = _Kept(form_action.policy(friend_page.taking(read.reading)), {})
    return _kept[key]
