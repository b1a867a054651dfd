"""Mail to people: who gets which, at least once, and who gets none."""

import re
import smtplib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from friendpay.kit import clock, limits
from orders.models import Order
from payments.mail import messages, sending
from payments.models import Mail, MailAddress, Payment, PaymentRequest, ProviderAccount, StoppedBuyer
from payments.pages.addresses import digest_of
from payments.settlement import lifecycle, refund_moves, refunds, remedies
from payments.settlement.rules import Split
from payments.share import receipt_numbers
from payments.tasks import purge_mail, sweep_mail, sweep_requests
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db
MoveTime = Callable[[float], None]

HOUR = 3600
MEI = "mei@post.example"


def sent() -> list[EmailMultiAlternatives]:
    """What went out since the last look."""
    sweep_mail()
    taken, outgoing.outbox = outgoing.outbox, []
    return taken  # type: ignore[return-value]


def remind(client: Client, payment_request: PaymentRequest, address: str = MEI, at: str = "hour") -> int:
    return client.post(f"/p/{payment_request.token}/remind/", {"address": address, "at": at}).status_code


def tell(payment_request: PaymentRequest, address: str = "lin@post.example") -> int:
    return Client().post(f"/checkout/{payment_request.order.token}/mail/", {"address": address}).status_code


def pay(client: Client, payment_request: PaymentRequest, **given: str) -> Payment:
    assert client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", **given}).status_code == 303
    return shop.succeed(Payment.objects.latest("pk"))


def addresses() -> list[str]:
    return [address for address in MailAddress.objects.values_list("address", flat=True) if address]


# Reminders


def test_a_reminder_comes_once_at_its_time_and_then_the_address_is_forgotten(
    client: Client, move_time: MoveTime
) -> None:
    payment_request = shop.make_request()
    assert remind(client, payment_request) == 303
    assert "We'll remind you, unless" in words(client.get(f"/p/{payment_request.token}/"))
    assert "We'll remind you, unless" not in words(Client().get(f"/p/{payment_request.token}/"))
    assert sent() == []
    move_time(HOUR + 1)
    [message] = sent()
    assert message.to == [MEI]
    assert message.subject == "Your reminder: a payment at Harbour Tea"
    assert "Lin is still waiting for help" in message.body
    assert f"http://127.0.0.1:8000/p/{payment_request.token}/" in message.body
    assert "90" not in re.sub(r"\S+/\S+", "", str(message.body))
    assert addresses() == []
    move_time(30 * HOUR)
    assert sent() == []


def test_nobody_who_has_paid_is_reminded(client: Client, move_time: MoveTime) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    assert remind(client, payment_request) == 303
    pay(client, payment_request, amount="30.00")
    assert addresses() == []
    move_time(HOUR + 1)
    assert sent() == []
    assert remind(client, payment_request) == 409


def test_nobody_whose_money_is_on_its_way_is_reminded(client: Client, move_time: MoveTime) -> None:
    """The wallet has it, and has not told us yet."""
    payment_request = shop.make_request(split=Split(3, 1000))
    assert remind(client, payment_request) == 303
    move_time(HOUR - 60)
    client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "amount": "30.00"})
    move_time(120)
    assert sent() == []
    shop.succeed(Payment.objects.get())
    move_time(HOUR)
    assert sent() == []


def test_one_who_paid_from_another_phone_and_asked_for_the_receipt_is_not_reminded(
    client: Client, move_time: MoveTime
) -> None:
    payment_request = shop.make_request(split=Split(3, 1000))
    assert remind(client, payment_request) == 303
    phone = Client()
    payment = pay(phone, payment_request, amount="30.00")
    phone.post(f"/r/{payment.token}/mail/", {"address": MEI.upper()})
    move_time(HOUR + 1)
    assert [message.subject for message in sent()] == ["Your receipt from Harbour Tea"]


def test_nobody_who_has_declined_is_reminded(client: Client, move_time: MoveTime) -> None:
    payment_request = shop.make_request()
    remind(client, payment_request)
    client.post(f"/p/{payment_request.token}/decline/", {"choice": "sorry"})
    assert addresses() == []
    move_time(HOUR + 1)
    assert sent() == []


