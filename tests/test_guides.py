"""What the documents say to type works as it stands there."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.browser.conftest import KEY, Stack, pay, stack  # noqa: F401  # bin/up, as the documents have it

pytestmark = pytest.mark.proof

ROOT = Path(settings.BASE_DIR)
ADDRESS = "http://127.0.0.1:8000"


def section(document: str, title: str) -> str:
    return (ROOT / document).read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def fenced(kind: str, text: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def blocks(document: str, under: str) -> list[str]:
    """The shell of a document's section: what is indented or fenced, and calls curl."""
    text = section(document, under)
    indented: list[str] = re.findall(r"(?:^(?: {4}.*|[ \t]*)\n)+", text, re.MULTILINE)
    return [block for block in [*indented, *fenced("sh", text)] if "curl " in block or "KEY=" in block]


def run(shell: str, address: str) -> str:
    """What the commands print; all of them must succeed."""
    assert "..." not in shell
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell.replace(ADDRESS, address)],
        env={"PATH": os.environ["PATH"], "FRIENDPAY_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_readme_leads_from_nothing_to_a_paid_order_with_curl_alone(stack: Stack) -> None:  # noqa: F811
    (shell,) = blocks("README.md", "Integrate")
    assert ADDRESS in shell
    said = run(shell, stack.address)
    assert '"reference":"A-1001"' in said
    assert '"amount_paid":9000' in said


def test_the_guide_of_the_api_leads_to_a_paid_order(stack: Stack) -> None:  # noqa: F811
    """Whoever follows it puts in a key and the order's id where there are dots, and pays in between."""
    setup, *steps = blocks("docs/api.md", "From nothing to a paid test order")
    setup = setup.replace("sk_test_...", KEY)
    place, ask, look = [setup + step.replace("A-1001", "A-2001") for step in steps]
    order = json.loads(run(place, stack.address))
    asked = json.loads(run(ask.replace("ord_...", order["id"]), stack.address))
    pay(asked["url"])
    paid, said, end = (
        f'"id":"{order["id"]}","reference":"A-2001","live":false,"status":"paid"',
        "",
        time.monotonic() + 300,
    )
    while paid not in said and time.monotonic() < end:
        said = run(look.replace("ord_...", order["id"]), stack.address)
    assert paid in said
    assert '"type":"order.paid"' in said


@pytest.fixture
def generated(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:  # noqa: F811
    """The names the guide's program ends with. It has asked a friend by then."""
    guide = section("docs/api.md", "A client in your language").replace(ADDRESS, stack.address)
    [generate], [program] = fenced("sh", guide), fenced("python", guide)
    install, command = generate.splitlines()
    assert install == "pip install openapi-python-client"  # which requirements-dev.in does here
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        [*command.split(), "--fail-on-warning"],
        cwd=tmp_path,
        env={**os.environ, "PATH": tools},
        check=True,
        timeout=300,
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "friendpay_client"]:
        monkeypatch.delitem(sys.modules, name)  # ours has the same name
    names: dict[str, Any] = {}
    exec(program.replace("sk_test_...", KEY).replace("A-1001", "A-3001"), names)
    yield names
    for name in [name for name in sys.modules if name.partition(".")[0] == "friendpay_client"]:
        del sys.modules[name]


def test_a_generated_client_asks_sees_it_paid_and_refunds(generated: dict[str, Any]) -> None:
    models = import_module("friendpay_client.models")
    caller, order, asked = (generated[name] for name in ("client", "order", "asked"))
    assert (order.status, order.amount, asked.message) == ("awaiting_payment", 9000, "Please!")
    again = call("payment_requests.create_payment_request")(order.id, client=caller, body=models.PaymentRequestIn())
    assert isinstance(again, models.Problem)
    assert again.code == "request_open"

    pay(asked.url)
    assert becomes("paid", lambda: call("orders.get_order")(order.id, client=caller).status)
    [payment] = call("payment_requests.get_payment_request")(asked.id, client=caller).payments
    assert (payment.status, payment.amount_applied) == ("succeeded", 9000)

    once = {"client": caller, "body": models.RefundIn(amount=1000), "idempotency_key": "refund-1"}
    first, second = (call("refunds.refund_payment")(payment.id, **once) for _ in range(2))
    assert first == second
    assert becomes("succeeded", lambda: call("refunds.get_refund")(first.id, client=caller).status)
    assert call("orders.get_order")(order.id, client=caller).amount_refunded == 1000


def call(operation: str) -> Callable[..., Any]:
    function: Callable[..., Any] = import_module(f"friendpay_client.api.{operation}").sync
    return function


def becomes(wanted: str, look: Callable[[], str]) -> bool:
    """Whether it turns so by itself."""
    end = time.monotonic() + 120
    while look() != wanted and time.monotonic() < end:
        time.sleep(0.1)
    return bool(look() == wanted)
