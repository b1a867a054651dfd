"""PHP to test with: an installed one, else the system's package."""

import os
import shutil
import subprocess

import pytest

from tests import debian

PACKAGES = ("php-cli", "php-curl")


def ensure() -> None:
    """Have one, with curl, where packages can be installed."""
    if not _installed() and os.geteuid() == 0 and shutil.which("apt-get"):
        debian.install(*PACKAGES)


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
