"""Background jobs after a commit that never hold up a page: one thread for each purpose; a job may be lost at any time.

Whatever is done here is only haste: tables hold the work, and a sweep does what a job did not.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from friendpay.kit import limits

logger = logging.getLogger(__name__)

_lines: dict[tuple[int, str], "queue.Queue[Callable[[], object]]"] = {}
_lock = threading.Lock()


def run_later(purpose: str, job: Callable[[], object]) -> None:
    """Run `job` soon on the purpose's own thread. Returns at once, never raises; a full line drops the job."""
    key = (os.getpid(), purpose)  # threads do not survive a fork
    line = _lines.get(key)
    if line is None:
        with _lock:
            line = _lines.get(key)
            if line is None:
                line = _lines[key] = queue.Queue(limits.BACKGROUND_JOBS)
                threading.Thread(target=_serve, args=(purpose, line), name=f"later-{purpose}", daemon=True).start()
    try:
        line.put_nowait(job)
    except queue.Full:
        logger.warning("%s: line full, an job was dropped", purpose)


def nudge(task: str, *args: Any) -> None:
    """Ask the worker to do `task` (a Celery name) now rather than at its next sweep. A hung broker delays nobody."""

    def publish() -> None:
        from celery import current_app

        current_app.send_task(task, args=args, retry=False)

    run_later("nudge", publish)


def _serve(purpose: str, line: "queue.Queue[Callable[[], object]]") -> None:
    while True:
        job = line.get()
        try:
            job()
        except Exception as error:  # an job is haste only: the sweep does what it did not
            logger.warning("%s: an job failed: %s", purpose, error)
        finally:
            line.task_done()