@pytest.mark.parametrize("end", ["paid", "cancelled", "expired"])
def test_nobody_is_reminded_after_the_end(client: Client, move_time: MoveTime, end: str) -> None:
    payment_request = shop.make_request(expires_in=timedelta(hours=2))
    remind(client, payment_request)
    if end == "paid":
        pay(Client(), payment_request)
    elif end == "cancelled":
        lifecycle.cancel_request(payment_request.pk, actor="buyer")
    else:
        move_time(2 * HOUR + 1)
    sweep_requests()
    assert addresses() == []
    move_time(HOUR + 1)
    assert sent() == []


def test_a_reminder_that_comes_too_late_to_be_sent_is_dropped(client: Client, move_time: MoveTime) -> None:
    """The sweep slept, and the request's time is over though nothing has ended it yet."""
    remind(client, shop.make_request(expires_in=timedelta(hours=2)))
    move_time(3 * HOUR)
    assert sent() == []
    assert addresses() == []


def test_another_choice_takes_the_place_of_the_first_and_twice_is_enough(client: Client, move_time: MoveTime) -> None:
    payment_request = shop.make_request()
    assert [remind(client, payment_request), remind(client, payment_request, at="later")] == [303, 303]
    assert remind(client, payment_request) == 429
    move_time(HOUR + 1)
    assert sent() == []
    move_time(4 * HOUR)
    assert len(sent()) == 1


@pytest.mark.parametrize("given", [("", "hour"), ("mei", "hour"), ("a@b.c\nBcc: x@y.z", "hour"), (MEI, "never")])
def test_what_is_no_address_or_no_time_is_refused(client: Client, given: tuple[str, str]) -> None:
    assert remind(client, shop.make_request(), *given) in (409, 422)
    assert not MailAddress.objects.exists()


@pytest.mark.proof
def test_nobody_can_make_us_write_to_strangers_often(client: Client) -> None:
    one = shop.make_merchant()
    payment_requests = [shop.make_request(shop.make_order(one)) for _number in range(8)]
    codes = [
        remind(Client(REMOTE_ADDR=f"10.0.0.{number}"), payment_request)
        for number, payment_request in enumerate(payment_requests)
    ]
    assert codes == [303] * 6 + [429] * 2  # one address, from everywhere
    codes = [remind(client, payment_requests[0], f"a{number}@post.example") for number in range(8)]
    assert codes == [303] * 6 + [429] * 2  # one visitor, to everybody
    codes = [
        remind(Client(), payment_request, f"b{payment_request.pk}.{number}@post.example")
        for payment_request in payment_requests
        for number in range(4)
    ]
    assert codes.count(303) == 30 - 6  # one network, with ever new cookies


# What comes from events


def test_the_buyer_is_told_of_everything_that_matters_and_each_once(client: Client, move_time: MoveTime) -> None:
    payment_request = shop.make_request()
    assert tell(payment_request) == 303
    assert "We'll email l…@post.example" in words(client.get(f"/checkout/{payment_request.order.token}/"))
    client.post(f"/p/{payment_request.token}/decline/", {"note": "Buy me a prize"})
    [message] = sent()
    assert message.subject == "A friend can't pay this time"
    assert "prize" not in message.body
    payment = pay(client, payment_request)
    [message] = sent()
    assert (message.to, message.subject) == (["lin@post.example"], "Your order at Harbour Tea is paid")
    assert "CN¥90.00 is paid" in message.body
    assert f"/checkout/{payment_request.order.token}/" in message.body
    refund = refunds.refund_payment(payment.pk, 2000, actor="merchant")
    assert sent() == []
    refund_moves.move_refund(refund.pk, "succeeded")
    [message] = sent()
    assert "CN¥20.00 of your order was refunded" in message.body
    move_time(HOUR)
    assert sent() == []


def test_the_buyer_is_told_that_nobody_paid_and_of_the_next_request(move_time: MoveTime) -> None:
    payment_request = shop.make_request(expires_in=timedelta(hours=2))
    tell(payment_request)
    move_time(2 * HOUR + 1)
    sweep_requests()
    [message] = sent()
    assert message.subject == "Your request has expired"
    pay(Client(), shop.make_request(payment_request.order))
    assert [message.subject for message in sent()] == ["Your order at Harbour Tea is paid"]


