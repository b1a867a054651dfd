"""Pairing: one consent, one code, once; and nothing for anybody else."""

import base64
import hashlib
import re
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from friendpay.admin_kit import reauthentication
from friendpay.kit import limits
from orders import pairings
from orders.models import ApiKey, Merchant, Pairing, StoredAnswer, WebhookEndpoint
from payments.models import ProviderAccount
from tests import desk, shop
from tests.caller import ORDER, Answer, Caller, fields

pytestmark = pytest.mark.django_db

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
SITE = "https://shop.example"
PROPOSAL: dict[str, Any] = {
    "app": "friendpay for WooCommerce",
    "site": SITE,
    "webhook_url": f"{SITE}/hooks",
    "return_url": f"{SITE}/admin?state=s",
    "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
    "scopes": ["read", "write"],
    "origins": ["https://www.shop.example"],
    "events": ["order.paid"],
}


@pytest.fixture
def program() -> Caller:
    """Without a key."""
    return Caller(key="")


def ask(program: Caller, **changes: object) -> Any:
    answer = program.post("/pairings", PROPOSAL | changes)
    assert answer.status == 201, answer.body
    return answer.json


def page_of(asked: Any) -> str:
    return str(urlsplit(asked["url"]).path)


def consent(client: Client, asked: Any, **sent: object) -> dict[str, list[str]]:
    """What the browser brings back."""
    answer = client.post(page_of(asked), sent)
    assert answer.status_code == 200, answer.content
    assert "back" in answer.context, desk.words(answer)
    back = urlsplit(answer.context["back"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{SITE}/admin"
    return parse_qs(back.query)


def redeem(program: Caller, asked: Any, code: str, verifier: str = VERIFIER, key: str | None = None) -> Answer:
    return program.post(f"/pairings/{asked['id']}/redeem", {"code": code, "code_verifier": verifier}, key=key)


OWNER = ("orders.add_apikey", "orders.change_merchant", "orders.add_merchant")


def granted() -> tuple[int, int, int]:
    return ApiKey.objects.count(), WebhookEndpoint.objects.count(), Merchant.objects.exclude(return_origins=[]).count()


def test_one_consent_makes_key_endpoint_and_origins(program: Caller) -> None:
    merchant = shop.make_merchant()
    asked = ask(program)
    client = desk.staff(*OWNER)
    shown = desk.text(client, page_of(asked))
    for words in (
        PROPOSAL["app"],
        SITE,
        PROPOSAL["webhook_url"],
        "https://www.shop.example",
        "place orders",
        "no real money",
    ):
        assert words in shown
    assert "refund" not in shown.replace("refunds", "")
    assert granted() == (0, 0, 0)

    brought = consent(client, asked, shop=merchant.pk)
    assert (brought["state"], brought["pairing"]) == (["s"], [asked["id"]])
    merchant.refresh_from_db()
    assert set(merchant.return_origins) == set(merchant.embed_origins) == {SITE, "https://www.shop.example"}
    assert not ApiKey.objects.exists()

    [code] = brought["code"]
    paired = redeem(program, asked, code)
    assert paired.status == 201
    assert (paired["shop"], paired["live"], paired["scopes"]) == (merchant.public_id, False, ["read", "write"])
    endpoint = paired["webhook_endpoint"]
    assert (endpoint["url"], endpoint["events"]) == (PROPOSAL["webhook_url"], ["order.paid"])
    assert endpoint["secret"].startswith("whsec_")
    ours = Caller(merchant, key=paired["key"])
    assert ours.post("/orders", ORDER | {"return_url": f"{SITE}/thanks"}).status == 201
    assert ours.get("/account")["key"]["name"] == PROPOSAL["app"]
    assert ours.post("/payments/pay_1/refunds").status == 403
    assert [row["id"] for row in ours.get("/webhook-endpoints")["data"]] == [endpoint["id"]]


def test_no_secret_is_stored_or_shown_to_the_person(program: Caller) -> None:
    merchant, asked = shop.make_merchant(), ask(program)
    client = desk.staff(*OWNER)
    answer = client.post(page_of(asked), {"shop": merchant.pk})
    code = parse_qs(urlsplit(answer.context["back"]).query)["code"][0]
    assert code not in str(Pairing.objects.values().get())
    paired = redeem(program, asked, code, key="once")
    for secret in (paired["key"], paired["webhook_endpoint"]["secret"].removeprefix("whsec_")):
        assert secret not in answer.content.decode()
        assert secret not in str(Pairing.objects.values().get())
        assert secret not in str(StoredAnswer.objects.values().get())
        assert secret not in str(client.cookies)


def test_a_code_opens_nothing_without_the_verifier_nor_twice_nor_late(program: Caller) -> None:
    merchant, asked, other = shop.make_merchant(), ask(program), ask(program)
    client = desk.staff(*OWNER)
    [code] = consent(client, asked, shop=merchant.pk)["code"]
    before = granted()
    for wrong in (
        redeem(program, asked, code, "x" * 43),
        redeem(program, asked, "x" * len(code)),
        redeem(program, other, code),
        redeem(program, {"id": "pair_1"}, code),
    ):
        assert (wrong.status, wrong["code"]) == (403, "pairing_refused")
    Pairing.objects.update(expires_at="2020-01-01T00:00Z")
    assert redeem(program, asked, code)["code"] == "pairing_refused"
    assert granted() == before
    Pairing.objects.update(expires_at="2099-01-01T00:00Z")
    assert redeem(program, asked, code).status == 201
    made = granted()
    assert redeem(program, asked, code)["code"] == "pairing_refused"
    assert granted() == made == (before[0] + 1, before[1] + 1, before[2])


def test_a_lost_answer_is_given_again_to_the_same_call_alone(program: Caller) -> None:
    merchant, asked = shop.make_merchant(), ask(program)
    [code] = consent(desk.staff(*OWNER), asked, shop=merchant.pk)["code"]
    first, again = (redeem(program, asked, code, key="once") for _ in range(2))
    assert (first.status, again.body, again.headers["Idempotent-Replayed"]) == (201, first.body, "true")
    assert redeem(program, asked, code, "x" * 43, key="once")["code"] == "idempotency_key_reused"
    assert ApiKey.objects.count() == 1


def test_looking_declining_and_other_sites_confirm_nothing(program: Caller) -> None:
    merchant, asked = shop.make_merchant(), ask(program)
    client = desk.staff(*OWNER)
    page = client.get(page_of(asked))
    assert f"{SITE}/admin?state=s&pairing={asked['id']}&error=declined" == page.context["back"]
    assert page["X-Frame-Options"] == "DENY"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(page_of(asked), {"shop": merchant.pk}).status_code == 403
    assert client.post(page_of(asked), {}).context["form"].errors
    assert Pairing.objects.get().confirmed_at is None
    assert granted() == (0, 0, 0)


@pytest.mark.parametrize("rights", [(), ("orders.add_apikey",), ("orders.change_merchant", "orders.view_merchant")])
def test_only_who_may_make_keys_and_change_shops_can_consent(program: Caller, rights: tuple[str, ...]) -> None:
    merchant, asked = shop.make_merchant(), ask(program)
    client = desk.staff(*rights)
    assert client.get(page_of(asked)).status_code == 403
    assert client.post(page_of(asked), {"shop": merchant.pk}).status_code == 403
    assert Client().get(page_of(asked)).status_code == 302
    assert granted() == (0, 0, 0)


def test_the_second_factor_and_the_password_again_come_first(program: Caller, settings: Settings) -> None:
    merchant, asked = shop.make_merchant(), ask(program)
    client = desk.staff(*OWNER)
    session = client.session
    del session[reauthentication.GIVEN_AT]
    session.save()
    answer = client.post(page_of(asked), {"shop": merchant.pk})
    assert "again-password" in answer.content.decode()
    settings.DEMO = False
    assert client.get(page_of(asked)).status_code == 302
    assert Pairing.objects.get().confirmed_at is None


def test_a_new_shop_is_made_by_who_may(program: Caller) -> None:
    asked = ask(program)
    client = desk.staff(*OWNER)
    assert client.post(page_of(asked), {"name": "Tea"}).context["form"].errors
    consent(client, asked, name="Tea", contact="help@tea.example")
    made = Merchant.objects.exclude(pk=program.merchant.pk).get()
    assert (made.name, made.contact, made.is_verified) == ("Tea", "help@tea.example", False)
    other = ask(program)
    assert desk.staff(*OWNER[:2], name="ben").post(page_of(other), {"name": "B", "contact": "b"}).context["form"].errors
    assert Merchant.objects.count() == 2


def test_a_pairing_is_confirmed_once_and_in_time(program: Caller) -> None:
    merchant, asked, late = shop.make_merchant(), ask(program), ask(program)
    client = desk.staff(*OWNER)
    consent(client, asked, shop=merchant.pk)
    Pairing.objects.filter(public_id=late["id"]).update(expires_at="2020-01-01T00:00Z")
    for over in (asked, late, {"url": asked["url"].replace(asked["id"], "pair_1")}):
        assert client.post(page_of(over), {"shop": merchant.pk}).status_code == 404
    assert Pairing.objects.exclude(confirmed_at=None).count() == 1


def test_pairing_again_keeps_the_endpoint_and_renews_its_secret(program: Caller) -> None:
    merchant, client = shop.make_merchant(), desk.staff(*OWNER)
    paired = []
    for _time in range(2):
        asked = ask(program)
        [code] = consent(client, asked, shop=merchant.pk)["code"]
        paired.append(redeem(program, asked, code).json)
    first, second = (it["webhook_endpoint"] for it in paired)
    assert first["id"] == second["id"]
    assert first["secret"] != second["secret"]
    merchant.refresh_from_db()
    assert len(merchant.return_origins) == 2


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"return_url": "https://evil.example/"}, {"return_url": "return_url_not_of_site"}),
        ({"return_url": "https://shop.example.evil.example/"}, {"return_url": "return_url_not_of_site"}),
        ({"return_url": "https://shop.example:8443/"}, {"return_url": "return_url_not_of_site"}),
        ({"return_url": "http://shop.example/"}, {"return_url": "url_not_allowed"}),
        ({"site": "https://127.0.0.1"}, {"site": "url_not_allowed"}),
        ({"site": "https://shop.example/x"}, {"site": "url_not_allowed"}),
        ({"webhook_url": "https://10.0.0.1/"}, {"webhook_url": "url_not_allowed"}),
        ({"webhook_url": "https://2130706433/"}, {"webhook_url": "url_not_allowed"}),
        ({"origins": [SITE, "https://[::1]"]}, {"origins.1": "url_not_allowed"}),
        ({"scopes": []}, {"scopes": "too_few"}),
        ({"scopes": ["admin"]}, {"scopes.0": "invalid"}),
        ({"code_challenge": "x"}, {"code_challenge": "malformed"}),
        ({"app": " "}, {"app": "malformed"}),
        ({"events": ["order.eaten"]}, {"events.0": "invalid"}),
        ({"merchant": "mer_1"}, {"merchant": "unknown_field"}),
    ],
)
def test_what_may_not_be_asked_for_is_named(program: Caller, changes: dict[str, Any], wrong: dict[str, str]) -> None:
    answer = program.post("/pairings", PROPOSAL | changes)
    assert (answer.status, fields(answer)) == (422, wrong)
    assert not Pairing.objects.exists()


