"""The Celery app. Work lives in tables; tasks only carry it, so every one may be lost or run twice."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "friendpay.settings")

app = Celery("friendpay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
