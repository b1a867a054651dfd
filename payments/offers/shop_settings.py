"""A shop's settings as pages need them: its row, its accounts at wallets, its rollout rules and trust limits, kept in
this process.

They are kept under a revision that every reading of a page brings along (`REVISION`), made of PostgreSQL's own row
versions: whatever changes one of these rows, by whatever way, changes the revision in the transaction that changes the
row. So nothing kept is ever stale, nothing has to be told, and nobody can forget to count up.
"""

from dataclasses import dataclass
from functools import lru_cache

from friendpay.kit import limits, reads
from orders.models import Merchant
from payments.models import ProviderAccount, RolloutRule, TrustLimit

REVISION = """
    concat_ws(' ', m.xmin, m.ctid,
        (SELECT string_agg(concat_ws(' ', a.xmin, a.ctid), ',' ORDER BY a.id)
            FROM payments_provideraccount a WHERE a.merchant_id = m.id),
        '/',
        (SELECT string_agg(concat_ws(' ', u.xmin, u.ctid), ',' ORDER BY u.id)
            FROM payments_rolloutrule u WHERE u.merchant_id = m.id),
        '/',
        (SELECT string_agg(concat_ws(' ', t.xmin, t.ctid), ',' ORDER BY t.id)
            FROM payments_trustlimit t WHERE t.merchant_id = m.id))
"""
"""The revision of the shop `m`, in SQL. A version of a row is known by where it stands and who wrote it."""

_READ = f"""
    SELECT (SELECT json_agg(a ORDER BY a.id) FROM payments_provideraccount a WHERE a.merchant_id = m.id),
        (SELECT json_agg(u ORDER BY u.id) FROM payments_rolloutrule u WHERE u.merchant_id = m.id),
        (SELECT json_agg(t ORDER BY t.id) FROM payments_trustlimit t WHERE t.merchant_id = m.id),
        {reads.columns(Merchant, "m")}
    FROM orders_merchant m WHERE m.id = %(merchant)s
"""


@dataclass(frozen=True)
class ShopSettings:
    """To be read, never changed: all threads share it."""

    merchant: Merchant
    accounts: tuple[ProviderAccount, ...]  # in use or not
    rules: tuple[RolloutRule, ...]
    trust: tuple[TrustLimit, ...]


@lru_cache(maxsize=limits.SHOPS_KEPT)
def settings_of(merchant_id: int, revision: str) -> ShopSettings:
    """The settings of a shop, as they were at this revision or later."""
    row = reads.one(_READ, {"merchant": merchant_id})
    if row is None:
        raise Merchant.DoesNotExist
    merchant = reads.made(Merchant, tuple(row[3:]))
    accounts = tuple(reads.told(ProviderAccount, account) for account in row[0] or [])
    rules = tuple(reads.told(RolloutRule, rule) for rule in row[1] or [])
    trust = tuple(reads.told(TrustLimit, limit) for limit in row[2] or [])
    for account in accounts:
        account.merchant = merchant  # or a page that names a shop's own gateway would ask for it
    return ShopSettings(merchant, accounts, rules, trust)
