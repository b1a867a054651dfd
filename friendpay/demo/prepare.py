"""Migrations, static files and demo data, between running servers and serving pages. Safe to repeat at every start."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def collect_static() -> None:
    """Collect what browsers keep, unless it is as it was."""
    from django.conf import settings
    from django.core.management import call_command

    ours = sorted((str(path), path.stat().st_mtime_ns) for path in (ROOT / "static").rglob("*") if path.is_file())
    others = (ROOT / "requirements.txt").read_bytes()
    now = hashlib.sha256(repr(ours).encode() + others).hexdigest()
    mark = Path(settings.STATIC_ROOT) / ".collected"
    if not mark.exists() or mark.read_text() != now:
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(now)


def main() -> None:
    """Bring the database up to date, put the demo shop into it, and collect what browsers keep."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    call_command("seed_demo", skip_checks=True)
    collect_static()


if __name__ == "__main__":
    main()
