"""Idempotency-Key: a POST that carries one does its work at most once, however often and however it is repeated.

Work and stored answer are one transaction, and a lock of that transaction keeps others with the same key out. So a
process that dies leaves nothing behind, and the repeat starts afresh. What was refused has changed nothing and is not
stored.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from friendpay.kit import limits, prepared, vault
from friendpay.kit.errors import Refused
from orders.models import ApiKey, Pairing

HEADER = "Idempotency-Key"
FORM = r"^[!-~]{1,255}$"


View = TypeVar("View", bound=Callable[..., Any])


def not_kept(view: View) -> View:
    """A POST whose answer is not kept, since its work is more than one transaction. A key with it changes nothing."""
    view.not_kept = True  # type: ignore[attr-defined]
    return view


def once(caller: ApiKey | Pairing, call: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do `work`, or answer as it was answered to this caller the first time.

    Another body under the same key: 422. The first call still at it: 409.
    """
    key = call.headers.get(HEADER)
    if key is None:
        return work()
    if not re.fullmatch(FORM, key):
        message = _("A key is 1 to 255 visible ASCII characters, such as a UUID.")
        raise Refused("malformed", message, field=HEADER, status=422)
    fingerprint = sha256(call.body).hexdigest()
    with transaction.atomic():
        claim, first, status, sealed = _claim(caller, call, key, fingerprint)
        if status:
            return _again(first == fingerprint, status, sealed)
        response = work()
        sealed = vault.seal({"body": response.content.decode()})
        with connection.cursor() as cursor:
            cursor.execute(_ANSWER, [response.status_code, sealed, claim])
        return response


_CLAIM = """
    WITH mine AS MATERIALIZED (
        SELECT set_config('idle_in_transaction_session_timeout', %(lease)s, true),
            pg_try_advisory_xact_lock(%(number)s) AS got)
    INSERT INTO orders_storedanswer AS known (merchant_id, live, method, path, key, fingerprint, status, sealed)
    SELECT %(merchant)s, %(live)s, %(method)s, %(path)s, %(key)s, %(fingerprint)s, 0, '' FROM mine WHERE got
    ON CONFLICT (merchant_id, live, method, path, key) DO UPDATE SET key = known.key
    RETURNING id, fingerprint, status, sealed
"""
"""Locks and looks by one statement. What another call committed between its beginning and the lock is seen all the
same: ON CONFLICT finds a row as it is now, where a SELECT would show it as it was.
"""
_ANSWER = "UPDATE orders_storedanswer SET status = %s, sealed = %s WHERE id = %s"


def _claim(caller: ApiKey | Pairing, call: HttpRequest, key: str, fingerprint: str) -> tuple[int, str, int, str]:
    """The row of this key, of this transaction alone until it ends; its status is 0 until it is answered."""
    scope = f"{caller.merchant_id} {caller.live} {call.method} {call.path} {key}"
    values: dict[str, str | int | None] = {
        "lease": f"{limits.IDEMPOTENCY_LEASE_SECONDS}s",
        "number": int.from_bytes(sha256(scope.encode()).digest()[:8], signed=True),
        "merchant": caller.merchant_id,
        "live": caller.live,
        "method": call.method,
        "path": call.path,
        "key": key,
        "fingerprint": fingerprint,
    }
    claimed = prepared.ask(_CLAIM, values).rows
    if not claimed:
        raise Refused("idempotency_key_in_use", _("A call with this key is still at work. Please try again soon."))
    row: tuple[int, str, int, str] = claimed[0]
    return row


def _again(same: bool, status: int, sealed: str) -> HttpResponse:
    if not same:
        message = _("This key was used for another body. Use a new key for a new call.")
        raise Refused("idempotency_key_reused", message, field=HEADER, status=422)
    response = HttpResponse(vault.unseal(sealed)["body"], status=status, content_type="application/json")
    response["Idempotent-Replayed"] = "true"
    return response
