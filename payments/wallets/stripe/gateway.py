"""Calls to Stripe, by its own SDK: the client, the look-ups by our reference, and its errors in our terms."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe
from stripe.checkout import Session

from payments.wallets import transport
from payments.wallets.base import Account, ProviderError

METADATA = "friendpay_reference"  # a shop uses its account for other things too, and "reference" for those
API_VERSION = "2026-10-28.endive"  # what the requests and the emulator are written for; the SDK may move on

ANSWER_BYTES = 8 << 20  # a page of a hundred, with what they point to

_KEY = re.compile(r"(?:sk|rk)_(test|live)_\w+", re.ASCII)
_SESSION_LIFE = 26 * 3600  # seconds; Stripe's own limit is 24 hours
_WAIT = {"balance_insufficient", "lock_timeout", "rate_limit"}  # another try of the same call can turn these
_FOR_SHOP = {"balance_insufficient", "insufficient_funds", "api_key_expired", "testmode_charges_only", "account_closed"}
_METHOD_IS_OFF = "No valid payment method types"  # not switched on in the Dashboard, or not for this currency
_AMOUNTS = {"amount_too_small", "amount_too_large"}
_WITH_PAYMENT = ["payment_intent.latest_charge"]
_WITH_PAYMENTS = ["data.payment_intent.latest_charge"]

stripe.enable_telemetry = False  # it reports on this host, and writes into the home directory


class _Wire(stripe.HTTPClient):
    """The SDK's requests, over the connections all providers share."""

    name = "friendpay"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        content = (post_data or "").encode()
        try:
            answer = transport.call(method.upper(), url, content=content, headers=headers, limit=ANSWER_BYTES)
        except ProviderError as error:
            raise stripe.APIConnectionError(error.message, code=error.code) from error  # type: ignore[no-untyped-call]
        return answer.body.decode(errors="replace"), answer.status, answer.headers

    def close(self) -> None:
        """Nothing to close: the connections are not its own."""


def client(account: Account) -> stripe.StripeClient:
    """Speaks for this account alone; the SDK's global key is never set. A key of the other mode is refused here."""
    key = _KEY.fullmatch(account.config.get("secret_key", ""))
    if not key:
        raise ProviderError("secret_key must begin with sk_ or rk_", permanent=True, code="configuration")
    if (key[1] == "live") is not account.live:
        raise wrong_mode()
    return stripe.StripeClient(
        key[0],
        base_addresses={"api": account.base_url.rstrip("/")} if account.base_url else None,
        stripe_version=API_VERSION,
        max_network_retries=0,  # our own tables know when to ask again
        http_client=_Wire(),
    )


@contextmanager
def calling() -> Iterator[None]:
    """Stripe's errors in our terms, with its own code and words. What it did not answer is never final."""
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status or 0
        told = error.error
        code = error.code or (told and (told.code or told.type)) or "transport"
        refused = 400 <= status < 500 and status not in (409, 429) and code not in _WAIT
        for_shop = status in (401, 403) or code in _FOR_SHOP
        for_shop = for_shop or _METHOD_IS_OFF in (error.user_message or "")
        over = code in _AMOUNTS
        raise ProviderError(str(error), permanent=refused, code=code, for_shop=for_shop, over_limit=over) from error


def about_an_earlier_call(error: stripe.StripeError) -> bool:
    """Whether an attempt may be open already: its key came with other parameters, the answer is the stored one of a
    call that failed half-way, or the deadline, which was fixed with the first call, is too near by now."""
    return (
        isinstance(error, stripe.IdempotencyError)
        or (error.headers or {}).get("idempotent-replayed") == "true"
        or "`expires_at`" in (error.user_message or "")
    )


def retrieve(api: stripe.StripeClient, session: str) -> Session | None:
    try:
        return api.v1.checkout.sessions.retrieve(session, {"expand": _WITH_PAYMENT})
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return None
        raise


def expire(api: stripe.StripeClient, session: str) -> Session | None:
    """Expire a session. Where that fails - it is paid, or Stripe did not answer - what it says when asked counts."""
    try:
        return api.v1.checkout.sessions.expire(session, {"expand": _WITH_PAYMENT})
    except stripe.StripeError:
        return retrieve(api, session)


def find_session(api: stripe.StripeClient, reference: str) -> Session | None:
    """A session whose id never reached us. The list is exact, but long: it is read back over the life of a session.

    Of older ones only the paid matter, and those the search knows; it may be an hour late, so it cannot come first.
    """
    sessions = api.v1.checkout.sessions
    since = int(time.time()) - _SESSION_LIFE
    recent = sessions.list({"created": {"gte": since}, "limit": 100, "expand": _WITH_PAYMENTS})
    for session in recent.auto_paging_iter():
        if session.client_reference_id == reference:
            return session
    if intent := find_payment(api, reference):
        return next(iter(sessions.list({"payment_intent": intent, "expand": _WITH_PAYMENTS})), None)
    return None


def find_payment(api: stripe.StripeClient, reference: str) -> str:
    """The id of the payment that carries our reference, "" when the search knows none."""
    found = api.v1.payment_intents.search({"query": f'metadata["{METADATA}"]:"{reference}"'})
    return found.data[0].id if found.data else ""


def find_refunds(api: stripe.StripeClient, charge_ref: str, reference: str) -> list[stripe.Refund]:
    """Every try of one refund of ours, the newest first. Only after one has failed is there another. One that was made
    at Stripe itself has no number but Stripe's.
    """
    refunds = api.v1.refunds.list({"payment_intent": charge_ref, "limit": 100})
    return [it for it in refunds.auto_paging_iter() if reference in (reference_of(it.to_dict()), it.id)]


def find_dispute(api: stripe.StripeClient, number: str) -> stripe.Dispute | None:
    """A dispute, with the payment it is of."""
    try:
        return api.v1.disputes.retrieve(number, {"expand": ["payment_intent"]})
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return None
        raise


def is_ours(api: stripe.StripeClient, source: dict[str, Any]) -> bool:
    """Whether a booked charge or refund is of a payment of ours; a refund made by hand is known by its charge alone."""
    if reference_of(source) or source["object"] != "refund" or not source["payment_intent"]:
        return bool(reference_of(source))
    return bool(reference_of(api.v1.payment_intents.retrieve(source["payment_intent"]).to_dict()))


def reference_of(thing: dict[str, Any]) -> str:
    """Our reference in the metadata of a thing of Stripe's, "" when it is none of ours."""
    metadata = thing.get("metadata")
    return str(metadata.get(METADATA, "")) if isinstance(metadata, dict) else ""


def wrong_mode() -> ProviderError:
    words = "The key and the account are not of the same mode, live or test"
    return ProviderError(words, permanent=True, code="livemode", for_shop=True)
