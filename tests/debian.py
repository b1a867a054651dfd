"""Programs of the system that tests run: installed where the system's packages can be."""

import os
import shutil
import subprocess
from functools import cache

import pytest


def ensure(program: str, *packages: str) -> None:
    """Have `program`, from these packages. Where that cannot be, the test that needs it says what is missing."""
    if shutil.which(program, path=SEARCHED) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install(*packages)


def install(*packages: str) -> None:
    print(f"\n== installing {', '.join(packages)}", flush=True)
    _update()
    _apt("install", "-y", "-qq", "--no-install-recommends", *packages)


def program(name: str, *packages: str) -> str:
    """Its path; the test that asks fails where there is none."""
    ensure(name, *packages)
    found = shutil.which(name, path=SEARCHED)
    if found is None:
        pytest.fail(f"{name} is missing: install {' '.join(packages)}")
    return found


SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@cache
def _update() -> None:
    _apt("update", "-qq")


def _apt(*words: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *words], env=quiet, check=False)
