"""Thousands of calls made from the API's own description, to the server as bin/up starts it: none fails, and none is
answered otherwise than described.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import KEY, Stack, pay, started

pytestmark = pytest.mark.proof

HERE = Path(__file__).resolve().parent
EXAMPLES = 40  # of each operation; more calls come from what the description names, and from following its links
LEAST = 2000


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo with a little behind it, for callers in a hurry."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("API_CALLS_PER_SECOND", "100000")
        with started(tmp_path_factory.mktemp("busy")) as stack:
            for number, split in enumerate([None, {"max_payers": 3}, {"max_payers": 5, "min_amount": 100}]):
                order = stack.order(f"BUSY-{number}")
                asked = stack.api(f"/orders/{order['id']}/payment-requests", {"split": split} if split else {})
                pay(asked["url"], **({"amount": "40.00"} if split else {}))
            yield stack


def test_the_api_does_what_its_description_says(busy: Stack, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    paid = a_paid_order(busy)
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"{busy.address}/api/v1/openapi.json",
            f"--url={busy.address}",
            f"--header=Authorization: Bearer {KEY}",
            "--checks=all",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--generation-deterministic",
            "--continue-on-failure",
            "--suppress-health-check=all",
            "--request-timeout=60",
            f"--report-json-path={report}",
            "--no-color",
        ],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE), "PAID_ORDER": paid},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    told = json.loads(report.read_text())
    assert told["test_cases"]["generated"] >= LEAST
    assert {phase["status"] for phase in told["phases"].values()} == {"success"}
    assert told["operations"]["tested"] == told["operations"]["total"]
    assert told["filtered"] == 0
    assert happened(busy) >= {"order.paid", "payment_request.created", "refund.requested"}, "it never got that far"


def a_paid_order(stack: Stack) -> str:
    """The wallet's word arrives a moment after the payment."""
    for _second in range(120):
        for order in stack.api("/orders")["data"]:
            if order["status"] == "paid":
                return str(order["id"])
        time.sleep(1)
    raise AssertionError("nothing was paid")


def happened(stack: Stack) -> set[str]:
    """The types of all events."""
    types, after, more = set[str](), "", True
    while more:
        page = stack.api(f"/events?limit=100{after}")
        types |= {event["type"] for event in page["data"]}
        after, more = f"&after={page['data'][-1]['id']}", page["has_more"]
    return types
