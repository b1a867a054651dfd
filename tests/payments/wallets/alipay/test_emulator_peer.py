"""The emulator driven by Alipay's own SDK for Node (npm alipay-sdk), which verifies what the emulator signs (P1)."""

import base64
import html
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from friendpay.demo.emulation.base import Emulator, rsa_key, running
from friendpay.demo.emulation.messages import Request, Response, route
from payments.wallets.alipay.emulator import server
from payments.wallets.alipay.emulator.trades import china
from payments.wallets.alipay.provider import Alipay
from payments.wallets.base import Account, NotificationRefused
from tests.payments.wallets.alipay.shop import split_anew
from tests.peers import fetched

pytestmark = pytest.mark.proof

HERE = Path(__file__).parent
VECTOR = json.loads((HERE.parents[2] / "vectors/alipay_notify.json").read_text())

ORDER = {"out_trade_no": "pay1", "total_amount": "90.00", "subject": "Corner shop 42"}


class Peer:
    """The SDK in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def say(self, **command: object) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(command), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def exec(self, method: str, **content: str) -> dict[str, str]:
        """A call whose answer the SDK verified."""
        answer = self.say(do="exec", args=[method, {"bizContent": content}, {"validateSign": True}])
        assert "result" in answer, answer
        result: dict[str, str] = answer["result"]
        return result

    def believes(self, params: dict[str, str]) -> bool:
        return bool(self.say(do="checkNotifySignV2", args=[params])["result"])


@pytest.fixture(scope="module")
def folder() -> Path:
    return fetched.package("alipay-sdk")


@pytest.fixture(scope="module")
def wallet() -> Iterator[server.Alipay]:
    with running(emulator := server.Alipay()):
        yield emulator


@pytest.fixture(autouse=True)
def _empty(wallet: server.Alipay) -> None:
    wallet.book.trades.clear()
    wallet.calls.clear()
    wallet.faults.clear()


@contextmanager
def speaking(folder: Path, wallet: server.Alipay, *, zone: str, **config: str) -> Iterator[Peer]:
    """The SDK stamps its requests with the machine's local time, so it must believe itself to be in China."""
    known = wallet.account()
    config = {
        "appId": known["app_id"],
        "privateKey": known["private_key"],
        "keyType": "PKCS8",
        "alipayPublicKey": known["alipay_public_key"],
        "gateway": f"{wallet.url}/gateway.do",
        **config,
    }
    with subprocess.Popen(
        [*fetched.node()[0], "alipay.cjs"],
        cwd=folder,
        env={**os.environ, "TZ": zone},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        peer = Peer(process)
        peer.say(config={**config, "camelcase": False})
        yield peer
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def peer(folder: Path, wallet: server.Alipay) -> Iterator[Peer]:
    with speaking(folder, wallet, zone="Asia/Shanghai") as peer:
        yield peer


def decide(url: str, choice: str = "approve") -> httpx.Response:
    httpx.get(url, trust_env=False)
    return httpx.post(url, data={"choice": choice}, trust_env=False)


def test_p1_the_peer_scans_pays_refunds_and_closes(wallet: server.Alipay, peer: Peer) -> None:
    code = peer.exec("alipay.trade.precreate", **ORDER)["qr_code"]
    assert peer.exec("alipay.trade.query", out_trade_no="pay1")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    httpx.get(code, trust_env=False)
    assert peer.exec("alipay.trade.query", out_trade_no="pay1")["trade_status"] == "WAIT_BUYER_PAY"
    decide(code)
    trade = peer.exec("alipay.trade.query", out_trade_no="pay1")
    assert (trade["trade_status"], trade["total_amount"]) == ("TRADE_SUCCESS", "90.00")
    assert peer.exec("alipay.trade.close", trade_no=trade["trade_no"])["sub_code"] == "ACQ.TRADE_STATUS_ERROR"

    back = {"out_trade_no": "pay1", "out_request_no": "re1", "refund_amount": "10.00"}
    assert [peer.exec("alipay.trade.refund", **back)["fund_change"] for _ in range(2)] == ["Y", "N"]
    asked = peer.exec("alipay.trade.fastpay.refund.query", out_trade_no="pay1", out_request_no="re1")
    assert (asked["refund_status"], asked["refund_amount"]) == ("REFUND_SUCCESS", "10.00")


@pytest.mark.parametrize(
    ("method", "product"),
    [("alipay.trade.wap.pay", "QUICK_WAP_WAY"), ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY")],
)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_the_peers_links_and_forms_lead_to_the_cashier(
    wallet: server.Alipay, peer: Peer, verb: str, method: str, product: str
) -> None:
    content = {**ORDER, "product_code": product}
    if product == "QUICK_WAP_WAY":
        content["quit_url"] = "http://127.0.0.1:9/p/"
    made = peer.say(
        do="pageExecute", args=[method, verb, {"bizContent": content, "returnUrl": "http://127.0.0.1:9/r/"}]
    )
    if verb == "GET":
        answer = httpx.get(made["result"], trust_env=False)
    else:
        action = re.findall(r'action="([^"]*)"', made["result"])[0]  # as browsers read it: no entities in its "&"
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', made["result"])
        answer = httpx.post(action, data={name: html.unescape(text) for name, text in fields}, trust_env=False)
    assert answer.status_code == 302
    back = decide(answer.headers["location"]).headers["location"]
    assert peer.believes(dict(parse_qsl(urlsplit(back).query)))


def test_p1_the_peer_believes_our_notifications_and_the_official_one(
    wallet: server.Alipay, peer: Peer, folder: Path
) -> None:
    class Shop(Emulator):
        name, brand = "shop", "Shop"
        heard: list[dict[str, str]]

        @route("POST", "/notify/")
        def hear(self, request: Request) -> Response:
            self.heard.append(request.form)
            return Response(200, b"success")

    shop = Shop()
    shop.heard = []
    with running(shop):
        made = peer.say(
            do="exec", args=["alipay.trade.precreate", {"bizContent": ORDER, "notifyUrl": f"{shop.url}/notify/"}]
        )
        decide(made["result"]["qr_code"])
        peer.exec("alipay.trade.refund", out_trade_no="pay1", out_request_no="re1", refund_amount="1.00")
        wallet.notifier.settle()
    assert [peer.believes(params) for params in shop.heard] == [True, True]
    assert not peer.believes(shop.heard[0] | {"total_amount": "900.00"})

    official = {"zone": "Asia/Shanghai", "alipayPublicKey": VECTOR["alipay_public_key"]}
    with speaking(folder, wallet, **official) as other:
        assert other.believes(VECTOR["params"])


def test_the_peer_falls_for_the_ambiguity_attack_and_we_do_not(wallet: server.Alipay, peer: Peer) -> None:
    subject = "gift&total_amount=100.00&trade_no=1&trade_status=TRADE_SUCCESS&z="
    honest = wallet.sign_params({"out_trade_no": "pay1", "subject": subject, "total_amount": "0.01", "trade_no": "7"})
    forged = split_anew(honest, "z")
    assert forged["total_amount"] == "100.00"
    assert peer.believes(forged)

    account = Account(id="acc_1", live=False, config=wallet.account(), base_url=wallet.url)
    with pytest.raises(NotificationRefused):
        Alipay().read_notification(account, {}, urlencode(forged).encode(), wallet.clock.now())
    assert wallet.calls == []


def test_the_peer_fetches_a_bill(wallet: server.Alipay, peer: Peer) -> None:
    decide(peer.exec("alipay.trade.precreate", **ORDER)["qr_code"])
    day = china(wallet.clock.now())[:10]

    def bill() -> dict[str, str]:
        return peer.exec("alipay.data.dataservice.bill.downloadurl.query", bill_type="trade", bill_date=day)

    assert bill()["sub_code"] == "isp.bill_not_exist"
    wallet.clock.advance(86_400)
    assert httpx.get(bill()["bill_download_url"], trust_env=False).content.startswith(b"PK")


def test_a_peer_in_another_time_zone_or_with_another_key_is_refused(wallet: server.Alipay, folder: Path) -> None:
    key = rsa_key("a stranger").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with speaking(folder, wallet, zone="Asia/Shanghai", privateKey=base64.b64encode(key).decode()) as stranger:
        assert stranger.exec("alipay.trade.query", out_trade_no="pay1")["sub_code"] == "isv.invalid-signature"
    with speaking(folder, wallet, zone="America/New_York") as late:
        assert late.exec("alipay.trade.query", out_trade_no="pay1")["sub_code"] == "isv.invalid-timestamp"
