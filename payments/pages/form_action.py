"""Where the forms of a page may lead: to us, and to the wallets the shop has, nowhere else.

A browser holds the answers of a form to the page's policy too, so a redirect to a host that is not named ends nowhere.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from friendpay.kit.csp import PAGES
from orders.models import Order
from payments.models import ProviderAccount
from payments.wallets import registry


def to_wallets(response: HttpResponse, order: Order) -> HttpResponse:
    """A page on which a wallet can be chosen. Its policy is the same in every state the page draws itself anew in."""
    return lead_to(response, ProviderAccount.objects.taking(order))


def lead_to(response: HttpResponse, accounts: Iterable[ProviderAccount]) -> HttpResponse:
    """The same of a shop whose accounts that may take the order's money are known."""
    response["Content-Security-Policy"] = policy(accounts)
    return response


def policy(accounts: Iterable[ProviderAccount]) -> str:
    """What such a page's header says."""
    return " ".join([PAGES, *sorted(_hosts_among(accounts))])


def next_url(accounts: Iterable[ProviderAccount], url: str, else_: str) -> str:
    """Where a form that began a payment leads: `url`, or where no page could name its host (a wallet's page under a
    name of the shop's own), `else_`, which links to it. `accounts` are those that may take the order's money.
    """
    origin = _origin(url)
    hosts = {settings.PUBLIC_URL, *_hosts_among(accounts)}
    return url if not origin or any(fnmatchcase(origin, host) for host in hosts) else else_


def _hosts_among(accounts: Iterable[ProviderAccount]) -> set[str]:
    return {host for account in accounts for host in _hosts_of(account)}


def _hosts_of(account: ProviderAccount) -> tuple[str, ...]:
    """The wallet's own; or the stand-in's, where one plays its part."""
    pages = registry.get(account.provider).pages
    gateway = _origin(account.base_url)
    return pages if not gateway or any(fnmatchcase(gateway, host) for host in pages) else (gateway,)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
