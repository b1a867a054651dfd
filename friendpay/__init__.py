"""The project: settings, servers, and where the apps are put together."""

from friendpay.celery import app as celery_app

__all__ = ["celery_app"]
