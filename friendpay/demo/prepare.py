"""Migrations, static files and demo data, between running servers and serving pages. Safe to repeat at every start; one
that finds nothing new keeps no page waiting.
"""

import hashlib
import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def as_it_is() -> str:
    """A digest of all that makes tables and static files. It changes when one of them has to be made anew."""
    files = [*(ROOT / "static").rglob("*"), *ROOT.glob("*/migrations/*.py")]
    ours = sorted((str(path), path.stat().st_mtime_ns) for path in files if path.is_file())
    others = (ROOT / "requirements.txt").read_bytes()
    return hashlib.sha256(repr(ours).encode() + others).hexdigest()


def is_done(data: Path) -> bool:
    """Whether tables and static files of this data folder are as they have to be: pages can be served meanwhile."""
    mark = data / "prepared"
    return mark.exists() and mark.read_text() == as_it_is()


def collect_static() -> None:
    """Collect what browsers keep, unless it is as it was."""
    from django.conf import settings
    from django.core.management import call_command

    now = as_it_is()
    mark = Path(settings.STATIC_ROOT) / ".collected"
    if not mark.exists() or mark.read_text() != now:
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(now)


def main() -> None:
    """Bring the database up to date, put the demo shop into it, and collect what browsers keep: as soon as the input
    ends, which says that there is a database. What takes a second to load is loaded before.
    """
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    data = Path(os.environ["FRIENDPAY_DATA"])
    django.setup()
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as found:
        sys.exit(str(found))
    sys.stdin.read()
    if not is_done(data):
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    call_command("seed_demo", skip_checks=True)
    collect_static()
    (data / "prepared").write_text(as_it_is())


if __name__ == "__main__":
    main()
