"""What lies between running servers and serving pages. Safe to repeat at every start."""

import hashlib
import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent


def compile_messages() -> None:
    """Make each translation that changed readable for gettext, without gettext's own programs."""
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            unfinished = target.with_suffix(f".{os.getpid()}")
            with source.open("rb") as po, unfinished.open("wb") as mo:
                write_mo(mo, read_po(po))
            unfinished.replace(target)


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

    compile_messages()
    django.setup()
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    call_command("seed_demo", skip_checks=True)
    collect_static()


if __name__ == "__main__":
    main()
