"""Limits of trust: how much a buyer, a network or a shop may have open and ask for, and what others' reports do. A part
of `limits`, and written by its rules; docs/trust.md explains them.
"""

from datetime import timedelta

ASKS_OF_A_BUYER, SUMS_OF_A_BUYER = (20, 30, 60), (5_000, 5_000, 10_000)
ASKS_OF_A_NEW_BUYER, SUMS_OF_A_NEW_BUYER = (5, 10, 15), (2_000, 2_000, 3_000)
ASKS_OF_A_NETWORK, SUMS_OF_A_NETWORK = (300, 300, 1_000), (30_000, 30_000, 60_000)
ASKS_OF_A_SHOP, SUMS_OF_A_SHOP = (1_000, 500, 2_000), (20_000, 10_000, 20_000)
ASKS_OF_A_NEW_SHOP, SUMS_OF_A_NEW_SHOP = (100, 50, 100), (3_000, 3_000, 3_000)
"""Open at once, within an hour, within a day: how many, and US dollars roughly (`worth`). A shop's hold while the
operator has not checked it (`Merchant.is_verified`).
"""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

SUM_UNTIL_PAID_BUYER, SUM_UNTIL_PAID_SHOP = 2_000, 3_000
"""US dollars that may be asked for and stay so, open or paid, until a request was paid and the cooling time went by
without a report.
"""

COOLING_BUYER, COOLING_SHOP, COOLING_LONGEST_HOURS = timedelta(hours=6), timedelta(days=3), 30 * 24
EASED_AT_MOST = 10
"""So many times the usual limit of buyers and networks a shop may have; that of shops may only be lower."""

ASKS_LOOKED_AT = 2_000  # the latest of a shop or of a network that its limits look at
ORDERS_LOOKED_AT = 200  # the latest of a buyer
FAR_FROM, SMALL_BESIDE = 4, 40
"""An ask after which no more than a quarter of a limit is used, and which is no more than a fortieth of a sum, does not
wait for others of the same buyer.
"""

UNUSUAL_AFTER, UNUSUAL_TIMES = 3, 5  # after so many requests, so many times their mean is unusual

REPORTERS, REPORTERS_WITHIN = 3, timedelta(days=30)
"""So many people, each of another network, stop a buyer, or a shop that nobody has checked, until support decides."""
