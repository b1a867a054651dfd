from celery import shared_task

from sandbox import notices


@shared_task(name="sandbox.send_notices")
def send_notices() -> None:
    """Send the notifications that are due: what was lost right after its commit, and every retry."""
    notices.send_due()
