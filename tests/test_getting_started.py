"""docs/getting-started.md, as it stands there: each language's shop comes to a paid order, and gives the money back."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests import php
from tests.browser.conftest import KEY, Stack, pay, stack  # noqa: F401  # bin/up, as the documents have it
from tests.clients.build import CLIENTS
from tests.peers import fetched
from tests.ports import free_port

pytestmark = pytest.mark.proof

GUIDE = (Path(settings.BASE_DIR) / "docs" / "getting-started.md").read_text("utf-8")


def program(language: str, port: int) -> str:
    """The one program in this language, with its webhooks at another port."""
    [text] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    text, changed = re.subn(r"\b424[2-4]\b", str(port), text)
    assert changed
    return text


@contextmanager
def running(command: list[str], folder: Path, address: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CLIENTS / "python"),
        "FRIENDPAY_KEY": KEY,
        "FRIENDPAY_URL": address,
    }
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    patience = threading.Timer(300, process.kill)
    patience.start()
    try:
        yield process
    finally:
        patience.cancel()
        process.kill()
        process.wait(60)


def said(process: "subprocess.Popen[str]", words: str) -> str:
    """Its next line with these words."""
    heard = []
    assert process.stdout is not None
    for line in process.stdout:
        heard.append(line)
        if words in line:
            return line.strip()
    pytest.fail(f"it never said {words}:\n{''.join(heard)}")


def leads_to_a_refund(telling: "subprocess.Popen[str]", link: str, stack: Stack) -> None:  # noqa: F811
    pay(link)
    reference = said(telling, "order.paid").split()[-1]
    assert said(telling, "order.refunded").endswith(f"order.refunded {reference}")
    [order] = stack.api(f"/orders?reference={reference}")["data"]
    assert (order["status"], order["amount_paid"], order["amount_refunded"]) == ("paid", 9600, 9600)


def test_getting_started_in_python(stack: Stack, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "shop.py").write_text(program("python", free_port()))
    with running([sys.executable, "shop.py"], tmp_path, stack.address) as shop:
        leads_to_a_refund(shop, said(shop, "Open ").removeprefix("Open "), stack)


def test_getting_started_in_node(stack: Stack) -> None:  # noqa: F811
    folder = fetched.node_client()
    (folder / "shop.mjs").write_text(program("js", free_port()))
    with running([*fetched.node()[0], "shop.mjs"], folder, stack.address) as shop:
        leads_to_a_refund(shop, said(shop, "Open ").removeprefix("Open "), stack)


def test_getting_started_in_php(stack: Stack, tmp_path: Path) -> None:  # noqa: F811
    port = free_port()
    (tmp_path / "shop.php").write_text(program("php", port))
    with running([php.program(), "shop.php"], tmp_path, stack.address) as placing:
        link = said(placing, "Open ").removeprefix("Open ")
    with running([php.program(), "-S", f"127.0.0.1:{port}", "shop.php"], tmp_path, stack.address) as shop:
        said(shop, "started")
        leads_to_a_refund(shop, link, stack)
