"""Background jobs after a commit that never hold up a page: one thread for each purpose; a job may be lost at any time.

Whatever is done here only hurries: tables hold the work, and a sweep does what a job did not.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from friendpay.kit import limits

logger = logging.getLogger(__name__)

_queues: dict[tuple[int, str], "queue.Queue[Callable[[], object]]"] = {}
_lock = threading.Lock()


def run_later(purpose: str, job: Callable[[], object]) -> None:
    """Run `job` soon on the purpose's own thread. Returns at once, never raises; a full queue drops the job."""
    key = (os.getpid(), purpose)  # threads do not survive a fork
    jobs = _queues.get(key)
    if jobs is None:
        with _lock:
            jobs = _queues.get(key)
            if jobs is None:
                jobs = _queues[key] = queue.Queue(limits.BACKGROUND_JOBS)
                threading.Thread(target=_serve, args=(purpose, jobs), name=f"later-{purpose}", daemon=True).start()
    try:
        jobs.put_nowait(job)
    except queue.Full:
        logger.warning("%s: queue full, a job was dropped", purpose)


def enqueue(task: str, *args: Any) -> None:
    """Send `task` (a Celery name) to the worker now rather than at its next sweep. A hung broker delays nobody."""

    def publish() -> None:
        from celery import current_app

        current_app.send_task(task, args=args, retry=False)

    run_later("enqueue", publish)


def _serve(purpose: str, jobs: "queue.Queue[Callable[[], object]]") -> None:
    """A thread keeps its database connection from job to job, and none while there is nothing to do."""
    while True:
        try:
            job = jobs.get(timeout=limits.BACKGROUND_IDLE_SECONDS)
        except queue.Empty:
            connection.close()
            job = jobs.get()
        try:
            job()
        except Exception as error:  # a job only hurries: the sweep does what it did not
            logger.warning("%s: a job failed: %s", purpose, error)
        finally:
            connection.close_if_unusable_or_obsolete()
            jobs.task_done()
