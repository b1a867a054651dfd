"""The tables of payments."""

from payments.models.account import ProviderAccount
from payments.models.alarm import LedgerAlarm
from payments.models.beat import Beat, LedgerCheck
from payments.models.bill import BillDay, BillMismatch
from payments.models.desk import Assignment, Proposal
from payments.models.dispute import Dispute
from payments.models.inbox import ProviderEvent
from payments.models.mail import Mail, MailAddress
from payments.models.movement import Fee, Movement
from payments.models.payment import Payment
from payments.models.refund import Refund
from payments.models.report import Report, StoppedBuyer
from payments.models.request import PaymentRequest
from payments.models.rollout import RolloutRule
from payments.models.step import Step
from payments.models.trust import TrustLimit

__all__ = [
    "Assignment",
    "Beat",
    "BillDay",
    "BillMismatch",
    "Dispute",
    "Fee",
    "LedgerAlarm",
    "LedgerCheck",
    "Mail",
    "MailAddress",
    "Movement",
    "Payment",
    "PaymentRequest",
    "Proposal",
    "ProviderAccount",
    "ProviderEvent",
    "Refund",
    "Report",
    "RolloutRule",
    "Step",
    "StoppedBuyer",
    "TrustLimit",
]
