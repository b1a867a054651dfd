"""The pictures that orders name: each of a shop's addresses is one row, which the first order writes."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from friendpay.kit import clock, limits
from friendpay.kit.background import enqueue
from friendpay.kit.templatetags.pictures import own_picture
from orders.models import Merchant, Picture


def of(merchant: Merchant, urls: Iterable[str]) -> dict[str, Picture]:
    """The picture of each address that is not on this site. What is new is fetched after the commit, never here; what
    could not be had is tried again, unless that was just now.
    """
    wanted = sorted({url for url in urls if url and not own_picture(url)})
    if not wanted:
        return {}
    now = clock.now()
    known = _known(merchant, wanted)
    if missing := [url for url in wanted if url not in known]:
        new = [Picture(merchant=merchant, url=url, created_at=now, next_attempt_at=now) for url in missing]
        Picture.objects.bulk_create(new, ignore_conflicts=True)  # another order may be writing the same
        known |= _known(merchant, missing)
    again = [it.pk for it in known.values() if it.tried_at and it.tried_at < now - limits.PICTURE_AGAIN_AFTER]
    tried = Picture.objects.filter(pk__in=again, status__in=(Picture.Status.REFUSED, Picture.Status.FAILED))
    if again and tried.update(status=Picture.Status.PENDING, reason="", attempts=0, next_attempt_at=now):
        known = _known(merchant, wanted)
    if any(it.status == Picture.Status.PENDING for it in known.values()):
        transaction.on_commit(partial(enqueue, "orders.fetch_pictures"))
    return known


def _known(merchant: Merchant, urls: list[str]) -> dict[str, Picture]:
    return {picture.url: picture for picture in Picture.objects.filter(merchant=merchant, url__in=urls)}


def purge(now: datetime) -> int:
    """Forget the pictures that only old orders show; says how many. The orders stay, without them."""
    before, forgotten = now - limits.PICTURES_KEPT_FOR, 0
    old = Picture.objects.filter(created_at__lt=before).exclude(lines__order__created_at__gte=before)
    old = old.filter(~Q(status=Picture.Status.PENDING))
    while batch := list(old.values_list("pk", flat=True)[: limits.PICTURE_PURGE_ROWS]):
        Picture.objects.filter(pk__in=batch).delete()
        forgotten += len(batch)
    return forgotten