def test_the_buyer_of_an_order_that_is_over_too_is_not_told_to_ask_again(move_time: MoveTime) -> None:
    order = shop.make_order()
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + timedelta(hours=2))
    tell(shop.make_request(order))
    move_time(2 * HOUR + 1)
    sweep_requests()
    [message] = sent()
    assert message.subject == "Your request has expired"
    assert "You can ask again" not in message.body
    assert "The order itself has expired too." in message.body


@pytest.mark.parametrize("left", ["all", "no wallet", "stopped"])
def test_the_buyer_is_told_to_ask_again_where_she_can(move_time: MoveTime, left: str) -> None:
    payment_request = shop.make_request(expires_in=timedelta(hours=2))
    tell(payment_request)
    if left == "no wallet":
        ProviderAccount.objects.update(enabled=False)
    elif left == "stopped":
        order = payment_request.order
        StoppedBuyer.objects.create(merchant=order.merchant, buyer_id=order.buyer_id, stopped_at=clock.now())
    move_time(2 * HOUR + 1)
    sweep_requests()
    [message] = sent()
    assert ("You can ask again" in message.body) is (left == "all")
    assert "Anything friends have paid is refunded." in message.body


@pytest.mark.parametrize("pays", [True, False])
def test_a_friends_no_is_told_with_what_can_still_be_done(client: Client, pays: bool) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    ProviderAccount.objects.update(enabled=pays)
    client.post(f"/p/{payment_request.token}/decline/", {"choice": "sorry"})
    [message] = sent()
    assert message.subject == "A friend can't pay this time"
    assert ("Your link still works" in message.body) is pays


def test_money_nobody_needed_is_no_news_for_the_buyer(client: Client) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    payment = shop.hold(payment_request)
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    refund = shop.succeed(payment).refunds.get()
    refund_moves.move_refund(refund.pk, "succeeded")
    assert sent() == []


def test_many_a_no_fills_nobodys_mailbox(client: Client) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    for _time in range(5):
        client.post(f"/p/{payment_request.token}/decline/")
    assert len(sent()) == 3


def test_what_was_returned_by_other_means_is_told_with_the_words_for_it(client: Client) -> None:
    payment_request = shop.make_request()
    assert tell(payment_request) == 303
    payment = pay(client, payment_request)
    assert client.post(f"/r/{payment.token}/mail/", {"address": MEI}).status_code == 303
    sent()
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, "failed")
    assert sent() == []
    rest = remedies.return_elsewhere(refund.pk, "in cash, at our counter", 5000, actor="ada")
    sent_to = {message.to[0]: message for message in sent()}
    assert "Harbour Tea has returned CN¥50.00 to you by other means" in sent_to[MEI].body
    assert "in cash, at our counter" in sent_to[MEI].body
    assert "back in the wallet" not in sent_to[MEI].body
    assert "CN¥50.00 of your order was refunded to whoever paid it" in sent_to["lin@post.example"].body
    assert rest.amount == 5000
    for _time in range(2):
        refund_moves.move_refund(rest.pk, "returned_elsewhere")
    assert sent() == []
    refund_moves.move_refund(payment_request.payments.get().refunds.get(status="requested").pk, "succeeded")
    assert "CN¥40.00 is back in the wallet" in {message.to[0]: message for message in sent()}[MEI].body


def test_the_payer_gets_the_receipt_the_refund_and_the_thanks(client: Client) -> None:
    payment_request = shop.make_request()
    payment = pay(client, payment_request)
    answer = client.post(f"/r/{payment.token}/mail/", {"address": MEI})
    assert answer.status_code == 303
    [message] = sent()
    for word in (
        "CN¥90.00",
        "Harbour Tea",
        "Sandbox wallet",
        receipt_numbers.number(payment.pk),
        "Spring oolong",
        payment.token,
    ):
        assert word in message.body
    for private in (payment_request.order.token, "A-1001", payment.provider_ref, "lin"):
        assert private not in message.body.replace("online", "")
    Client().post(f"/checkout/{payment_request.order.token}/thanks/", {"words": "You are a star"})
    [message] = sent()
    assert message.subject == "Lin says thank you"
    assert "star" not in message.body
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, "succeeded")
    [message] = sent()
    assert message.subject == "Your money has been returned"
    assert "The shop decided to refund it." in message.body


