"""Share codes: read as people write them, and not to be guessed."""

import random
from urllib.parse import quote

import pytest
from django.test import Client

from friendpay.kit import limits
from payments.models import PaymentRequest
from payments.share import codes
from payments.share.codes import TooManyGuesses
from payments.share.text import link
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db


def wide(text: str) -> str:
    """As a Chinese keyboard types it."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def guesses(count: int) -> list[str]:
    """Codes that could be right, none of which is."""
    chance = random.Random(7)
    return [
        code + codes._check_symbol(code)
        for code in ("".join(chance.choices(codes.ALPHABET, k=7)) for _ in range(count))
    ]


WRONG = "7K3M9QX" + codes._check_symbol("7K3M9QX")  # well-formed, and nobody's


def wrong(network: str, neighbourhood: str = "", *, text: str = WRONG) -> bool:
    """One wrong code; says whether it was turned away unread."""
    try:
        assert codes.look_up(text, network=network, neighbourhood=neighbourhood or network) is None
    except TooManyGuesses:
        return True
    return False


def test_a_code_has_no_characters_that_look_alike_and_fits_its_check() -> None:
    for _ in range(50):
        code = codes.new()
        assert len(code) == 8
        assert not set(code) & set("01ILOUBGSZ")
        assert codes.inside(code) == [code]


def test_one_wrong_character_anywhere_is_noticed() -> None:
    code = codes.new()
    for place, right in enumerate(code):
        for char in set(codes.ALPHABET) - {right}:
            assert codes.inside(code[:place] + char + code[place + 1 :]) == []


@pytest.mark.parametrize(
    "written",
    [
        "7K3M-9QX{}",
        "7k3m9qx{}",
        " 7 K 3 M  9 Q X {} ",
        "7K3M–9QX{}.",
        "代付码：7K3M-9QX{}，谢谢！",
        "BACK CAFE 7k3m-9qx{} PLEASE",
        "code=7K3M-9QX{}\nsee you",
    ],
)
def test_a_code_is_read_however_it_is_written(written: str) -> None:
    code = "7K3M9QX" + codes._check_symbol("7K3M9QX")
    for text in (written.format(code[-1]), wide(written.format(code[-1]).replace("\n", " "))):
        assert code in codes.inside(text)


def test_a_character_read_as_the_one_it_looks_like_is_meant() -> None:
    code = "2568259" + codes._check_symbol("2568259")
    assert codes.inside("zsgBzs9" + code[-1]) == [code]


def test_an_address_that_is_wrong_too_often_has_to_wait_and_others_do_not() -> None:
    payment_request = shop.make_request()
    assert [wrong("here") for _ in range(limits.GUESSES_CALM[0] + 2)] == [False] * limits.GUESSES_CALM[0] + [True] * 2
    with pytest.raises(TooManyGuesses):
        codes.look_up(payment_request.code, network="here", neighbourhood="here")
    assert codes.look_up(payment_request.code, network="there", neighbourhood="there") == payment_request


def test_addresses_of_one_owner_share_a_limit() -> None:
    turned_away = [wrong(f"room {number}", "house") for number in range(limits.GUESSES_CALM[1] + 5)]
    assert turned_away == [False] * limits.GUESSES_CALM[1] + [True] * 5


def test_links_and_right_codes_never_count() -> None:
    payment_request = shop.make_request()
    for _ in range(limits.GUESSES_CALM[1] + 1):
        assert codes.look_up(payment_request.code, network="here", neighbourhood="here") == payment_request
    while not wrong("here"):
        pass
    message = f"Lin asks: https://pay.example/p/{payment_request.token}/ (or code {codes.shown(payment_request)})"
    assert codes.look_up(message, network="here", neighbourhood="here") == payment_request


INVISIBLE = "\u200b\u2060\u00ad\ufeff\ufe0f\u200d\u2066"


@pytest.mark.parametrize("dash", "-‐‑‒–—―−﹘﹣－⁃‧ー〜~·・•_./:")
def test_a_code_is_read_with_any_dash(dash: str) -> None:
    code = codes.new()
    assert codes.inside(f"{code[:4]}{dash}{code[4:]}") == [code]
    assert codes.inside(f"代付码{code[:4]} {dash} {code[4:]}，谢谢") == [code]


def test_characters_that_nobody_sees_do_not_part_a_code_or_a_link() -> None:
    payment_request = shop.make_request()
    assert codes.find(INVISIBLE.join(payment_request.code)) == payment_request
    assert codes.find(f"\u2068Lin\u2069: {INVISIBLE.join(link(payment_request))}") == payment_request
    assert codes.inside("\ufe0f\u20e3".join("7777")) == []
    assert (
        codes.find("".join(f"{char}\ufe0f\u20e3" if char.isdigit() else char for char in payment_request.code))
        == payment_request
    )


def wrapped(address: str) -> list[str]:
    """A link as mail programs, scanners and messengers hand it on."""
    packed = quote(address, safe="")
    token = address.split("/p/")[1]
    v2 = "https-3A__pay.example_p_" + token.replace("/", "_")
    return [
        f"{address[:-12]}\n{address[-12:]}",
        f"{address[:-12]}\r\n> {address[-12:]}",
        f"{address[:-12]}=\r\n{address[-12:]}",
        f"{address[:20]} {address[20:]}",
        f"<{address}>",
        f"[pay]({address})",
        f"「{address}」。",
        f"https://eur01.safelinks.protection.outlook.com/?url={packed}&data=05%7C02%7C&sdata=x&reserved=0",
        f"https://urldefense.com/v3/__{address}__;!!AbC!dEf$",
        f"https://urldefense.proofpoint.com/v2/url?u={v2}&d=DwMFaQ&c=x",
        f"https://urldefense.proofpoint.com/v1/url?u={address}&k=x",
        f"https://linkprotect.cudasvc.com/url?a={packed.lower().replace(token[:-1].lower(), token[:-1])}&c=E,1",
        f"https://www.google.com/url?q={quote(packed, safe='')}&sa=D",
        f"https://l.facebook.com/l.php?u={packed}&h=AT0",
        f"https://clicktime.symantec.com/3abc?u={packed}",
        f"https://ddec1-0-en-ctp.trendmicro.com/wis/clicktime/v1/query?url={packed}&umid=1",
        f"https://c.pc.qq.com/middlem.html?pfurl={packed}",
        f"https://t.me/share/url?url={packed}",
        f"intent://{address[8:]}#Intent;scheme=https;end",
        f'<a href="{address}">pay</a>',
        f"<{address}|Lin>",
        address.replace("/", "\\/"),
        address.replace("/", " / "),
        address.replace(".", "[.]"),
        f"{address[:-12]}\u2028{address[-12:]}",
        f"> > {address[:-12]}\n> > {address[-12:]}",
        f"\u202e{address}\u202c",
        wide(address),
    ]


def test_a_link_is_read_however_it_was_handed_on() -> None:
    payment_request = shop.make_request()
    for text in wrapped(link(payment_request)):
        assert codes.find(f"Lin schrieb:\n{text}\nDanke!") == payment_request, text


def test_what_could_never_be_a_code_costs_no_guess(client: Client) -> None:
    payment_request = shop.make_request()
    mistyped = (
        payment_request.code[:-1]
        + codes.ALPHABET[(codes.ALPHABET.index(payment_request.code[-1]) + 1) % len(codes.ALPHABET)]
    )
    for text in ("hello", "", "https://pay.example/p/", f"/p/{'A' * 24}/", mistyped, "7K3M", "x" * 30_000):
        for _time in range(limits.GUESSES_CALM[0]):
            assert codes.look_up(text, network="here", neighbourhood="here") is None
    assert codes.look_up(payment_request.code, network="here", neighbourhood="here") == payment_request


def test_each_code_of_one_text_is_a_guess() -> None:
    assert not wrong("here", text=" ".join(guesses(3)))
    assert [wrong("here") for _time in range(limits.GUESSES_CALM[0])].count(False) == limits.GUESSES_CALM[0] - 3


@pytest.mark.proof
def test_ten_thousand_guesses_from_many_addresses_open_nothing_while_a_friend_gets_through() -> None:
    payment_request = shop.make_request()
    refused, looked = 0, 0
    for number, code in enumerate(guesses(10_000)):
        address = number % 2_000
        turned_away = wrong(f"address {address}", f"around {address // 8}", text=code)
        refused, looked = refused + turned_away, looked + (not turned_away)
        if number % 1_000 == 999:
            friend = f"friend {number}"
            assert (
                codes.look_up(codes.shown(payment_request).lower(), network=friend, neighbourhood=friend)
                == payment_request
            )
    assert refused > 8_000
    assert looked < limits.GUESSES_MANY + 250 * limits.GUESSES_SIEGE[1]
    assert PaymentRequest.objects.get().seq == payment_request.seq


def test_who_guesses_is_asked_to_wait_on_the_page(client: Client) -> None:
    payment_request = shop.make_request()
    for text in guesses(limits.GUESSES_CALM[0]):
        assert client.post("/open/", {"text": text}).status_code == 422
    page = client.post("/open/", {"text": payment_request.code})
    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= limits.GUESSES_SECONDS
    assert "too many wrong codes" in words(page)
    assert client.post("/open/", {"text": payment_request.code}, REMOTE_ADDR="127.0.0.9").status_code == 303
    assert client.post("/open/", {"text": f"/p/{payment_request.token}/"}).status_code == 303


def test_a_house_with_many_addresses_of_its_own_is_one_guesser(client: Client) -> None:
    payment_request = shop.make_request()
    for number, text in enumerate(guesses(limits.GUESSES_CALM[1])):
        client.post("/open/", {"text": text}, REMOTE_ADDR=f"2001:db8:7:{number:x}::1")
    assert client.post("/open/", {"text": payment_request.code}, REMOTE_ADDR="2001:db8:7:ffff::1").status_code == 429
    assert client.post("/open/", {"text": payment_request.code}, REMOTE_ADDR="2001:db8:8::1").status_code == 303


def test_every_character_of_a_code_can_be_said_on_the_phone() -> None:
    payment_request = shop.make_request()
    said = codes.spoken(payment_request)
    assert "".join(char for char, _word in said) == payment_request.code
    assert all(str(word).strip() for _sign, word in said)
