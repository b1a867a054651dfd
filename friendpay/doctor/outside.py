"""What the doctor looks at without: the wallets, and how the world sees our public address."""

import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from friendpay.connections import is_proxy
from friendpay.doctor import knock
from friendpay.doctor.finding import MENDS, Finding, State
from friendpay.doctor.inside import apart
from friendpay.kit import clock, limits
from payments.live.consumers import NOT_FOUND
from payments.models import ProviderAccount
from payments.settlement import calls
from payments.wallets import transport
from payments.wallets.base import ProviderError

LIE = "203.0.113.9"
"""An address that is nobody's (RFC 5737), which the doctor claims to be."""

_FORWARD = "Have the proxy send X-Forwarded-For ($proxy_add_x_forwarded_for), -Proto ($scheme) and Host ($host)"


def wallets() -> Iterator[Finding]:
    """Each account that takes payments is asked something harmless, the newest first. No money moves."""
    about = "wallets"
    accounts = ProviderAccount.objects.filter(enabled=True).select_related("merchant").order_by("-live", "-id")
    for account in accounts[: limits.DOCTOR_ACCOUNTS]:
        yield from _account(account)
    if (others := accounts.count() - limits.DOCTOR_ACCOUNTS) > 0:
        yield Finding(about, State.WARNING, f"{others} more accounts were not asked", "Test them at the desk.")
    if not accounts:
        says = "no account takes payments, so nobody can pay"
        yield Finding(about, State.WARNING, says, "Make one at the desk (docs/wallets/README.md).")


def _account(account: ProviderAccount) -> Iterator[Finding]:
    about, name = "wallets", f"{account} of {account.merchant} ({account.public_id})"
    if not account.is_installed:
        says = f"{name}: the package of {account.provider} is not installed"
        yield Finding(about, State.WRONG, says, "Install it and start the servers anew.")
        return
    if account.is_locked:
        says = f"{name}: none of CREDENTIAL_KEYS opens its credentials"
        yield Finding(about, State.WRONG, says, "Add the key they were sealed with, or enter them again at the desk.")
        return
    if ends := account.ends_soon(clock.now()):
        says = f"{name}: the wallet's certificates end on {ends:%Y-%m-%d}"
        yield Finding(about, State.WARNING, says, "Enter newer ones at the desk before.")
    account.probing = True  # it is asked although it may not have answered lately
    asked = time.time()
    with transport.heard() as answers:
        try:
            with calls.calling(account) as (provider, data):
                yield Finding(about, State.OK, f"{name}: {provider.check(data)}")
        except ProviderError as error:
            yield Finding(about, State.WRONG, f"{name}: {error.message}", MENDS[about])
    for answer in answers[:1]:
        if told := answer.headers.get("date"):
            yield apart(f"{account}'s", _moment(told) - (asked + time.time()) / 2, exact=limits.DATE_HEADER_SECONDS)


def _moment(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5  # it leaves out what is less than a second
    except ValueError:
        return time.time()


def address() -> Iterator[Finding]:
    """Our own health, asked for by PUBLIC_URL as anybody would, with a lie about where we come from."""
    about, url = "public address", settings.PUBLIC_URL
    headers = {knock.HEADER: knock.word(), "X-Forwarded-For": LIE}
    known = ssl.create_default_context()  # the system's authorities, and what SSL_CERT_FILE names
    with httpx.Client(timeout=limits.WALLET_SECONDS, headers=headers, trust_env=False, verify=known) as client:
        answer = client.get(f"{url}/healthz")
    told: Any = answer.json() if answer.headers.get("content-type") == "application/json" else {}
    if answer.status_code != 200 or told.get("status") != "ok":
        yield Finding(about, State.WRONG, f"{url}/healthz answers {answer.status_code}, and not we", MENDS[about])
    elif "peer" not in told:
        says = f"{url} is friendpay's, but knows another SECRET_KEY"
        yield Finding(about, State.WRONG, says, "Give all processes the same environment, and start them anew.")
    else:
        yield Finding(about, State.OK, f"{url} leads to us")
        yield from judged(told)
        yield from _socket()


def judged(seen: dict[str, str]) -> Iterator[Finding]:
    """Whether a web process saw us as we are: by our own scheme and host, and as somebody, not as the proxy."""
    about, wanted = "proxy headers", urlsplit(settings.PUBLIC_URL)
    peer, client, said = seen["peer"], seen["client"], seen["forwarded_for"]
    trust = f"set TRUSTED_PROXIES={peer}"
    if seen["scheme"] != wanted.scheme:
        says = f"{wanted.scheme} arrives as {seen['scheme']}"
        yield Finding(about, State.WRONG, says, f"{_FORWARD}; {trust}.")
    if seen["host"].lower() != wanted.netloc:
        yield Finding(about, State.WRONG, f"the host {wanted.netloc} arrives as {seen['host']}", f"{_FORWARD}.")
    hops = [hop.strip() for hop in said.split(",")]
    if client == LIE and hops[-1] == LIE:
        says = "the proxy passes on what a client says of its address: anybody can be anybody, and no limit holds"
        yield Finding(about, State.WRONG, says, f"{_FORWARD}, instead of what the client sent.")
    elif client == LIE:
        says = f"this machine calls as {hops[-1]}, which TRUSTED_PROXIES names, so what strangers may claim is not seen"
        yield Finding(about, State.WARNING, says, "Run the doctor on another machine, too.")
    elif client == peer and said != LIE:
        says = f"every client arrives as {peer}: all people behind the proxy count as ONE for every limit"
        yield Finding(about, State.WRONG, says, f"{_FORWARD}; {trust}.")
    elif client == peer and wanted.scheme == "https" and not is_proxy(peer):
        says = f"X-Forwarded-For from {peer} is not believed: all people behind that proxy count as ONE"
        yield Finding(about, State.WRONG, says, f"{trust[0].upper()}{trust[1:]}.")
    else:
        yield Finding(about, State.OK, f"a client arrives as {client}, by {seen['scheme']}")


def _socket() -> Iterator[Finding]:
    """Whether live pages get through: the socket of a request that there is not says so."""
    about, url = "live pages", f"{settings.PUBLIC_URL.replace('http', 'ws', 1)}/ws/p/doctor/"
    mend = "Have the proxy pass on WebSockets: HTTP/1.1, and the headers Upgrade and Connection (deploy/)."
    try:
        with connect(url, origin=Origin(settings.PUBLIC_URL), open_timeout=limits.WALLET_SECONDS, proxy=None) as line:
            line.recv(timeout=limits.WALLET_SECONDS)
    except ConnectionClosed as closed:
        if closed.rcvd and closed.rcvd.code == NOT_FOUND:
            yield Finding(about, State.OK, "sockets get through")
        else:
            yield Finding(about, State.WRONG, f"a socket was closed ({closed})", mend)
    except (WebSocketException, OSError) as error:
        yield Finding(about, State.WRONG, f"no socket gets through ({error})", mend)
