"""The support desk's pages of payments."""

from orders.admin.access import HOLD_PERSONAL_DATA
from payments.admin import (  # noqa: F401
    account,
    bill,
    books,
    dispute,
    friction,
    inbox,
    order,
    payment,
    proposal,
    refund,
    report,
    request,
    rollout,
    sentences,
    trust,
)
from payments.models import Dispute, Payment, PaymentRequest, ProviderEvent, Refund, Report, StoppedBuyer

HOLD_PERSONAL_DATA.update({Dispute, Payment, PaymentRequest, ProviderEvent, Refund, Report, StoppedBuyer})