def test_a_receipt_asked_for_early_comes_when_the_wallet_has_confirmed(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox"})
    payment = Payment.objects.get()
    client.post(f"/r/{payment.token}/mail/", {"address": MEI})
    assert sent() == []
    shop.succeed(payment)
    assert [message.subject for message in sent()] == ["Your receipt from Harbour Tea"]


def test_one_payers_news_are_not_anothers() -> None:
    payment_request = shop.make_request(split=Split(2, 1000))
    one, other = Client(), Client()
    first = pay(one, payment_request, amount="40.00")
    one.post(f"/r/{first.token}/mail/", {"address": MEI})
    sent()
    second = pay(other, payment_request, amount="50.00")
    assert sent() == []
    refund = refunds.refund_payment(second.pk, actor="merchant")
    refund_moves.move_refund(refund.pk, "succeeded")
    assert sent() == []


def test_a_chosen_thank_you_is_in_the_language_of_who_reads_it(client: Client) -> None:
    chinese = Client(headers={"Accept-Language": "zh-CN"})
    payment = pay(chinese, shop.make_request())
    chinese.post(f"/r/{payment.token}/mail/", {"address": MEI})
    [message] = sent()
    assert message.subject == "Harbour Tea的付款凭证"
    assert '<html lang="zh-hans" dir="ltr">' in str(message.alternatives[0][0])
    client.post(f"/checkout/{payment.request.order.token}/thanks/", {"choice": "next"})
    assert "谢谢！下次我请。" in sent()[0].body


# Sending


def test_every_mail_has_an_id_of_its_own_and_one_click_to_stop_it(client: Client, move_time: MoveTime) -> None:
    remind(client, shop.make_request())
    stop_url = f"http://127.0.0.1:8000/mail/{MailAddress.objects.get().token}/"
    move_time(HOUR + 1)
    [message] = sent()
    headers = message.message()
    assert headers["Message-ID"] == f"<{Mail.objects.get().public_id}@127.0.0.1>"
    assert headers["List-Unsubscribe"] == f"<{stop_url}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert stop_url in message.body
    assert stop_url in str(message.alternatives[0][0])


def test_a_mail_that_cannot_be_written_holds_up_no_other(
    client: Client, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = shop.make_request(), shop.make_request(shop.make_order(reference="B"))
    remind(client, first, "ann@post.example")
    remind(client, second, "bo@post.example")
    write = messages.write

    def failing(mail: Mail) -> object:
        if mail.to.request_id == first.pk:
            raise KeyError("a field that is not there")
        return write(mail)

    monkeypatch.setattr(messages, "write", failing)
    move_time(HOUR + 1)
    assert [message.to for message in sent()] == [["bo@post.example"]]


def test_a_mail_that_could_not_be_sent_goes_again_under_its_one_id(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    pay(Client(), payment_request)
    seen = []

    def refuse(self: EmailMultiAlternatives) -> None:
        seen.append(self.message()["Message-ID"])
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", refuse)
        sweep_mail()
        sweep_mail()
    assert len(seen) == 1  # not at once again
    move_time(301)
    [message] = sent()
    assert message.message()["Message-ID"] == seen[0]


def test_a_worker_that_dies_after_sending_sends_the_same_mail_again(
    monkeypatch: pytest.MonkeyPatch, move_time: MoveTime
) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    pay(Client(), payment_request)
    real = EmailMultiAlternatives.send

    def send_and_die(self: EmailMultiAlternatives) -> None:
        real(self)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", send_and_die)
        with pytest.raises(SystemExit):
            sending.send()
    move_time(301)
    ids = [message.message()["Message-ID"] for message in sent()]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_an_address_that_does_not_exist_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    payment_request = shop.make_request()
    tell(payment_request)
    pay(Client(), payment_request)

    def refuse(self: EmailMultiAlternatives) -> None:
        raise smtplib.SMTPRecipientsRefused({self.to[0]: (550, b"no such user")})

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    sweep_mail()
    assert addresses() == []
    assert not Mail.objects.exists()


@pytest.mark.parametrize("browser", [True, False])
def test_one_click_stops_all_mail_to_an_address(client: Client, move_time: MoveTime, browser: bool) -> None:
    payment_request = shop.make_request()
    remind(client, payment_request)
    tell(payment_request, MEI)
    token = MailAddress.objects.first().token  # type: ignore[union-attr]
    assert "Stop emails?" in words(client.get(f"/mail/{token}/"))  # a mail filter opens links
    assert len(addresses()) == 2
    given = {} if browser else {"List-Unsubscribe": "One-Click"}
    page = Client(enforce_csrf_checks=True).post(f"/mail/{token}/", given)
    assert "You'll get no more email from us" in words(page)
    assert addresses() == []
    move_time(HOUR + 1)
    pay(Client(), payment_request)
    assert sent() == []
    assert remind(client, shop.make_request(shop.make_order(payment_request.merchant)), MEI.upper()) == 422


def test_what_is_kept_for_nothing_is_deleted(client: Client, move_time: MoveTime) -> None:
    payment_request = shop.make_request()
    remind(client, payment_request)
    tell(payment_request)
    move_time(25 * HOUR)
    purge_mail()
    assert [row.role for row in MailAddress.objects.all()] == ["buyer"]
    move_time(60 * 24 * HOUR)
    purge_mail()
    assert not MailAddress.objects.exists()
    assert not Mail.objects.exists()


def test_without_a_mail_server_nobody_is_asked_for_an_address(client: Client, settings: Settings) -> None:
    settings.MAIL_TO_PEOPLE = False
    payment_request = shop.make_request()
    for page in (f"/p/{payment_request.token}/", f"/checkout/{payment_request.order.token}/"):
        assert "mail_address" not in client.get(page).content.decode()
    assert [remind(client, payment_request), tell(payment_request)] == [409, 409]
    payment = pay(client, payment_request)
    assert "mail_address" not in client.get(f"/r/{payment.token}/").content.decode()
    assert not MailAddress.objects.exists()


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("mei@post.example", "Mei@Post.Example"),
        ("mei@post.example", "mei+1@post.example"),
        ("mei@post.example", "mei+a.b+c@post.example"),
        ("mei.chan@gmail.com", "m.e.i.chan+x@googlemail.com"),
        ("mei@post.example", '"mei"@post.example'),
        ("mei@post.example", '"m\\ei+tag"@post.example'),
        ("mei@bücher.example", "mei@XN--BCHER-KVA.example"),
        ("mei.chan@proton.me", "meichan@pm.me"),
        ("mei@icloud.com", "mei+shop@me.com"),
    ],
)
def test_limits_and_stop_are_a_mailboxs_whatever_its_tag(address: str, same: str) -> None:
    assert digest_of(address) == digest_of(same)
    assert digest_of("mei.chan@post.example") != digest_of("meichan@post.example")
    assert digest_of("+1@post.example") != digest_of("+2@post.example")


def test_one_mailbox_is_given_a_few_times_a_day_and_its_stop_holds_for_every_tag(client: Client) -> None:
    payment_requests = [shop.make_request() for _number in range(limits.ADDRESSES_OF_A_MAILBOX + 1)]
    given = [
        remind(Client(REMOTE_ADDR=f"10.0.1.{number}"), payment_request, f"mei+{number}@post.example")
        for number, payment_request in enumerate(payment_requests)
    ]
    assert given == [303] * limits.ADDRESSES_OF_A_MAILBOX + [429]
    row = MailAddress.objects.first()
    assert row
    client.post(f"/mail/{row.token}/")
    assert remind(Client(REMOTE_ADDR="10.0.2.1"), payment_requests[-1], "mei+new@post.example") == 422
    assert not MailAddress.objects.exclude(address="").exists()
