"""Where each real shop is installed: once, by whichever test wants it first, or, as a program, all of them beforehand.

    python -m tests.integrations.environments

An installation waits for the network more than it works, so `bin/test` begins it while other tests run.
"""

from pathlib import Path

from friendpay.demo.bootstrap import ROOT
from tests.integrations import stand

PACKAGES = stand.INTEGRATIONS
NODE_CLIENT = ROOT / "clients" / "node"


def oscar() -> Path:
    """Its Python."""
    package = PACKAGES / "django-oscar"
    return stand.python_environment("oscar", package / "requirements.txt", stand.CLIENT, package)


def pretix() -> Path:
    """Its Python."""
    package = PACKAGES / "pretix"
    return stand.python_environment("pretix", package / "requirements.txt", stand.CLIENT, package)


def medusa() -> Path:
    """The folder of its `node_modules`."""
    package = PACKAGES / "medusa"
    folder = stand.node_environment("medusa", package / "shop")
    stand.built(folder, [*stand.node(), str(package / "pack.mjs"), str(folder), "--link"], package, NODE_CLIENT)
    return folder


if __name__ == "__main__":
    for install in (medusa, pretix, oscar):
        install()
