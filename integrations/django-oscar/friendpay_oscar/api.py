"""friendpay's API, as this shop's settings reach it."""

from functools import cache

from django.conf import settings
from friendpay_client import Friendpay

ASKING_SECONDS = 3.0
"""How long the payment step waits for the answer whether to show us. Nobody's checkout waits longer for us."""


def client() -> Friendpay:
    """For all that moves money or goods: it repeats what was not answered, without doing it twice."""
    return _client(settings.FRIENDPAY_URL, settings.FRIENDPAY_KEY, 10.0, 2)


def hasty() -> Friendpay:
    """For what a page can do without."""
    return _client(settings.FRIENDPAY_URL, settings.FRIENDPAY_KEY, ASKING_SECONDS, 0)


@cache
def _client(url: str, key: str, seconds: float, retries: int) -> Friendpay:
    return Friendpay(key, base_url=url, timeout=seconds, retries=retries)
