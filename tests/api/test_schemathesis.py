"""Thousands of calls made from the API's own description: none fails, none is answered otherwise than described."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from payments.models import Refund
from tests.caller import Caller

pytest.importorskip("schemathesis")

HERE = Path(__file__).resolve().parent
SECONDS = 40


@pytest.mark.django_db(transaction=True)
def test_the_api_does_what_its_description_says(live_server: Any, settings: Any, tmp_path: Path) -> None:
    settings.API_CALLS_PER_SECOND = 100_000
    caller = Caller()
    for split in (None, {"max_payers": 3}, {"max_payers": 5, "min_amount": 100}):
        caller.paid(4000 if split else None, **({"split": split} if split else {}))
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"{live_server.url}/api/v1/openapi.json",
            f"--url={live_server.url}",
            f"--header=Authorization: Bearer {caller.key}",
            "--checks=all",
            f"--max-time={SECONDS}",
            "--continue-on-failure",
            "--no-color",
        ],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS + 60,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert Refund.objects.filter(reason="merchant").exists(), "it never got as far as a refund"
