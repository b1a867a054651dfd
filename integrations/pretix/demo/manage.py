"""pretix's own commands, in the demo's folder: `manage.py runperiodic`."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def settle_in(data: str = "", address: str = "") -> None:
    """The demo's settings, before Django reads any."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    os.environ.setdefault("PRETIX_PRETIX_DATADIR", data or str(HERE / "data"))
    os.environ.setdefault("PRETIX_PRETIX_URL", address or "http://127.0.0.1:8345")
    os.environ.setdefault("PRETIX_PRETIX_ECB_RATES", "off")
    sys.path.insert(0, str(HERE))


if __name__ == "__main__":
    settle_in()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
