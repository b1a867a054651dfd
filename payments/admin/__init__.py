"""The support desk's pages of payments."""

from payments.admin import (  # noqa: F401
    account,
    bill,
    dispute,
    friction,
    inbox,
    order,
    payment,
    refund,
    report,
    request,
    rollout,
    sentences,
    trust,
)
