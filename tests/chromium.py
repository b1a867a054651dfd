"""A browser to test with: an installed one, else the system's package, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    """Where the system has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def ensure() -> None:
    """Have one, whatever it takes. Without any the browser tests say what is missing."""
    if installed() or _downloaded():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("\n== installing chromium", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], env=quiet, check=False
        )
    if not installed():
        print("\n== downloading chromium", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _downloaded() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()
