"""`manage.py serve`: the web server (uvicorn), for production and for the demo alike, with all its limits."""

import os
import resource
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand
from uvicorn.supervisors import Multiprocess

from friendpay import connections


class Command(BaseCommand):
    """Serve pages, the API and sockets until told to stop (TERM)."""

    help = "Serve pages, the API and sockets, with all limits of friendpay/connections.py."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        os.environ["FRIENDPAY_SERVED"] = "yes"  # what friendpay/asgi.py looks for
        _most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each connection is an open file
        config = uvicorn.Config(host=host, port=port, workers=workers, **connections.options())
        if workers == 1:
            uvicorn.Server(config).run()
        else:
            sockets = [config.bind_socket()]
            Multiprocess(config, sockets=sockets).run()
