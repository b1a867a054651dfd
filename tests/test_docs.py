"""The documents name what is there, and all of it. (`tests/test_guides.py` runs what they say to type.)

Settings are compared in tests/friendpay/test_settings.py, event types in tests/orders/webhooks/test_docs.py, codes of
errors in tests/friendpay/api/test_description.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Model
from django.test import Client
from django.utils.translation import get_language_info, to_locale
from pytest_django.fixtures import Settings

from orders import events
from orders.models import Order, WebhookDelivery
from payments import heartbeats
from payments.models import Dispute, Payment, PaymentRequest, Refund
from payments.settlement import rules
from payments.wallets import registry

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
OF_THE_CODE = [path for path in DOCUMENTS if path.name not in ("CHANGELOG.md", "README.md", "SECURITY.md")]
APPS = ("friendpay", "orders", "payments", "sandbox")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
FILE = re.compile(r"[\w<>*-]+(?:\.[\w<>*-]+)*\.(?:py|md|html|css|js|txt|po|toml|svg|conf|ttf)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words(document: Path) -> list[str]:
    """What stands in code type within sentences and tables."""
    return CODE.findall(re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL))


def table(document: str, heading: str = "") -> Iterator[list[str]]:
    """The rows of the first table of a document, or of the one under a heading, a list of cells each."""
    text = (ROOT / document).read_text("utf-8")
    text = text.split(f"## {heading}\n")[1] if heading else text
    lines = re.findall(r"((?:^\|.*\n)+)", text, re.MULTILINE)[0].splitlines()
    yield from ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    found = LINK.findall(document.read_text("utf-8"))
    assert [to for to in found if not (document.parent / to).exists()] == []


@pytest.mark.parametrize("document", OF_THE_CODE, ids=named)
def test_every_file_and_folder_that_is_named_is_there(document: Path) -> None:
    """`<name>` stands for any; a file may be named by the end of its path."""
    missing = []
    for word in words(document):
        place = re.sub(r"<\w+>", "*", word.split("::")[0])
        if place.startswith(("/", "PUBLIC_URL", "http")) or not re.fullmatch(r"[\w./*-]+", place):
            continue
        folder = "/" in place and (place.endswith("/") or place.split("/")[0] in APPS)
        if not folder and not FILE.fullmatch(Path(place).name):
            continue
        homes = [ROOT / top for top in (*APPS, "tests", "templates")]
        there = any(ROOT.glob(place.rstrip("/"))) or (not folder and any(any(home.rglob(place)) for home in homes))
        if not there:
            missing.append(word)
    assert missing == []


def test_every_name_in_the_code_that_the_architecture_gives_is_there() -> None:
    """`module.name` and `Class.name`."""
    sources = {path: path.read_text("utf-8") for app in APPS for path in (ROOT / app).rglob("*.py")}
    missing = []
    for word in words(ROOT / "ARCHITECTURE.md"):
        if not re.fullmatch(r"[\w.]+\.\w+", word) or FILE.fullmatch(word) or word in events.TYPES:
            continue
        owner, name = word.split(".")[-2:]
        inside = [text for path, text in sources.items() if path.stem == owner or f"class {owner}" in text]
        if not any(re.search(rf"^\s*(?:(?:async )?def |class )?{name}\b", text, re.MULTILINE) for text in inside):
            missing.append(word)
    assert missing == []


def test_the_architecture_names_every_room_and_no_other() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Rooms\n")[1].split("\n## ")[0]
    listed: set[str] = set()
    top = ""
    for indent, line in re.findall(r"^( {4,6})(\w+/.*)$", plan, re.MULTILINE):
        found = re.findall(r"(\w+)/", re.findall(r"(?:\w+/ {0,2})+", line)[0])
        if len(indent) == 4:
            top = found[0]
            listed |= {top}
        else:
            listed |= {f"{top}/{name}" for name in found}
    tops = {path.parent for path in ROOT.glob("*/__init__.py")}
    rooms = {room.parent for app in APPS for room in (ROOT / app).glob("*/__init__.py")}
    there = {named(path) for path in tops | rooms if path.name not in ("migrations", "management")}
    assert there <= listed
    assert [room for room in sorted(listed) if not (ROOT / room).is_dir()] == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    """So that `.env.example`, which is compared with them, leaves none out."""
    modules = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    readers = [path for path in modules if re.search(r"\benv\.\w+\(\s*\"[A-Z]", path.read_text("utf-8"))]
    assert [named(path) for path in readers] == ["friendpay/settings.py"]


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("Order", Order),
        ("Payment request", PaymentRequest),
        ("Payment", Payment),
        ("Refund", Refund),
        ("Dispute", Dispute),
        ("Webhook delivery", WebhookDelivery),
    ],
)
def test_every_status_is_explained_with_what_it_can_become(heading: str, model: type[Model]) -> None:
    becomes = {row[0].strip("`"): re.findall(r"`(\w+)`", row[2]) for row in table("docs/statuses.md", heading)}
    field = model._meta.get_field("status")
    assert list(becomes) == [value for value, _label in field.choices or ()]  # type: ignore[union-attr]
    if moves := rules.MOVES.get(model):
        assert {status: next for status, next in becomes.items() if next} == {
            str(status): [str(one) for one in after] for status, after in moves.items()
        }


def test_every_language_is_listed_and_has_all_it_needs() -> None:
    rows = {row[0].strip("`"): row[1:] for row in table("docs/languages.md")}
    assert {code: row[0] for code, row in rows.items()} == dict(settings.LANGUAGES)
    assert tuple(code for code, row in rows.items() if row[2] == "desk") == settings.STAFF_LANGUAGES
    for code, (_name, start, _desk) in rows.items():
        assert start == ("right" if get_language_info(code)["bidi"] else "left")
        catalog = ROOT / "locale" / to_locale(code) / "LC_MESSAGES" / "django.po"
        if code != "en-gb":  # the words of "en", with other dates and amounts
            assert (ROOT / "payments" / "share" / "words" / f"{code}.txt").exists()
            assert code == settings.LANGUAGE_CODE or catalog.exists()


@pytest.mark.django_db
def test_every_metric_is_listed_with_its_labels(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token for metrics"
    heartbeats.sign("calls")
    heartbeats.note_ledger(0)
    told = client.get("/metrics", headers={"Authorization": "Bearer a token for metrics"}).content.decode()
    rows = {row[0].strip("`"): row for row in table("docs/metrics.md")}
    assert set(rows) == set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    for metric, label, value in re.findall(r'^(\w+)\{(\w+)="(\w+)"\}', told, re.MULTILINE):
        assert rows[metric][1] == f"`{label}`"
        assert label not in ("work", "reason") or f"`{value}`" in rows[metric][2]


def test_every_recipe_is_led_to() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [named(path) for path in ROOT.glob("docs/recipes/*.md") if named(path) not in text] == []


def said(currencies: frozenset[str] | None) -> str:
    if currencies is None:
        return "any"
    return ", ".join(sorted(currencies)) if len(currencies) <= 20 else f"{len(currencies)} of them"


def wallet_rows() -> Iterator[list[str]]:
    """What each wallet says of itself."""
    for name in registry.NAMES:
        wallet = registry.get(name)
        for method in wallet.methods:
            places = (method.rails or {"any screen": wallet.rails[:1]}).items()
            yield [
                wallet.label,
                f"`{method.name}`" + (", where granted" if method.by_choice else ""),
                said(method.currencies),
                "; ".join(f"{place}: {', '.join(f'`{rail}`' for rail in rails)}" for place, rails in places),
                f"{wallet.hold // 60} minutes",
                ", ".join(f"`{grant}`" for grant in wallet.grants if grant != method.name and len(wallet.methods) == 1),
            ]


def test_every_wallet_is_listed_with_what_it_says_of_itself() -> None:
    found = {row[1]: row for row in table("docs/wallets/README.md")}
    for row in wallet_rows():
        assert found.pop(row[1]) == row
    assert found == {}
