"""bin/up's supervisor, with all of friendpay loaded: its programs are forked from it and share the memory of that.

Loading takes a second and a half and some 90 MB. It is done once, while PostgreSQL and Valkey come up; a program that
died is back at once.
"""

import gc
import os
import runpy
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from friendpay.kit import scheduling

_SHARES = sys.platform != "darwin"  # whose libraries are not safe to use in a fork: there each program loads for itself
_OF_THE_SUPERVISOR = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGCHLD", "SIGUSR2")
# By their names alone, as the programs are: what is below them imports nothing of them.
_OF_PROGRAMS = (
    "celery.apps.worker.Worker",
    "celery.bin.celery.main",
    "celery.concurrency.thread.TaskPool",
    "celery.worker.consumer.Consumer",
    "kombu.transport.redis.Transport",
    "channels.security.websocket.OriginValidator",
    "friendpay.connections.options",
    "friendpay.health.PROBES",
    "friendpay.lanes.lane",
    "friendpay.proxies.Forwarded",
    "payments.live.routing.websocket_urlpatterns",
    "payments.pages.framed.answer",
    "uvicorn.loops.uvloop.uvloop",
    "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol",
)


class _Options(ServerOptions):
    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> NoReturn:
        """In the child: be what Python is told to run, in the Python that is here already."""
        if not _SHARES:
            super().execve(filename, argv, env)
        for name in _OF_THE_SUPERVISOR:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(env)
        with suppress(OSError):  # as `ps` and `top` say it, where the system has that
            Path("/proc/self/comm").write_text(env["SUPERVISOR_PROCESS_NAME"])
        code: Any = 0
        try:
            if argv[1] == "-m":
                sys.argv = argv[2:]
                runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
            else:
                sys.argv = argv[1:]
                runpy.run_path(argv[1], run_name="__main__")
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
            code = 1
        if isinstance(code, str):
            print(code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else bool(code))


class _Supervisor(Supervisor):
    def runforever(self) -> None:
        """As ever, once those that need nothing of ours were started and the rest is loaded."""
        for group in self.process_groups.values():
            group.transition()
        if _SHARES:
            _load()
        super().runforever()


def _load() -> None:
    """What web server and workers import. The web application itself is made by the web server alone: it looks for
    files that may not have been collected yet.
    """
    import django

    django.setup()
    from django.conf import settings
    from django.urls import get_resolver
    from django.utils.module_loading import import_string

    app = import_string("friendpay.celery.app")
    app.loader.import_default_modules()
    app.finalize()
    for path in (*_OF_PROGRAMS, *settings.MIDDLEWARE):
        import_string(path)
    _views = get_resolver().url_patterns
    gc.collect()
    gc.freeze()  # what is here stays, and is looked through by no child


def main() -> None:
    scheduling.finish_turns()
    options = _Options()
    options.realize()
    options.first, options.test = True, False
    with suppress(ExitNow):
        _Supervisor(options).main()


if __name__ == "__main__":
    main()
