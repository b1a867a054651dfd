"""Signed calls and verified answers: keys, bytes, refusals, and the test of an account."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from friendpay.demo.emulation.base import rsa_key
from payments.wallets.alipay import gateway
from payments.wallets.alipay.emulator import server
from payments.wallets.base import Account, ProviderError, State
from tests.payments.wallets.alipay.shop import provider, refund, with_config

# Answers


def test_an_answer_is_verified_over_its_own_bytes_whatever_its_strings_hold(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    words = 'a } brace, a "sign":"quote", a \\ and a 键'
    alipay.scripted.append({"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.ODD", "sub_msg": words})
    with pytest.raises(ProviderError) as error:
        provider.fetch(alipay_account, "pay1")
    assert (error.value.code, error.value.message, error.value.permanent) == ("ACQ.ODD", words, True)


def test_members_keep_the_text_of_each_value() -> None:
    text = ' {"a_response" : {"x":"}\\"]","y":[{"z":1.10}]} , "sign":"s"}\n'
    assert {name: raw for name, (raw, _) in gateway.members(text).items()} == {
        "a_response": '{"x":"}\\"]","y":[{"z":1.10}]}',
        "sign": '"s"',
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", "{,}", '{"a":1,}', '{"a":1}x', '{"a":1', '{"a" 1}', '{"a":1,"a":2}'])
def test_members_takes_objects_alone(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        gateway.members(text)


@pytest.mark.parametrize(
    ("code", "sub_code", "permanent"),
    [
        ("20000", "aop.unknow-error", False),
        ("20000", "", False),
        ("40004", "ACQ.SYSTEM_ERROR", False),
        ("40004", "aop.ACQ.SYSTEM_ERROR", False),
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", False),
        ("40005", "isv.app-call-limited", False),
        ("40002", "isv.invalid-timestamp", False),
        ("40004", "isp.unknow-error", False),
        ("40004", "ACQ.INVALID_PARAMETER", True),
        ("40002", "isv.invalid-signature", True),
        ("40006", "isv.insufficient-isv-permissions", True),
    ],
)
def test_which_refusals_are_final(
    alipay: server.Alipay, alipay_account: Account, code: str, sub_code: str, permanent: bool
) -> None:
    alipay.scripted.append({"code": code, "sub_code": sub_code, "msg": "m", "sub_msg": "words"})
    with pytest.raises(ProviderError) as error:
        refund(alipay_account)
    assert (error.value.permanent, error.value.code, error.value.message) == (permanent, sub_code or code, "words")


@pytest.mark.parametrize(
    ("code", "sub_code", "for_shop"),
    [
        ("40002", "isv.invalid-signature", True),
        ("40006", "isv.insufficient-isv-permissions", True),
        ("20001", "aop.invalid-auth-token", True),
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", True),
        ("40004", "ACQ.ACCESS_FORBIDDEN", True),
        ("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR", False),
        ("40004", "ACQ.TRADE_HAS_FINISHED", False),
        ("20000", "ACQ.SYSTEM_ERROR", False),
    ],
)
def test_which_refusals_the_shop_can_put_right(
    alipay: server.Alipay, alipay_account: Account, code: str, sub_code: str, for_shop: bool
) -> None:
    alipay.scripted.append({"code": code, "sub_code": sub_code, "msg": "m", "sub_msg": "words"})
    with pytest.raises(ProviderError) as error:
        refund(alipay_account)
    assert error.value.for_shop is for_shop


def test_an_unsigned_refusal_settles_nothing(alipay_account: Account) -> None:
    with pytest.raises(ProviderError) as error:
        provider.fetch(with_config(alipay_account, app_id="2021999999999999"), "pay1")
    assert (error.value.code, error.value.permanent) == ("isv.invalid-app-id", False)


def test_an_unreachable_gateway_settles_nothing(alipay_account: Account) -> None:
    with pytest.raises(ProviderError) as error:
        provider.fetch(replace(alipay_account, base_url="http://127.0.0.1:9"), "pay1")
    assert (error.value.code, error.value.permanent) == ("transport", False)


# Credentials


@pytest.mark.parametrize("fmt", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_keys_may_be_pasted_as_they_come(alipay_account: Account, fmt: PrivateFormat, encoding: Encoding) -> None:
    key = rsa_key("alipay shop").private_bytes(encoding, fmt, NoEncryption())
    text = key.decode() if encoding is Encoding.PEM else base64.encodebytes(key).decode()
    assert provider.fetch(with_config(alipay_account, private_key=text), "pay1").state is State.UNKNOWN


@pytest.mark.parametrize("name", ["app_id", "private_key", "alipay_public_key"])
def test_a_missing_credential_is_named(alipay_account: Account, name: str) -> None:
    with pytest.raises(ProviderError, match=f"{name} is missing") as error:
        provider.fetch(with_config(alipay_account, **{name: " "}), "pay1")
    assert error.value.permanent


def test_checking_an_account_asks_alipay_and_changes_nothing(alipay: server.Alipay, alipay_account: Account) -> None:
    assert server.APP_ID in provider.check(replace(alipay_account, granted=frozenset()))
    assert alipay.calls == ["alipay.trade.query"]
    assert alipay.book.trades == {}
    provider.check(alipay_account)  # with products: an order of each, which nobody sees and which is no trade
    assert {(trade.status, trade.asked) for trade in alipay.book.trades.values()} == {("", 1)}


def test_checking_says_what_is_wrong(alipay: server.Alipay, alipay_account: Account) -> None:
    stranger = rsa_key("a stranger")
    secret = stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    own = gateway.private_key(alipay_account).public_key()
    for wrong, code in (
        ({"private_key": secret}, "isv.invalid-signature"),
        ({"private_key": "nonsense"}, "configuration"),
        ({"alipay_public_key": _public(stranger.public_key())}, "signature"),
        ({"alipay_public_key": _public(own)}, "configuration"),
    ):
        with pytest.raises(ProviderError) as error:
            provider.check(with_config(alipay_account, **wrong))
        assert error.value.code == code


def _public(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
