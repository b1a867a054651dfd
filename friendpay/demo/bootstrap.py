"""The virtual environment, made by whatever Python there is: standard library only, in syntax an old Python reads."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def check_python() -> None:
    """Go on in a Python that is new enough, or say that there is none."""
    if sys.version_info < (3, 11):  # noqa: UP036  # what runs this may be any Python
        for minor in (14, 13, 12, 11):
            newer = shutil.which(f"python3.{minor}")
            if newer:
                os.execv(newer, [newer] + sys.argv)
        sys.exit(f"friendpay needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}.")


def inside() -> bool:
    """Whether this process runs in the virtual environment."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def ready(*requirements: str) -> bool:
    """Whether everything these files name was installed."""
    return PYTHON.exists() and all(_stamp(name).exists() for name in requirements)


def enter(*requirements: str) -> None:
    """Go on inside the virtual environment, with everything these files name installed; that may take a minute."""
    if not ready(*requirements):
        install(*requirements)
    if not inside():
        os.execv(str(PYTHON), [str(PYTHON)] + sys.argv)


def _stamp(name: str) -> Path:
    """A file that is there once the requirements, as they read now, were installed."""
    content = hashlib.sha256((ROOT / name).read_bytes()).hexdigest()[:16]
    return VENV / f".{name}-{content}"


def install(*requirements: str) -> None:
    """Install everything these files name into the virtual environment, which is made where there is none."""
    VENV.mkdir(exist_ok=True)
    with (VENV / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another start may be at it
        if ready(*requirements):
            return
        print("Installing what friendpay needs into .venv. This is done once, and takes about a minute.", flush=True)
        if not (VENV / ".made").exists() or not PYTHON.exists():
            make = [sys.executable, "-m", "venv", str(VENV)]
            _run(make, "This Python brings no venv; on Debian: apt install python3-venv")
            (VENV / ".made").touch()
        pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        for name in requirements:
            # The files name every package there is to install, so that nothing is left to resolve.
            _run([*pip, "-r", str(ROOT / name)], "Is there a connection to PyPI?")
            for old in VENV.glob(f".{name}-*"):
                old.unlink()
            _stamp(name).touch()


def _run(command: "list[str]", hint: str) -> None:
    if subprocess.run(command).returncode:
        sys.exit("friendpay: the virtual environment could not be made. " + hint)
