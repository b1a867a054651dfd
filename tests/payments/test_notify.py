"""POST /notify/…/: whatever is not a wallet's own, fresh and whole word is refused, moves nothing and calls nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest
from django.test import Client

from payments import checkout, inbox, ledger
from payments.models import Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.offers import Surface
from payments.rules import Payer
from tests import shop
from tests.emulators import alipay, stripe, wechatpay
from tests.emulators.base import Emulator, Request, Response, route, running
from tests.payments.providers.alipay_shop import genuine, split_anew

pytestmark = pytest.mark.django_db

WALLETS: dict[str, type[Emulator]] = {
    "wechatpay": wechatpay.WeChatPay,
    "alipay": alipay.Alipay,
    "card": stripe.Stripe,
}
TELLS = {"wechatpay": "TRANSACTION", "alipay": "trade_status_sync", "card": "checkout.session"}
SIGNATURES = {"wechatpay-signature", "stripe-signature"}
OTHER_SHOP = {
    "wechatpay": {"mchid": "1900000999"},
    "alipay": {"app_id": "2021000000000999"},
    "card": {"webhook_secret": "whsec_of_another_shop"},
}
LONG = 100_000  # seconds: longer than any wallet goes on trying


@dataclass(frozen=True)
class Letter:
    """A notification, as it came."""

    headers: dict[str, str]
    body: bytes


class Postbox(Emulator):
    """Keeps what the wallet sends, so that a test delivers it when and how it likes."""

    name, brand = "postbox", "Postbox"

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Letter] = []

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        names = {name for name in request.headers if name.startswith(("wechatpay", "stripe"))} | {"content-type"}
        self.letters.append(Letter({name: request.headers[name] for name in names}, request.body))
        return Response(200, b"success")


@dataclass
class Scene:
    """A wallet that holds Mei's money, and has told nobody but the postbox."""

    method: str
    wallet: Emulator
    postbox: Postbox
    account: ProviderAccount
    payment: Payment
    calls: list[str] = field(default_factory=list)  # whatever is asked of the wallet from now on

    def letter(self) -> Letter:
        """Mei pays; what the wallet writes about it."""
        _pay(self)
        self.wallet.notifier.settle()
        answer = self.wallet.answer

        def counted(request: Request) -> Response | None:
            self.calls.append(request.operation)
            return answer(request)

        self.wallet.answer = counted  # type: ignore[method-assign]
        return self.postbox.letters[0]

    def deliver(self, letter: Letter, account: ProviderAccount | None = None) -> int:
        to = account or self.account
        headers = {name: value for name, value in letter.headers.items() if name != "content-type"}
        address = f"/notify/{to.provider}/{to.public_id}/"
        return (
            Client()
            .post(address, letter.body, content_type=letter.headers.get("content-type", ""), headers=headers)
            .status_code
        )

    def books(self) -> tuple[str, int, int]:
        """How the request stands, what was captured, and how many notifications are stored; the ledger is clean."""
        assert ledger.check() == []
        self.payment.refresh_from_db()
        request = PaymentRequest.objects.get(pk=self.payment.request_id)
        assert not Refund.objects.exists()
        return request.status, self.payment.amount_captured, ProviderEvent.objects.count()

    def refuses(self, letter: Letter, account: ProviderAccount | None = None) -> None:
        status = self.deliver(letter, account)
        assert 400 <= status < 500, status
        inbox.apply()
        assert self.books() == ("open", 0, 0)
        assert self.calls == []


def _pay(scene: Scene) -> None:
    step = scene.payment.next_step
    with httpx.Client(follow_redirects=True, trust_env=False) as phone:
        if step["code"].startswith("weixin:"):
            sheet = phone.get(f"{scene.wallet.url}/scan", params={"code": step["code"]})
        else:
            sheet = phone.get(step["code"] or step["url"])
        phone.post(str(sheet.url), data={"choice": "approve", "card": "4242424242424242"}, follow_redirects=False)


@pytest.fixture(params=list(WALLETS))
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    method: str = request.param
    with running(postbox := Postbox()), running(wallet := WALLETS[method](notify_url=f"{postbox.url}/notify/")):
        account = ProviderAccount(merchant=shop.make_merchant(), provider=wallet.name, base_url=wallet.url)
        account.config = wallet.account()
        account.save()
        plea = shop.make_request(shop.make_order(account.merchant))
        payment = checkout.begin(plea, method=method, payer=Payer(visitor="Mei"), surface=Surface())
        yield Scene(method, wallet, postbox, account, payment)


