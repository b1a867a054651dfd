"""Fetching pictures in the background: behind the webhooks' SSRF guard, with limits of size and time, and drawn in a
process of its own.
"""

import logging
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from urllib.parse import urljoin

from django.db import transaction

from friendpay.kit import clock, drawer, leases, limits
from orders import redrawing
from orders.models import Picture, PictureFile
from orders.webhooks import transport

logger = logging.getLogger(__name__)

# What says nothing of a file's kind, as some stores send it, is let through: its first bytes tell.
_KINDS = ("image/", "application/octet-stream", "binary/octet-stream")
_HEADERS = {"accept": "image/webp,image/png,image/jpeg,image/gif", "user-agent": "friendpay-pictures"}

_lock = threading.Lock()
_busy: set[int] = set()  # the shops whose pictures are being fetched by this process


class NotTaken(Exception):
    """It is no picture that we take; asking again would not help."""


class NotGiven(Exception):
    """Its server did not give it, this time."""


def fetch_due() -> int:
    """Fetch what is due; says how many. PICTURES_AT_ONCE threads of a process do it, each for another shop, so that one
    shop's slow server holds up none but its own pictures.
    """
    ends, done = time.monotonic() + limits.PICTURE_SWEEP_SECONDS, 0
    while time.monotonic() < ends and (picture := _take()):
        try:
            fetch(picture)
        finally:
            with _lock:
                _busy.discard(picture.merchant_id)
        done += 1
    return done


def _take() -> Picture | None:
    with _lock:
        if len(_busy) >= limits.PICTURES_AT_ONCE:
            return None
        due = Picture.objects.filter(next_attempt_at__lte=clock.now()).exclude(merchant__in=_busy)
        taken = leases.take(due, 1, lambda picture: limits.PICTURE_LEASE)
        _busy.update(picture.merchant_id for picture in taken)
    return taken[0] if taken else None


def fetch(picture: Picture) -> None:
    """Fetch and redraw one picture that was taken, and write down what came of it. Never raises for what a stranger's
    server or file does.
    """
    try:
        drawn = _drawn(picture)
    except NotTaken as reason:
        _end(picture, Picture.Status.REFUSED, str(reason))
    except NotGiven as reason:
        again = picture.attempts <= len(limits.PICTURE_DELAYS)
        delay = limits.PICTURE_DELAYS[picture.attempts - 1] if again else None
        _end(picture, Picture.Status.PENDING if again else Picture.Status.FAILED, str(reason), delay)
    else:
        _end(picture, Picture.Status.READY, content=drawn)


def _drawn(picture: Picture) -> bytes:
    if Picture.objects.filter(merchant=picture.merchant_id).count() > limits.PICTURES_OF_MERCHANT:
        raise NotTaken("too_many")
    content = _content(picture.url)
    if not redrawing.kind_of(content):
        raise NotTaken("not_a_picture")
    try:
        return drawer.run(redrawing.redraw, content, limits.PICTURE_DRAWING_SECONDS)
    except TimeoutError:
        drawer.kill()
        raise NotTaken("too_large") from None
    except BrokenProcessPool:  # twice: it is the picture that does it
        raise NotTaken("not_a_picture") from None
    except ValueError as reason:
        raise NotTaken(str(reason)) from None


def _content(url: str) -> bytes:
    """The file, wherever its address leads; every address on the way is checked as the first is."""
    ends = time.monotonic() + limits.PICTURE_SECONDS
    for _hop in range(1 + limits.PICTURE_REDIRECTS):
        answer = transport.fetch(url, _HEADERS, max(0.0, ends - time.monotonic()), limits.PICTURE_BYTES)
        if answer.error == "blocked":
            raise NotTaken("address")
        if answer.error:
            raise NotGiven(answer.error)
        if answer.accepted and answer.is_cut:
            raise NotTaken("too_large")
        if answer.accepted:
            if answer.kind and not answer.kind.strip().lower().startswith(_KINDS):
                raise NotTaken("not_a_picture")
            return answer.body
        if answer.status not in (301, 302, 303, 307, 308) or not answer.location:
            raise NotGiven(f"http_{answer.status}")
        url = urljoin(url, answer.location).partition("#")[0]
    raise NotTaken("redirects")


@transaction.atomic
def _end(
    picture: Picture, status: Picture.Status, reason: str = "", delay: timedelta | None = None, content: bytes = b""
) -> None:
    now = clock.now()
    if reason:
        logger.info("the picture %s of shop %s: %s, %s", picture.url, picture.merchant_id, status, reason)
    # One that was taken over, or forgotten meanwhile, is not ours any more.
    own = Picture.objects.filter(pk=picture.pk, status=Picture.Status.PENDING, attempts=picture.attempts)
    next_attempt_at = now + delay if delay is not None else None
    if own.update(status=status, reason=reason, tried_at=now, next_attempt_at=next_attempt_at) and content:
        PictureFile.objects.update_or_create(picture=picture, defaults={"content": content})
