"""The two words and the picture by which a friend knows who asks."""

import re

import pytest
from django.test import Client
from django.utils import translation

from friendpay.kit import ids, limits
from payments.share import safety_words
from tests import shop
from tests.pages import words

LISTS = sorted(safety_words.WORDS.glob("*.txt"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_list_has_a_word_of_its_own_for_each_meaning(path: object) -> None:
    found = safety_words._words(path.stem)  # type: ignore[attr-defined]
    assert len(found) == len(set(found)) == limits.SAFETY_WORDS
    assert all(word and word == word.strip() for word in found)


def test_the_same_request_looks_the_same_in_every_language() -> None:
    token = ids.token()
    with translation.override("en"):
        english = safety_words.of(token)
    with translation.override("zh-hans"):
        chinese = safety_words.of(token)
    with translation.override("sw"):
        unlisted = safety_words.of(token)
    places = [safety_words._words("en").index(word) for word in english.words]
    assert [safety_words._words("zh-hans").index(word) for word in chinese.words] == places
    assert english.drawing == chinese.drawing
    assert set(unlisted.words) <= set(safety_words._words("en"))


def test_requests_do_not_look_alike() -> None:
    seen = {(one.words, one.drawing) for one in (safety_words.of(ids.token()) for _ in range(300))}
    assert len(seen) > 295
    assert all(first != second for (first, second), _drawing in seen)


def test_nobody_works_it_out_without_our_secret(settings: object) -> None:
    tokens = [ids.token() for _ in range(20)]
    ours = [safety_words.of(token) for token in tokens]
    settings.DIGEST_KEY = "another"  # type: ignore[attr-defined]
    assert [safety_words.of(token) for token in tokens] != ours


@pytest.mark.django_db
def test_buyer_and_friend_see_the_same_words_and_picture(client: Client) -> None:
    payment_request = shop.make_request()
    pages = [client.get(f"/p/{payment_request.token}/"), client.get(f"/checkout/{payment_request.order.token}/")]
    alike = safety_words.of(payment_request.token)
    drawn = [re.findall(r'<svg class="safety-picture".*?</svg>', page.content.decode()) for page in pages]
    assert drawn[0] == drawn[1] == [alike.svg]
    assert all(alike.text in words(page) for page in pages)
    assert "Lin's screen shows the same two words" in words(pages[0])