def test_markup_in_a_name_is_text(program: Caller) -> None:
    asked = ask(program, app="<b>Bold</b>")
    page = desk.staff(*OWNER).get(page_of(asked)).content.decode()
    assert "<b>Bold" not in page
    assert re.search("&lt;b&gt;Bold", page)


def test_one_network_cannot_go_on_for_ever(program: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAIRINGS_OF_A_NETWORK", 2)
    program.client.defaults["REMOTE_ADDR"] = "192.0.2.77"
    asked = [ask(program) for _ in range(2)]
    refused = program.post("/pairings", PROPOSAL)
    assert (refused.status, refused["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert Pairing.objects.count() == 2
    assert [redeem(program, asked[0], "x").status for _ in range(3)] == [403, 403, 429]


def test_old_pairings_are_forgotten(program: Caller) -> None:
    old = ask(program)
    Pairing.objects.update(expires_at="2020-01-01T00:00Z")
    ask(program)
    assert not Pairing.objects.filter(public_id=old["id"]).exists()


def test_the_page_stands_where_the_desk_is() -> None:
    assert reverse("pairing", args=["pair_1"]).startswith(reverse("admin:index"))
    assert pairings.open_for_consent("pair_1") is None


# For operators


def test_a_shop_is_added_by_command_with_a_key_that_works() -> None:
    out = StringIO()
    call_command("add_shop", "Tea", contact="help@tea.example", origin=[SITE], sandbox=True, stdout=out)
    shop_id, key = out.getvalue().split()
    caller = Caller(Merchant.objects.get(public_id=shop_id), key=key)
    told = caller.get("/account").json
    assert (told["shop"]["name"], told["shop"]["return_origins"], told["live"]) == ("Tea", [SITE], False)
    assert [it["method"] for it in told["methods"]] == ["sandbox"]
    assert caller.post("/orders", ORDER).status == 201


def test_a_shop_with_an_origin_that_is_none_is_not_added() -> None:
    for origin in ("https://127.0.0.1", "https://shop.example/x", "shop.example"):
        with pytest.raises(CommandError):
            call_command("add_shop", "Tea", contact="c", origin=[origin])
    assert not Merchant.objects.exists()
    assert not ProviderAccount.objects.exists()
