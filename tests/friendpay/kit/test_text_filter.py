"""What strangers may write: ordinary texts in all seventeen languages, and texts that lead elsewhere."""

from pathlib import Path

import pytest

from friendpay.kit import text_filter
from friendpay.kit.errors import Refused

TEXTS = Path(__file__).parents[2] / "texts"
ORDINARY = (TEXTS / "ordinary.txt").read_text(encoding="utf-8").splitlines()
CONTACT = (TEXTS / "contact.txt").read_text(encoding="utf-8").splitlines()


def refused(text: str) -> bool:
    try:
        text_filter.check(text)
    except Refused:
        return True
    return False


def test_ordinary_messages_pass() -> None:
    assert len(ORDINARY) >= 300
    assert [text for text in ORDINARY if refused(text)] == []


def test_whatever_leads_elsewhere_is_refused() -> None:
    assert len(CONTACT) >= 180
    assert [text for text in CONTACT if not refused(text)] == []


@pytest.mark.parametrize(
    "text", ["Z" + "\u0351" * 8 + "algo", "a\u0301\u0302\u0303\u0304\u0306", "\u0e01" + "\u0e49" * 9]
)
def test_stacked_marks_are_refused_and_what_a_shop_sends_is_thinned(text: str) -> None:
    with pytest.raises(Refused, match="unreadable"):
        text_filter.check(text)
    assert not text_filter._stacked(text_filter.line(text))
    assert text_filter.line("Nguyễn Thị Phượng") == "Nguyễn Thị Phượng"
    assert text_filter.line("ज़िन्दगी") == "ज़िन्दगी"


@pytest.mark.parametrize(
    "name",
    [
        "Verified shop", "Official Support", "官方客服", "✅ Lin", "✓Lin", "проверенный",
        "Shop support", "Admin", "WeChat Pay", "支付宝", "Служба поддержки", "خدمة العملاء", "고객센터", "サポート",
        "ग्राहक सेवा", "Kundendienst", "Service client", "Atendimento", "Layanan Pelanggan", "System",
        "Lin 🔒", "Lin ᴠᴇʀɪꜰɪᴇᴅ", "vеrifiеd",
    ],
)  # fmt: skip
def test_a_name_claims_no_office(name: str) -> None:
    with pytest.raises(Refused):
        text_filter.check_name(name)


@pytest.mark.parametrize(
    "name", ["Melissa Bank", "Rasmi رسمي", "Resmi", "김운영", "Admir", "Dr. Weber", "Anna & Tom", "王官", "Lin ⭐"]
)
def test_a_name_is_a_name(name: str) -> None:
    text_filter.check_name(name)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Lin", "Lin"),
        ("  Lin \n Wang\t", "Lin Wang"),
        ("Li\u200bn\u202e", "Lin"),
        ("Lin ✔", "Lin"),
        ("Lin 13800138000", "Lin"),
        ("Lin t.me/lin", "Lin"),
        ("evil.com", ""),
        ("\u200b\u3164", ""),
        ("محمد عبد الله", "محمد عبد الله"),
        ("Renée O'Neill-Šmíd", "Renée O'Neill-Šmíd"),
        ("👨‍👩‍👧 Wang", "👨‍👩‍👧 Wang"),
    ],
)
def test_a_shops_name_for_a_buyer_is_made_harmless(sent: str, shown: str) -> None:
    assert text_filter.name(sent) == shown


def test_long_texts_are_judged_at_once() -> None:
    harmless = ("a." * 100, "a b " * 50, "." * 200, "加" * 200, "@" * 200, "w e " * 50)
    assert [text for text in harmless if text_filter._contact(text)] == []
    numbers = ("1 " * 100, "one " * 50)
    assert all(text_filter._contact(text) for text in numbers)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("up\r\n\r\nthere", "up\n\nthere"),
        ("up" + "\n" * 190 + "down", "up\n\ndown"),
        ("up" + "\r" * 190 + "down", "up\n\ndown"),
        ("up" + "\n \u3000\t" * 60 + "\ndown", "up\n\ndown"),
        ("\n".join("abcdefghijkl"), "a\nb\nc\nd\ne\nf\ng\nh i j k l"),
        ("a\n\n" * 20, "a\n\na\n\na\n\na\n" + " ".join("a" * 16)),
    ],
)
def test_a_text_is_kept_in_few_lines(typed: str, kept: str) -> None:
    assert text_filter.check(typed) == kept
