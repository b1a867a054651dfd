"""The friend's page, answered on the event loop: in a frame that was learned (`friendpay.kit.frames`), else by the
ordinary handler, middleware and view, from which it is learned.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from friendpay.kit import rendering
from friendpay.kit.frames import Answer, Asked, Frames
from payments.offers.weighing import Surface
from payments.pages import ahead, form_action, friend_page

_frames = Frames()


async def answer(environ: dict[str, Any], ordinary: Callable[[dict[str, Any]], Answer]) -> Answer | None:
    """The answer, where all could be read for it; else None, and a thread is needed."""
    known = await ahead.prepare(environ)
    if known is None:
        return None
    reading, cookies = known.reading, known.cookies

    def drawn(request: HttpRequest) -> str:
        surface = Surface.of(environ.get("HTTP_USER_AGENT", ""))
        return rendering.drawn(request, friend_page.built(reading, surface, url=environ["PATH_INFO"]))

    policy = form_action.policy(friend_page.taking(reading))
    asked = Asked.of(environ, cookies, policy, reading.now.date())
    if asked and (framed := _frames.answer(asked, cookies, drawn)):
        return framed
    found = ordinary(environ)
    if asked and ahead.is_shown(environ):
        _frames.learn(asked, found, environ.get("CSRF_COOKIE", ""))
    return found
