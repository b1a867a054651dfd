from payments.models.account import ProviderAccount
from payments.models.inbox import ProviderEvent
from payments.models.payment import Payment, Refund
from payments.models.request import PaymentRequest

__all__ = ["Payment", "PaymentRequest", "ProviderAccount", "ProviderEvent", "Refund"]
