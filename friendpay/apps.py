from django.apps import AppConfig


class FriendpayConfig(AppConfig):
    name = "friendpay"

    def ready(self) -> None:
        """Make our Celery app the one that `shared_task` means, in every process that runs Django."""
        from friendpay import celery  # noqa: F401