def test_the_wallets_own_word_is_taken_and_twice_is_once(scene: Scene) -> None:
    letter = scene.letter()
    for _time in range(3):
        assert scene.deliver(letter) in (200, 204)
        inbox.apply()
    assert scene.books() == ("paid", 9000, 1)


def test_without_its_signature_it_is_refused(scene: Scene) -> None:
    letter = scene.letter()
    headers = {name: value for name, value in letter.headers.items() if name not in SIGNATURES}
    scene.refuses(Letter(headers, letter.body.replace(b"sign=", b"unsigned=")))
    scene.account.refresh_from_db()
    assert scene.account.refused_notifications == 1


def test_signed_by_a_stranger_it_is_refused(scene: Scene) -> None:
    scene.wallet.faults.set("wrong_key", only=TELLS[scene.method])
    scene.refuses(scene.letter())


@pytest.mark.parametrize("seconds", [LONG, -LONG])
def test_from_the_future_and_from_the_past_it_is_refused(scene: Scene, seconds: int) -> None:
    scene.wallet.faults.set("clock_skew", seconds=seconds, only=TELLS[scene.method])
    scene.refuses(scene.letter())


def test_replayed_much_later_it_is_refused(scene: Scene, move_time: Callable[[float], None]) -> None:
    letter = scene.letter()
    assert scene.deliver(letter) in (200, 204)
    inbox.apply()
    scene.calls.clear()
    move_time(LONG)
    assert 400 <= scene.deliver(letter) < 500
    inbox.apply()
    assert scene.books() == ("paid", 9000, 1)
    assert scene.calls == []


def test_truncated_it_is_refused(scene: Scene) -> None:
    letter = scene.letter()
    for length in (0, 1, len(letter.body) // 2, len(letter.body) - 1):
        scene.refuses(Letter(letter.headers, letter.body[:length]))


def test_ten_mebibytes_are_refused(scene: Scene) -> None:
    letter = scene.letter()
    scene.refuses(Letter(letter.headers, letter.body + b" " * (10 << 20)))


def test_what_is_no_text_is_refused(scene: Scene) -> None:
    letter = scene.letter()
    scene.refuses(Letter(letter.headers, b"\xff\xfe" + letter.body))
    scene.refuses(Letter(letter.headers, b"\xff\x00\xfe" * 100))


def test_for_another_account_it_is_refused(scene: Scene) -> None:
    letter = scene.letter()
    other = ProviderAccount(merchant=shop.make_merchant("Other"), provider=scene.wallet.name, base_url=scene.wallet.url)
    other.config = {**scene.account.config, **OTHER_SHOP[scene.method]}
    other.save()
    scene.refuses(letter, other)
    scene.refuses(letter, ProviderAccount(provider=scene.wallet.name, public_id="acc_nobody"))
    scene.refuses(letter, ProviderAccount(provider="sandbox", public_id=scene.account.public_id))


def test_only_a_post_is_heard(scene: Scene) -> None:
    assert Client().get(f"/notify/{scene.account.provider}/{scene.account.public_id}/").status_code == 405


@pytest.mark.parametrize("scene", ["alipay"], indirect=True)
def test_the_alipay_ambiguity_attack_moves_nothing(scene: Scene) -> None:
    """Signed bytes that read as 0.01 and as 90.00: a subject no order of ours has, since no buyer writes one."""
    assert isinstance(scene.wallet, alipay.Alipay)
    subject = "gift&total_amount=90.00&trade_no=1&trade_status=TRADE_SUCCESS&z="
    honest = genuine(scene.wallet, out_trade_no=scene.payment.reference, subject=subject)
    form = {"content-type": "application/x-www-form-urlencoded"}
    scene.refuses(Letter(form, urlencode(split_anew(honest, "z")).encode()))
    scene.refuses(Letter(form, urlencode(honest).encode()))


@pytest.mark.parametrize("scene", ["alipay"], indirect=True)
def test_no_text_of_the_buyer_reaches_alipay(scene: Scene) -> None:
    order = shop.make_order(scene.account.merchant, reference="A&total_amount=0.01&subject=free")
    order.buyer_name = "Lin&total_amount=0.01"
    order.save()
    plea = shop.make_request(order)
    PaymentRequest.objects.filter(pk=plea.pk).update(message="&total_amount=0.01")
    payment = checkout.begin(plea, method="alipay", payer=Payer(name="&x=1", visitor="Bo"), surface=Surface())
    assert isinstance(scene.wallet, alipay.Alipay)
    content = scene.wallet.book.trades[payment.reference].call.content
    assert (content["total_amount"], "&" in str(content)) == ("90.00", False)
