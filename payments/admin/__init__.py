"""The support desk's pages of payments."""

from payments.admin import account, bill, friction, inbox, order, payment, refund, report, request, rollout, sentences  # noqa: F401
