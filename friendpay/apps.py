"""Django's app of the project: Celery and translations are set up wherever Django runs."""

from django.apps import AppConfig
from django.core import checks


class FriendpayConfig(AppConfig):
    name = "friendpay"

    def ready(self) -> None:
        """In every process that runs Django: our Celery app is the one that `shared_task` means, and pages speak all
        languages. A worker brings the scheduler.
        """
        from friendpay import celery, scheduler, telemetry, translations

        celery.app.steps["worker"].add(scheduler.Step)
        telemetry.start()
        translations.compile_messages()
        checks.register(translations.check_compiled)
