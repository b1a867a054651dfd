"""Filters by wallet."""

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from payments.offers.weighing import LABELS
from payments.wallets import registry


def _providers() -> dict[str, str | Promise]:
    return {name: _(registry.get(name).label) for name in registry.NAMES}


BY_METHOD = filters.value(_("wallet"), "method", "method", lambda: LABELS)
BY_PROVIDER = filters.value(_("provider"), "provider", "provider", _providers)
BY_ACCOUNTS_PROVIDER = filters.value(_("provider"), "provider", "account__provider", _providers)
PAUSED = filters.choice(_("answers"), "paused", {"yes": (_("does not answer"), Q(paused_until__isnull=False))})
