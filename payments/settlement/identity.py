"""Whose an account is at its wallet (merchant number, app, key). That is fixed once payments hang on it: another
merchant's account would answer for them, knows nothing of their money, and could send none of it back.
"""

from collections.abc import Mapping
from copy import copy

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import Payment, ProviderAccount
from payments.settlement.calls import calling
from payments.wallets import registry
from payments.wallets.base import ProviderError, State

FIXED: "Promise" = gettext_lazy(
    "Payments hang on this account, so it stays the same one at the wallet. For another one make a new account here "
    "and switch this one off: it is still asked about its payments, and its refunds go on."
)


def payments_of(account: ProviderAccount) -> QuerySet[Payment]:
    """The payments that hang on an account: all that money may have come of. One that the wallet never opened, as while
    the merchant number was mistyped, is none of them.
    """
    never_opened = Q(status__in=[Payment.Status.FAILED, Payment.Status.CANCELLED], next_step={})
    return Payment.objects.filter(account=account).exclude(never_opened)


def moved(account: ProviderAccount, known: Mapping[str, str], entered: Mapping[str, str], base_url: str) -> list[str]:
    """Which of the credentials entered, "base_url" among them, would make it another account at the wallet; none while
    no payment hangs on it. A live account at a wallet's own gateway has that one, whatever is entered.
    """
    before = {**known, "base_url": account.base_url}
    after = {**entered, "base_url": base_url if account.may_have_gateway else account.base_url}
    names = [
        name
        for name in registry.get(account.provider).identity
        if before.get(name) and after.get(name, "") != before[name]
    ]
    return names if names and payments_of(account).exists() else []


def only_the_wallet_knows(account: ProviderAccount, known: Mapping[str, str], entered: Mapping[str, str]) -> bool:
    """Whether what was entered does not tell whose the account is: a key names nobody, and what no key of ours opens
    any more cannot be compared.
    """
    key = registry.get(account.provider).identity_key
    renewed = bool(key) and entered.get(key, "") != known.get(key, "")
    return (account.is_locked or renewed) and payments_of(account).exists()


def doubt(account: ProviderAccount, entered: Mapping[str, str]) -> str:
    """What speaks against these credentials being of the same account, for people; "" when the wallet knows by them the
    newest payment that it must know. It is called: no transaction may be open.
    """
    must_know = Q(succeeded_at__isnull=False)
    if registry.get(account.provider).knows_from_start:
        must_know |= ~Q(next_step={})
    newest = payments_of(account).filter(must_know).order_by(F("succeeded_at").desc(nulls_last=True), "-id").first()
    if newest is None:
        return ""
    trial = copy(account)
    trial.config, trial.probing = dict(entered), True
    try:
        with calling(trial) as (provider, data):
            outcome = provider.fetch(data, newest.reference, newest.provider_session)
    except ProviderError as error:
        text = _("The wallet does not say whether this is still the same account: %(words)s. Nothing was changed.")
        return text % {"words": error.message}
    return str(FIXED) if outcome.state is State.UNKNOWN else ""
