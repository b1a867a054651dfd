"""API keys: authentication, rights and rate limits of a call."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from friendpay.kit import clock, counters
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.counters import Allowance
from friendpay.kit.errors import Refused
from orders.models import ApiKey


class Call(HttpRequest):
    """A request that was let in."""

    auth: ApiKey
    now: datetime  # when it was let in
    allowance: Allowance


_ALIVE = Compiled(
    lambda: (
        ApiKey.objects.alive()
        .select_related("merchant")
        .annotate(read_at=clock.Now())
        .filter(digest=Given("digest"))
        .order_by()
    )
)


class BearerKey(HttpBearer):
    """`Authorization: Bearer sk_…`. Reading takes the right to read, all else the right to write, refunds their own.

    A key that is unknown, revoked or past its time is no key (401). The key decides merchant and mode: nothing of
    others, and nothing of the other mode, is ever seen with it.
    """

    openapi_description = "A secret key, sk_test_… or sk_live_…; the key decides whether real money moves."

    def __init__(self, right: str = "") -> None:
        super().__init__()
        self.right = right

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = next(iter(_ALIVE(digest=ApiKey.digest_of(token))), None)
        if key is None:
            return None
        request.auth = key  # type: ignore[attr-defined]  # known, whether or not it is let in: the request log has it
        request.now = clock.told(key.read_at)  # type: ignore[attr-defined]
        allowance = counters.take(key.pk)
        request.allowance = allowance  # type: ignore[attr-defined]
        if allowance.spent:
            raise Refused("too_many_requests", _("Too many calls with this key. Please slow down."), status=429)
        right = self.right or ("read" if request.method == "GET" else "write")
        if not getattr(key, f"can_{right}"):
            raise Refused("right_missing", _("This key does not have the right to do that."), status=403)
        return key


KEY = BearerKey()
READ_KEY = BearerKey("read")
REFUND_KEY = BearerKey("refund")
