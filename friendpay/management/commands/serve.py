"""`manage.py serve`: the web server (uvicorn), for production and for the demo alike, with all its limits."""

import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import sys
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

import uvicorn
import uvicorn._subprocess
from django.core.management.base import BaseCommand
from uvicorn.supervisors import Multiprocess

from friendpay import connections, siblings
from friendpay.kit import scheduling


class Command(BaseCommand):
    """Serve pages, the API and sockets until told to stop (TERM): then no new call is taken, those under way end.

    An address that systemd holds open is served instead of host and port: calls wait there in line while this process
    is started anew, and none is refused.
    """

    help = "Serve pages, the API and sockets, with all limits of friendpay/connections.py."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        os.environ["FRIENDPAY_SERVED"] = "yes"  # what friendpay/asgi.py looks for
        _most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each connection is an open file
        scheduling.finish_turns()
        config = uvicorn.Config(host=host, port=port, workers=workers, **connections.options())
        given = connections.given_sockets()
        if workers == 1:
            uvicorn.Server(config).run(sockets=given or None)
        else:
            sockets = given or [config.bind_socket()]
            _share(workers)
            Multiprocess(config, sockets=sockets).run()


def _share(workers: int) -> None:
    """Have uvicorn fork its workers, from here, where all they need is loaded: they share the memory of that, and one
    that died is back at once. On Linux alone: elsewhere libraries are not safe to use in a fork, or nothing would end a
    worker whose parent was killed, and it would keep the port from the next one.
    """
    if sys.platform != "linux":
        return
    import_module("friendpay.asgi")
    siblings.share(workers)
    gc.collect()
    gc.freeze()  # what is here stays, and is looked through by no worker
    vars(uvicorn._subprocess)["spawn"] = multiprocessing.get_context("fork")
    os.register_at_fork(after_in_child=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))  # PR_SET_PDEATHSIG
