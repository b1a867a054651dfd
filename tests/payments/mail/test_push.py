"""Being told by a browser while the page is closed: through a push service that refuses what a real one would."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import http_ece
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection
from django.test import Client
from pytest_django import Settings

from friendpay.demo.emulation.base import Emulator, running
from friendpay.demo.emulation.messages import Request, Response, route
from orders.webhooks import transport
from orders.webhooks.transport import Answer
from payments.mail import pushing
from payments.models import Mail, MailAddress, PaymentRequest
from payments.settlement import lifecycle, requests
from payments.tasks import sweep_mail
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db
KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
POINT = (Encoding.X962, PublicFormat.UncompressedPoint)


def packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """Whoever has its private key reads what is pushed to it."""

    service: str
    name: str = "mei"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = b"sixteen bytes ok"

    def form(self, **more: str) -> dict[str, str]:
        return {
            "endpoint": f"{self.service}/push/{self.name}",
            "p256dh": packed(self.key.public_key().public_bytes(*POINT)),
            "auth": packed(self.secret),
            **more,
        }

    def read(self, body: bytes) -> dict[str, str]:
        told: dict[str, str] = json.loads(
            http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
        )
        return told


class PushService(Emulator):
    """RFC 8030, 8291 and 8292 as the browsers' services keep them: what is not signed, sealed and dated is refused."""

    name, brand = "push", "Push"

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bytes] = []
        self.answers = 0  # whatever it is asked

    @route("POST", "/push/mei")
    def push(self, request: Request) -> Response:
        if self.answers:
            return Response(self.answers)
        scheme, _blank, parts = request.headers.get("authorization", "").partition(" ")
        known = dict(part.strip().split("=", 1) for part in parts.split(",") if "=" in part)
        if scheme != "vapid" or not self._is_signed(known.get("t", ""), known.get("k", "")):
            return Response(403)
        if request.headers.get("content-encoding") != "aes128gcm" or "ttl" not in request.headers:
            return Response(400)
        if len(request.body) > 4096:
            return Response(413)
        self.taken.append(request.body)
        return Response(201)

    def _is_signed(self, token: str, key: str) -> bool:
        head, claims, signature = token.split(".")
        told, raw = json.loads(unpacked(claims)), unpacked(signature)
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpacked(key))
        dss = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        try:
            public.verify(dss, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        fresh = time.time() < told["exp"] <= time.time() + 24 * 3600
        return bool(fresh and told["aud"] == self.url and told["sub"].startswith(("mailto:", "https:")))


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    settings.VAPID_PRIVATE_KEY = KEY
    pushing._signer.cache_clear()
    pushing.public_key.cache_clear()
    with running(service := PushService()):
        yield service


def ask_to_be_told(payment_request: PaymentRequest, form: dict[str, str]) -> int:
    return Client().post(f"/checkout/{payment_request.order.token}/push/", form).status_code


def test_the_buyer_is_told_by_push_once_each_and_only_her_browser_can_read_it(service: PushService) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    assert ask_to_be_told(payment_request, browser.form()) == 204
    assert ask_to_be_told(payment_request, browser.form()) == 204
    requests.decline(payment_request.pk, words="Tight this month!")
    sweep_mail()
    sweep_mail()
    (body,) = service.taken
    assert b"Harbour Tea" not in body
    told = browser.read(body)
    assert told["title"] == "A friend can't pay this time"
    assert told["body"] == "A friend you asked can't pay for your order at Harbour Tea this time."
    assert told["url"] == f"http://127.0.0.1:8000/checkout/{payment_request.order.token}/"
    assert "Tight this month" not in json.dumps(told)
    shop.succeed(shop.hold(payment_request))
    sweep_mail()
    assert browser.read(service.taken[1])["title"] == "Your order at Harbour Tea is paid"


def test_one_click_stops_it(service: PushService) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    ask_to_be_told(payment_request, browser.form())
    assert ask_to_be_told(payment_request, browser.form(stop="on")) == 204
    assert ask_to_be_told(payment_request, browser.form(stop="on")) == 204
    shop.succeed(shop.hold(payment_request))
    sweep_mail()
    assert service.taken == []
    assert not MailAddress.objects.filter(subscription__isnull=False).exists()
    assert ask_to_be_told(shop.make_request(), browser.form()) == 204


def test_mail_and_push_are_beside_each_other(service: PushService) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    address = f"/checkout/{payment_request.order.token}/"
    Client().post(f"{address}mail/", {"address": "lin@post.example"})
    ask_to_be_told(payment_request, browser.form())
    assert "We'll email l…@post.example" in words(Client().get(address))
    Client().post(f"{address}mail/", {"address": "other@post.example"})
    assert MailAddress.objects.exclude(address="").count() == 2
    shop.succeed(shop.hold(payment_request))
    sweep_mail()
    assert len(service.taken) == 1
    assert Mail.objects.filter(sent_at__isnull=False).count() == 2


def test_a_friend_is_reminded_once_and_then_forgotten(service: PushService, move_time: Callable[[float], None]) -> None:
    payment_request, browser, friend = shop.make_request(), Browser(service.url), Client()
    page = f"/p/{payment_request.token}/"
    assert 'data-key="' in friend.get(page).content.decode()
    assert friend.post(f"{page}push/", browser.form(at="hour")).status_code == 204
    assert "We'll remind you, unless it's paid by then:" in words(friend.get(page))
    sweep_mail()
    assert service.taken == []
    move_time(3601)
    sweep_mail()
    sweep_mail()
    (body,) = service.taken
    assert browser.read(body)["title"] == "Your reminder: a payment at Harbour Tea"
    assert not MailAddress.objects.filter(subscription__isnull=False).exists()


def test_a_friend_who_has_paid_is_not_reminded(service: PushService, move_time: Callable[[float], None]) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    Client().post(f"/p/{payment_request.token}/push/", browser.form(at="hour"))
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    move_time(3601)
    sweep_mail()
    assert service.taken == []


def test_a_service_in_trouble_is_asked_again(service: PushService, move_time: Callable[[float], None]) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    ask_to_be_told(payment_request, browser.form())
    service.answers = 503
    requests.decline(payment_request.pk)
    sweep_mail()
    mail = Mail.objects.get()
    assert (mail.sent_at, "status 503" in mail.error) == (None, True)
    service.answers = 0
    move_time(3600)
    sweep_mail()
    assert len(service.taken) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(service: PushService, status: int) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    ask_to_be_told(payment_request, browser.form())
    service.answers = status
    requests.decline(payment_request.pk)
    sweep_mail()
    assert not Mail.objects.exists()
    assert not MailAddress.objects.filter(subscription__isnull=False).exists()


@pytest.mark.parametrize(
    "endpoint",
    ["http://push.example/x", "https://127.0.0.1/x", "https://10.0.0.1/x", "https://localhost/x", "file:///etc/passwd"],
)
def test_no_push_goes_into_our_own_network(service: PushService, settings: Settings, endpoint: str) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    payment_request = shop.make_request()
    assert ask_to_be_told(payment_request, Browser(service.url).form(endpoint=endpoint)) == 422
    assert not MailAddress.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"p256dh": "A" * 87}, {"p256dh": "x"}, {"auth": "A" * 25}, {"auth": ""}, {"endpoint": ""}]
)
def test_a_key_that_cannot_be_is_refused(service: PushService, wrong: dict[str, str]) -> None:
    assert ask_to_be_told(shop.make_request(), Browser(service.url).form(**wrong)) == 422
    assert not MailAddress.objects.exists()


def test_no_transaction_is_open_while_a_push_service_is_called(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_request, browser = shop.make_request(), Browser(service.url)
    ask_to_be_told(payment_request, browser.form())
    requests.decline(payment_request.pk)
    depth = len(connection.savepoint_ids)
    seen: list[int] = []
    real = transport.send

    def watched(url: str, body: bytes, headers: dict[str, str]) -> Answer:
        seen.append(len(connection.savepoint_ids))
        return real(url, body, headers)

    monkeypatch.setattr(transport, "send", watched)
    sweep_mail()
    assert seen == [depth]


def test_without_a_key_nothing_is_offered(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    payment_request = shop.make_request()
    assert 'data-key=""' in Client().get(f"/checkout/{payment_request.order.token}/").content.decode()
    assert "data-notify" not in Client().get(f"/p/{payment_request.token}/").content.decode()
    assert ask_to_be_told(payment_request, Browser("https://push.example").form()) in (409, 422)
    assert not MailAddress.objects.exists()
