"""What a friend's phone has to load: little, at once, and from nobody else."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests import shop

pytestmark = pytest.mark.django_db

STATIC = Path(settings.BASE_DIR) / "static"
LINKED = re.compile(r'<(?:link|script|img|source|iframe)\b[^>]*?\b(?:href|src|srcset)="([^"]+)"')
SCRIPTS = re.compile(r'<script type="module" src="([^"]+)"')
IMPORTED = re.compile(r'^(?:import|export)\b[^"]*"(\.[^"]+)"', re.MULTILINE)


@pytest.fixture
def page(client: Client) -> str:
    payment_request = shop.make_request()
    return client.get(f"/p/{payment_request.token}/").content.decode()


def packed(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def on_disk(address: str) -> bytes:
    return (STATIC / address.removeprefix(f"/{settings.STATIC_URL.strip('/')}/")).read_bytes()


def modules(start: Path) -> set[Path]:
    """A module, and all it imports."""
    found, left = set(), [start]
    while left:
        module = left.pop().resolve()
        if module not in found:
            found.add(module)
            left += [module.parent / name for name in IMPORTED.findall(module.read_text())]
    return found


def test_page_and_style_fit_into_the_first_round_of_packets(page: str) -> None:
    style = (STATIC / "style.css").read_bytes()
    assert packed(page.encode()) + packed(style) <= 14 * 1024


def test_all_that_is_loaded_is_small_and_ours(page: str) -> None:
    addresses = set(LINKED.findall(page))
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses), addresses
    files = {address for address in addresses if address.startswith("/static/")}
    assert len(files) > 5
    assert packed(page.encode()) + sum(packed(on_disk(address)) for address in files) <= 30 * 1024


def test_no_module_is_found_late_and_none_needs_another(page: str) -> None:
    known = {STATIC.resolve() / address.removeprefix("/static/") for address in LINKED.findall(page)}
    scripts = {STATIC / address.removeprefix("/static/") for address in SCRIPTS.findall(page)}
    assert len(scripts) > 5
    for script in scripts:
        assert modules(script) <= known
    assert {path.name for path in scripts if IMPORTED.findall(path.read_text())} == {"language.js"}


def test_pages_travel_compressed_and_their_length_tells_nothing(client: Client) -> None:
    """A size that differs each time tells nobody how well a guess was repeated on the page."""
    address = f"/p/{shop.make_request().token}/"
    plain = client.get(address)
    answers = [client.get(address, headers={"Accept-Encoding": "gzip, br"}) for _time in range(8)]
    assert not plain.has_header("Content-Encoding")
    assert {answer["Content-Encoding"] for answer in answers} == {"gzip"}
    assert b"</html>" in gzip.decompress(answers[0].content)
    assert len({len(answer.content) for answer in answers}) > 1
    assert "Accept-Encoding" in answers[0]["Vary"]
