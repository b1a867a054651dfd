"""Idempotency-Key: a POST that carries one does its work at most once, however often and however it is repeated.

Work and stored answer are one transaction, and a lock of that transaction keeps others with the same key out. So a
process that dies leaves nothing behind, and the repeat starts afresh. What was refused has changed nothing and is not
stored.
"""

import re
from collections.abc import Callable
from hashlib import sha256

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from friendpay.kit import vault
from friendpay.kit.errors import Refused
from orders.models import ApiKey, StoredAnswer

HEADER = "Idempotency-Key"
FORM = r"^[!-~]{1,255}$"
KEPT_HOURS = 24
LEASE_SECONDS = 30
"""How long PostgreSQL lets a call hold its key while it is silent: the connection of a host that vanished ends then."""


def once(caller: ApiKey, call: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do `work`, or answer as it was answered to this caller the first time.

    Another body under the same key: 422. The first call still at it: 409.
    """
    key = call.headers.get(HEADER)
    if key is None:
        return work()
    if not re.fullmatch(FORM, key):
        message = _("A key is 1 to 255 visible ASCII characters, such as a UUID.")
        raise Refused("malformed", message, field=HEADER, status=422)
    merchant, live = caller.merchant, caller.live
    scope = {"merchant": merchant, "live": live, "method": call.method, "path": call.path, "key": key}
    with transaction.atomic():
        if not _lock(f"{merchant.pk} {live} {call.method} {call.path} {key}"):
            raise Refused("idempotency_key_in_use", _("A call with this key is still at work. Please try again soon."))
        fingerprint = sha256(call.body).hexdigest()
        if stored := StoredAnswer.objects.filter(**scope).first():
            if stored.fingerprint != fingerprint:
                message = _("This key was used for another body. Use a new key for a new call.")
                raise Refused("idempotency_key_reused", message, field=HEADER, status=422)
            body = vault.unseal(stored.sealed)["body"]
            response = HttpResponse(body, status=stored.status, content_type="application/json")
            response["Idempotent-Replayed"] = "true"
            return response
        response = work()
        sealed = vault.seal({"body": response.content.decode()})
        StoredAnswer.objects.create(**scope, fingerprint=fingerprint, status=response.status_code, sealed=sealed)
        return response


def _lock(scope: str) -> bool:
    """Until the transaction ends; False when another one has it."""
    number = int.from_bytes(sha256(scope.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)",
            [f"{LEASE_SECONDS}s", number],
        )
        row = cursor.fetchone()
    return bool(row[1])
