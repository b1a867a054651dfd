"""PHP to test with: an installed one, else the system's package."""

import os
import shutil
import subprocess

import pytest

PACKAGES = ("php-cli", "php-curl")


def ensure() -> None:
    """Have one, with curl, where packages can be installed."""
    if _installed() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("\n== installing php", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], env=quiet, check=False)


def program() -> str:
    """How to call it; the test that needs it fails where there is none."""
    ensure()
    if not _installed():
        pytest.fail("PHP 8.1 or newer with curl is missing: install php-cli and php-curl")
    return "php"


def _installed() -> bool:
    if shutil.which("php") is None:
        return False
    asks = "exit(PHP_VERSION_ID >= 80100 && extension_loaded('curl') ? 0 : 1);"
    return subprocess.run(["php", "-r", asks], check=False).returncode == 0
