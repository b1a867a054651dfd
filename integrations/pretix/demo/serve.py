"""A pretix that sells tickets for one concert. `python serve.py [PORT]`; all of it is kept in the folder `data`.

The organiser is admin@localhost with the password admin.
"""

import mimetypes
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from manage import settle_in


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None:
        """pretix logs what matters."""


def _with_static(pretix: Callable[..., Iterable[bytes]], root: Path) -> Callable[..., Iterable[bytes]]:
    """Usually the web server in front gives these files."""

    def serve(environ: dict[str, str], start: Callable[..., object]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/static/"):
            return pretix(environ, start)
        file = (root / environ["PATH_INFO"].removeprefix("/static/")).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            start("404 Not Found", [])
            return []
        start("200 OK", [("Content-Type", mimetypes.guess_type(file)[0] or "application/octet-stream")])
        return [file.read_bytes()]

    return serve


def main(port: int) -> None:
    settle_in(address=f"http://127.0.0.1:{port}")
    Path(os.environ["PRETIX_PRETIX_DATADIR"]).mkdir(exist_ok=True)

    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from pretix.base.models import Event

    if not Path(settings.DATABASES["default"]["NAME"]).exists():
        call_command("migrate", run_syncdb=True, verbosity=0)
    import concert

    if not Event.objects.exists():
        concert.announce()
    from pretix.wsgi import application

    served = _with_static(application, Path(settings.STATIC_ROOT).resolve())
    print(f"Tickets: {settings.SITE_URL}/harbour/concert/  Organiser: {settings.SITE_URL}/control/", flush=True)
    make_server("127.0.0.1", port, served, _Server, _Quiet).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8345)
