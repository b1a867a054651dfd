"""`friendpay listen`: what happens in a test shop, posted to this machine as webhooks, signed for as long as it runs.

It reads events by the API with the key alone, so nothing has to reach this machine from outside.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import httpx

from friendpay_client import webhooks
from friendpay_client.client import Friendpay
from friendpay_client.errors import FriendpayError
from friendpay_client.policy import BASE_URL
from friendpay_client.types import Event

PAUSE = 1.0
"""Seconds from one look for news to the next."""

TIMEOUT = 15.0
"""Seconds a receiver has, as with real webhooks."""

Say = Callable[[str], object]


class Listener:
    """Posts each event of the shop once, in their order, from `after` on, or from now."""

    def __init__(
        self,
        friendpay: Friendpay,
        forward: str,
        secret: str,
        say: Say,
        *,
        types: Collection[str] = (),
        after: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._friendpay, self._forward, self._secret, self._say = friendpay, forward, secret, say
        self._types = types
        self._http = httpx.Client(timeout=TIMEOUT, transport=transport)
        newest = [] if after else list(friendpay.call("GET", "/events", query={"latest": True, "limit": 1})["data"])
        self._after = newest[-1]["id"] if newest else after

    def turn(self) -> int:
        """Forward what is new; says how many events there were. What the receiver answers is printed, and no more."""
        seen = 0
        for event in self._friendpay.list_events(after=self._after, limit=100):
            seen, self._after = seen + 1, event["id"]
            if not self._types or event["type"] in self._types:
                self._say(f"{datetime.now(UTC):%H:%M:%S} {event['type']} {event['id']} -> {self._post(event)}")
        return seen

    def _post(self, event: Event) -> str:
        body = json.dumps({**event, "timestamp": event["created_at"]}, ensure_ascii=False, separators=(",", ":"))
        headers = {"content-type": "application/json", **webhooks.sign(body.encode(), self._secret, event["id"])}
        began = time.monotonic()
        try:
            status = str(self._http.post(self._forward, content=body.encode(), headers=headers).status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"no answer: {error or type(error).__name__}"
        return f"{status} ({(time.monotonic() - began) * 1000:.0f} ms)"


def main(arguments: list[str] | None = None) -> None:
    """Until it is interrupted. Ends with a sentence where it cannot begin."""
    parser = argparse.ArgumentParser("friendpay", description="friendpay on a developer's machine")
    listen = parser.add_subparsers(required=True).add_parser("listen", help="post a test shop's events to this machine")
    add_arguments(listen)
    try:
        run(**vars(parser.parse_args(arguments)))
    except FriendpayError as error:
        sys.exit(str(error))


def add_arguments(parser: Any) -> None:
    """What the command takes."""
    add = parser.add_argument
    add("--forward", required=True, metavar="URL", help="where to post, such as http://localhost:3000/hook")
    add("--key", default=os.environ.get("FRIENDPAY_KEY", ""), help="a test key that may read (default: $FRIENDPAY_KEY)")
    add("--url", default=os.environ.get("FRIENDPAY_URL", BASE_URL), help="the site (default: $FRIENDPAY_URL)")
    add("--secret", default=os.environ.get("FRIENDPAY_SECRET", ""), help="to sign with (default: a new one, printed)")
    add("--events", default="", metavar="TYPES", help="such as order.paid,order.refunded (default: all)")
    add("--after", metavar="EVENT", help="the id of the last event you had (default: the latest)")


def run(  # one of each argument
    *, forward: str, key: str, url: str, secret: str, events: str, after: str | None, say: Say = print
) -> None:
    """Raises FriendpayError where the key or the site is wrong."""
    if not key.startswith("sk_test_"):
        raise FriendpayError("A test key is needed (sk_test_…): pass --key or set FRIENDPAY_KEY.")
    secret = secret or webhooks.new_secret()
    types = [type.strip() for type in events.split(",") if type.strip()]
    with Friendpay(key, base_url=url) as friendpay:
        listener = Listener(friendpay, forward, secret, say, types=types, after=after)
        say(f"Listening to {url}, posting to {forward}. Verify with this secret: {secret}")
        try:
            while True:
                listener.turn()
                sys.stdout.flush()
                time.sleep(PAUSE)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
