"""What the documents say to type works as it stands there."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.browser.conftest import KEY, Stack, stack  # noqa: F401  # bin/up, as the documents have it

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
    return [block for block in [*indented, *fenced] if "curl " in block]


@pytest.mark.parametrize(("document", "section"), [("README.md", "Integrate")])
def test_the_commands_of_the_document_lead_to_a_paid_order(document: str, section: str, stack: Stack) -> None:  # noqa: F811
    (shell,) = blocks(document, section)
    assert ADDRESS in shell
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell.replace(ADDRESS, stack.address)],
        env={"PATH": os.environ["PATH"], "FRIENDPAY_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert '"reference":"A-1001"' in ran.stdout
    assert '"amount_paid":9000' in ran.stdout


@pytest.mark.parametrize(
    "document", sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_every_link_leads_somewhere(document: str) -> None:
    missing = [to for to in LINK.findall((ROOT / document).read_text()) if not ((ROOT / document).parent / to).exists()]
    assert missing == []
