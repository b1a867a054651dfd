"""The Celery app, its queues and its schedule. Work lives in tables: every task may be lost or run twice."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "friendpay.settings")

app = Celery("friendpay")
app.set_default()  # in every thread
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Whatever waits for somebody else's server - a wallet's, the mail server - has a queue and a worker of its own. What is
# over, the shops' webhooks, and notifications that a web process left are on the other one, whose threads none of these
# can reach.
OURS, CALLS = "celery", "calls"
_CALLING = (
    "orders.fetch_pictures",
    "orders.send_webhook_mails",
    "payments.ask",
    "payments.beat_calls",
    "payments.refund",
    "payments.confirm",
    "payments.sweep_hints",
    "payments.sweep_payments",
    "payments.sweep_refunds",
    "payments.sweep_disputes",
    "payments.sweep_mail",
    "payments.check_ledger",  # whose findings are mailed
    "payments.compare_bills",
    "sandbox.send_notices",
)
app.conf.task_default_queue = OURS
app.conf.task_queues = {OURS: {}, CALLS: {}}  # a worker that is told nothing serves both
app.conf.task_routes = {name: {"queue": CALLS} for name in _CALLING}

# At fixed times. What is due is swept when it is due: `friendpay/scheduler.py` sends both.
_EVERY = {
    "payments.beat": 20,
    "payments.beat_calls": 20,
    "orders.make_months": 60,
    "orders.purge_answers": 3600,
    "orders.purge_webhooks": 3600,
    "orders.purge_pictures": 3600,
    "orders.purge_request_log": 3600,
    "orders.purge_access_log": 3600,
    "payments.purge_mail": 3600,
    "payments.purge_steps": 3600,
    "payments.check_ledger": 600,
    "payments.compare_bills": 1800,
}
_AT = {
    "payments.forget_payers": crontab(hour="3", minute="30"),
    "payments.warn_of_ends": crontab(hour="4", minute="0"),
}
app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}} for name, seconds in _EVERY.items()
} | {name: {"task": name, "schedule": time, "options": {"expires": 3600}} for name, time in _AT.items()}
