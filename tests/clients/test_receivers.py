"""Every receiver of ours believes the same messages: tests/vectors/webhooks.json."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from friendpay_client import WebhookRefused, webhooks

from orders.webhooks import signing
from tests import php

ROOT = Path(settings.BASE_DIR)
CASES: list[dict[str, Any]] = json.loads((ROOT / "tests/vectors/webhooks.json").read_text("utf-8"))["cases"]
NAMES = [case["name"] for case in CASES]
WANTED = {case["name"]: case["verified"] for case in CASES}


def test_the_first_is_signed_as_friendpay_signs() -> None:
    first = CASES[0]
    moment = datetime.fromtimestamp(first["now"], UTC)
    assert first["headers"] == signing.headers([first["secret"]], "evt_1", moment, first["body"])


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_python_client(case: dict[str, Any]) -> None:
    try:
        webhooks.verify(case["body"].encode(), case["headers"], case["secret"], now=case["now"])
    except WebhookRefused:
        assert not case["verified"]
    else:
        assert case["verified"]


def test_the_snippet_for_php(tmp_path: Path) -> None:
    [snippet] = re.findall(r"^```php\n(.*?)^```", (ROOT / "docs/webhooks.md").read_text("utf-8"), re.M | re.S)
    assert believed(snippet, tmp_path) == WANTED


def believed(snippet: str, folder: Path) -> dict[str, bool]:
    """By the name of each case, whether `verified` takes it; its clock is the case's."""
    (folder / "cases.json").write_text(json.dumps(CASES))
    (folder / "try.php").write_text(f"""<?php
namespace Receiver;
function time(): int {{ return $GLOBALS['now']; }}
{snippet}
foreach (json_decode(file_get_contents(__DIR__ . '/cases.json'), true) as $case) {{
    $now = $case['now'];
    [$id, $time, $signatures] = array_values($case['headers']);
    $event = verified($case['body'], $id, $time, $signatures, $case['secret']);
    $told[$case['name']] = $event !== null && $event['data']['reference'] === '茶-1';
}}
echo json_encode($told);
""")
    ran = subprocess.run([php.program(), "try.php"], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told: dict[str, bool] = json.loads(ran.stdout)
    return told
