"""What the documents say to type works as it stands there."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.browser.conftest import KEY, Stack, stack  # noqa: F401  # bin/up, as the documents have it

pytestmark = pytest.mark.proof

ROOT = Path(settings.BASE_DIR)
ADDRESS = "http://127.0.0.1:8000"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(document: str, under: str = "") -> list[str]:
    """The shell of a document, or of one of its sections: what is indented or fenced, and calls curl."""
    text = (ROOT / document).read_text()
    if under:
        text = text.partition(f"\n## {under}\n")[2].partition("\n## ")[0]
    indented = re.findall(r"(?:^(?: {4}.*|[ \t]*)\n)+", text, re.MULTILINE)
    fenced = re.findall(r"^```(?:sh|bash|shell)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for block in [*indented, *fenced] if "curl " in block or "KEY=" in block]


def run(shell: str, address: str) -> str:
    """What the commands print; all of them must succeed."""
    assert "..." not in shell
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell.replace(ADDRESS, address)],
        env={"PATH": os.environ["PATH"], "FRIENDPAY_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
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
        time.monotonic() + 60,
    )
    while paid not in said and time.monotonic() < end:
        said = run(look.replace("ord_...", order["id"]), stack.address)
    assert paid in said
    assert '"type":"order.paid"' in said


def pay(link: str) -> None:
    """As a friend does, with the sandbox wallet."""
    proof = "0" * 32
    with httpx.Client(cookies={"csrftoken": proof}, timeout=20) as friend:
        begun = friend.post(f"{link}pay/", data={"csrfmiddlewaretoken": proof, "method": "sandbox"})
        friend.post(begun.headers["Location"], data={"csrfmiddlewaretoken": proof, "action": "approve"})


@pytest.mark.parametrize(
    "document", sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_every_link_leads_somewhere(document: str) -> None:
    missing = [to for to in LINK.findall((ROOT / document).read_text()) if not ((ROOT / document).parent / to).exists()]
    assert missing == []
