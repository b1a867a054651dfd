"""`manage.py serve` with several workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def becomes(true: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 120
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are not forked")
def test_workers_share_what_is_loaded_and_none_outlives_the_one_that_began_them() -> None:
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--skip-checks", "--workers", "2", "--port", str(port)]
    began = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"})

    def lives() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        assert becomes(lives)
        parent = psutil.Process(began.pid)
        assert becomes(lambda: len(_workers(parent)) == 2)
        for worker in _workers(parent):
            memory = worker.memory_full_info()
            assert memory.uss < memory.rss / 2, "most of a worker's memory is everybody's"
            assert os.sched_getscheduler(worker.pid) == os.SCHED_BATCH, "it finishes its turn on a processor"
        first, second = _workers(parent)
        with ExitStack() as calls:
            for _ in range(20):
                calls.enter_context(httpx.Client()).get(f"http://127.0.0.1:{port}/healthz")
            fewer, more = sorted(_connections(worker, port) for worker in (first, second))
        assert more - fewer <= 2, "they have equally many connections, or nearly so on a busy machine"
        assert _keep_apart([first, second])
        first.kill()
        assert becomes(lambda: len({*_workers(parent)} - {first, second}) == 1), "it is replaced"
        workers = _workers(parent)
        assert becomes(lambda: _keep_apart(workers)), "the new one has the processor of the one before"
        os.kill(began.pid, signal.SIGKILL)
        _gone, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []
        with socket.create_server(("127.0.0.1", port)):
            pass  # the next one may have the port
    finally:
        began.kill()
        began.wait(60)


def _workers(parent: psutil.Process) -> list[psutil.Process]:
    found = []
    for child in parent.children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one, too
            if child.cmdline() == parent.cmdline():
                found.append(child)
    return found


def _connections(worker: psutil.Process, port: int) -> int:
    found = worker.net_connections("tcp")
    return sum(it.status == psutil.CONN_ESTABLISHED and bool(it.laddr) and it.laddr.port == port for it in found)


def _keep_apart(workers: list[psutil.Process]) -> bool:
    """Each has a processor of its own, where there are two."""
    processors = [os.sched_getaffinity(worker.pid) for worker in workers]
    there = sorted(os.sched_getaffinity(0))
    return len(there) != 2 or sorted(map(list, processors)) == [[it] for it in there]
