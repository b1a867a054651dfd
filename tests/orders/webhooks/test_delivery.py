"""Every event reaches every endpoint that wants it: H4 to H6 and H8 of the protocols, the schedule and its ends."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.writes import Writes
from orders import events, sequence
from orders.models import Event, Merchant, Order, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.services import cancel_order
from orders.tasks import make_months, purge_webhooks, send_webhook_mails
from orders.webhooks import delivery, endpoints, outbox, signing, transport
from payments.settlement import lifecycle
from tests import shop
from tests.caller import Caller
from tests.orders.webhooks.conftest import LetPass, MakeReceiver, MoveTime, due_in, send, told
from tests.orders.webhooks.receivers import Receiver

pytestmark = pytest.mark.django_db

HOUR, DAY = 3600, 24 * 3600


def noted(order: Order, *, actor: str = "merchant", data: dict[str, Any] | None = None) -> Event:
    writes = Writes()
    event = events.record("order.changed", order=order, object_id="ord_1", actor=actor, data=data or {}, writes=writes)
    writes.run()
    return event


# What is told


def test_a_message_is_the_event_as_the_list_of_events_shows_it(shop_server: Receiver) -> None:
    caller = Caller()
    _, secret = told(shop_server, caller.merchant)
    caller.order()
    send()
    [message] = shop_server.heard
    [event] = caller.get("/events")["data"]
    assert message.json == event | {"timestamp": event["created_at"]}
    assert message.headers["content-type"] == "application/json"
    assert message.id == event["id"]
    Webhook(secret).verify(message.body, message.headers)
    told_at = int(message.headers["webhook-timestamp"])
    assert abs(told_at - clock.now().timestamp()) < 5
    assert WebhookDelivery.objects.get().status == "delivered"


def test_H8_a_sequence_tells_in_what_order_things_happened(shop_server: Receiver) -> None:
    order = shop.make_order()
    told(shop_server, order.merchant)
    order.merchant.refresh_from_db()
    shop.succeed(shop.hold(shop.make_request(order)))
    send()
    heard = {message.json["sequence"]: message.json["type"] for message in shop_server.heard}
    happened = Event.objects.filter(deliveries__isnull=False).order_by("sequence")
    assert [heard[number] for number in sorted(heard)] == list(happened.values_list("type", flat=True))
    assert len(heard) == len(shop_server.heard) >= 4


def test_an_event_is_told_once_it_has_its_place(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    delivery.send_due()
    assert shop_server.heard == []
    sequence.publish()
    delivery.send_due()
    assert [message.json["sequence"] for message in shop_server.heard] == [Event.objects.get().sequence]


def test_every_endpoint_that_wants_an_event_is_told(listen: MakeReceiver) -> None:
    merchant = shop.make_merchant()
    all_of_it, paid, live, other = (listen() for _ in range(4))
    told(all_of_it, merchant)
    told(paid, merchant, event_types=["order.paid", "order.cancelled"])
    endpoints.create(merchant, live=True, url=live.url)
    told(other, shop.make_merchant("Corner Books"))
    order = shop.make_order(merchant)
    cancel_order(order, clock.now())
    send()
    assert sorted(message.json["type"] for message in all_of_it.heard) == ["order.cancelled", "order.created"]
    assert [message.json["type"] for message in paid.heard] == ["order.cancelled"]
    assert (live.heard, other.heard) == ([], [])


def test_a_shop_without_endpoints_costs_an_event_no_question(django_assert_num_queries: Any) -> None:
    order = shop.make_order()
    with django_assert_num_queries(1):
        noted(order)


def test_what_expires_in_batches_is_told_too(shop_server: Receiver, move_time: MoveTime) -> None:
    request = shop.make_request()
    told(shop_server, request.merchant, event_types=["payment_request.expired"])
    move_time(60 * DAY)
    assert lifecycle.expire_plain(10) == 1
    send()
    assert [message.json["payment_request"] for message in shop_server.heard] == [request.public_id]


def test_nothing_is_told_to_an_endpoint_of_before_it_was_made(shop_server: Receiver) -> None:
    order = shop.make_order()
    told(shop_server, order.merchant)
    send()
    assert shop_server.heard == []


# H4


def test_H4_after_a_rotation_both_secrets_sign_until_the_old_one_ends(
    shop_server: Receiver, move_time: MoveTime
) -> None:
    endpoint, old = told(shop_server)
    _, new = endpoints.rotate_secret(endpoint.pk, timedelta(hours=1))
    shop.make_order(endpoint.merchant)
    send()
    for secret in (old, new):
        Webhook(secret).verify(shop_server.heard[0].body, shop_server.heard[0].headers)
    move_time(HOUR + 1)
    shop.make_order(endpoint.merchant)
    send()
    message = shop_server.heard[1]
    told_at = datetime.fromtimestamp(int(message.headers["webhook-timestamp"]), UTC)
    by_new = signing.headers([new], message.id, told_at, message.body.decode())
    assert message.headers["webhook-signature"] == by_new["webhook-signature"]


def test_H4_a_leaked_secret_can_end_at_once(shop_server: Receiver) -> None:
    endpoint, old = told(shop_server)
    _, new = endpoints.rotate_secret(endpoint.pk, timedelta())
    shop.make_order(endpoint.merchant)
    send()
    [message] = shop_server.heard
    Webhook(new).verify(message.body, message.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(message.body, message.headers)


def test_H4_of_three_secrets_the_two_newest_sign(shop_server: Receiver) -> None:
    endpoint, first = told(shop_server)
    _, second = endpoints.rotate_secret(endpoint.pk)
    endpoint, third = endpoints.rotate_secret(endpoint.pk)
    assert endpoint.secrets(clock.now()) == [third, second]
    assert first not in endpoint.secrets(clock.now())


def test_secrets_are_sealed_at_rest(shop_server: Receiver) -> None:
    endpoint, old = told(shop_server)
    _, new = endpoints.rotate_secret(endpoint.pk)
    row = str(WebhookEndpoint.objects.filter(pk=endpoint.pk).values().get())
    assert old.removeprefix("whsec_") not in row
    assert new.removeprefix("whsec_") not in row


# H5 and the schedule


def test_H5_every_attempt_has_the_same_id_and_body_and_its_own_time(shop_server: Receiver, let_pass: LetPass) -> None:
    shop_server.answers = [500, 302, 429]
    endpoint, secret = told(shop_server)
    shop.make_order(endpoint.merchant)
    send()
    let_pass(HOUR)
    assert len(shop_server.heard) == 4
    assert len({(message.id, message.body) for message in shop_server.heard}) == 1
    times = [int(message.headers["webhook-timestamp"]) for message in shop_server.heard]
    assert sorted(set(times)) == times
    signatures = {message.headers["webhook-signature"] for message in shop_server.heard}
    assert len(signatures) == 4
    assert list(WebhookAttempt.objects.values_list("status_code", flat=True)) == [500, 302, 429, 204]
    assert WebhookDelivery.objects.get().status == "delivered"


def test_attempts_follow_the_schedule_and_end(
    shop_server: Receiver, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
    shop_server.answers = [500] * 20
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    send()
    for seconds in (5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR):
        heard = len(shop_server.heard)
        assert due_in(endpoint) == pytest.approx(seconds, abs=2)
        move_time(seconds - 3)
        send()
        assert len(shop_server.heard) == heard, "not before its time"
        move_time(4)
        send()
        assert len(shop_server.heard) == heard + 1
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.next_attempt_at) == ("given_up", 10, None)
    move_time(DAY)
    send()
    assert len(shop_server.heard) == 10


def test_retries_are_spread_a_little(listen: MakeReceiver) -> None:
    server = listen()
    server.answers = [500] * 16
    endpoint, _ = told(server)
    for _ in range(16):
        shop.make_order(endpoint.merchant)
    send()
    attempts = WebhookAttempt.objects.values_list("delivery__next_attempt_at", "at")
    delays = [(due - at).total_seconds() for due, at in attempts if due]
    assert len(delays) == 16
    assert all(4.5 <= delay <= 5.5 for delay in delays)
    assert max(delays) - min(delays) > 0.3


def test_an_endpoint_down_for_an_hour_misses_nothing(listen: MakeReceiver, let_pass: LetPass) -> None:
    server = listen()
    endpoint, secret = told(server)
    server.answers = [503] * 10_000
    orders = []
    for _ in range(6):
        orders.append(shop.make_order(endpoint.merchant))
        send()
        let_pass(600, step=150)
    assert {row.status for row in WebhookDelivery.objects.all()} == {"pending"}
    tried = {message.id for message in server.heard}
    server.heard.clear()
    server.answers.clear()
    let_pass(3 * HOUR, step=300)
    assert {row.status for row in WebhookDelivery.objects.all()} == {"delivered"}
    assert sorted(server.ids) == sorted(tried), "each event once, by the id it always had"
    told_of = [message.json["object"] for message in sorted(server.heard, key=lambda message: message.json["sequence"])]
    assert told_of == [order.public_id for order in orders]
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.enabled) == (None, True)


# H6: from the change to the telling, killed anywhere


class Killed(BaseException):
    """What a process does not survive."""


def test_H6_a_change_that_does_not_commit_tells_nothing(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)

    @transaction.atomic
    def change() -> None:
        shop.make_order(endpoint.merchant)
        assert WebhookDelivery.objects.count() == 1
        raise Killed

    with pytest.raises(Killed):
        change()
    assert not WebhookDelivery.objects.exists()
    send()
    assert shop_server.heard == []


def test_H6_killed_after_the_commit_it_is_told_by_the_next_sweep(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)  # its task is lost: nothing runs in the background here
    send()
    assert len(shop_server.heard) == 1


@pytest.mark.parametrize(
    ("step", "heard_before"),
    [
        ("threading.Thread.start", 0),
        ("orders.webhooks.delivery._note", 1),
        ("orders.webhooks.delivery._note_health", 1),
    ],
)
def test_H6_killed_while_it_is_told_it_is_told_again(
    step: str, heard_before: int, shop_server: Receiver, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    sequence.publish()

    def die(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(step, die)
        with pytest.raises(Killed):
            delivery.send_due()
    assert len(shop_server.heard) == heard_before
    assert not WebhookAttempt.objects.exists()
    send()
    assert len(shop_server.heard) == heard_before, "who had it in hand may live yet"
    move_time(61)
    send()
    assert len(shop_server.heard) == heard_before + 1
    assert len({(message.id, message.body) for message in shop_server.heard}) == 1
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts) == ("delivered", 2)


def test_an_event_is_queued_once_for_each_endpoint(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    again = {"merchant": endpoint.merchant, "endpoint": endpoint, "event": Event.objects.get()}
    with pytest.raises(IntegrityError, match="event_told_once"), transaction.atomic():
        WebhookDelivery.objects.create(**again)


# Ends


def test_410_ends_an_endpoint_at_once(shop_server: Receiver, let_pass: LetPass) -> None:
    shop_server.answers = [410]
    endpoint, _ = told(shop_server, proven=False)
    for _ in range(3):
        shop.make_order(endpoint.merchant)
    send()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "gone")
    shop.make_order(endpoint.merchant)
    let_pass(DAY, step=HOUR)
    assert len(shop_server.heard) == 1
    assert [row.status for row in WebhookDelivery.objects.all()] == ["given_up"] * 3


def test_days_of_failure_end_an_endpoint(shop_server: Receiver, let_pass: LetPass) -> None:
    shop_server.answers = [500] * 10_000
    endpoint, _ = told(shop_server)
    for day in range(6):
        endpoint.refresh_from_db()
        assert endpoint.enabled or day == 5
        shop.make_order(endpoint.merchant)
        send()
        let_pass(DAY, step=4 * HOUR)
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "failing")
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"given_up"}


def test_one_success_in_between_starts_the_days_anew(shop_server: Receiver, let_pass: LetPass) -> None:
    endpoint, _ = told(shop_server)
    for _day in range(12):
        shop_server.answers = [500, 204]
        shop.make_order(endpoint.merchant)
        send()
        endpoint.refresh_from_db()
        assert endpoint.failing_since is not None
        let_pass(DAY, step=8 * HOUR)
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.failing_since) == (True, None)


def end(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Reason = WebhookEndpoint.Reason.FAILING) -> None:
    with transaction.atomic():
        endpoints.switch_off(endpoints.lock(endpoint.pk), reason, clock.now())


def test_the_merchant_gets_one_mail(shop_server: Receiver, move_time: MoveTime) -> None:
    endpoint, _ = told(shop_server)
    end(endpoint)
    for _ in range(3):
        send_webhook_mails()
        move_time(DAY)
    [message] = mail.outbox
    assert message.to == ["help@harbourtea.example"]
    assert endpoint.url in message.body
    assert f"{endpoint.public_id}/enable" in message.body


def test_the_mail_goes_to_a_shops_technical_address_if_it_has_one(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    Merchant.objects.update(technical_email="developers@harbourtea.example")
    end(endpoint)
    send_webhook_mails()
    assert [message.to for message in mail.outbox] == [["developers@harbourtea.example"]]


@pytest.mark.parametrize("reason", [WebhookEndpoint.Reason.SUPPORT, WebhookEndpoint.Reason.DELETED])
def test_what_somebody_did_by_hand_needs_no_mail(reason: WebhookEndpoint.Reason, shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    endpoints.disable(endpoint.pk, reason)
    send_webhook_mails()
    assert mail.outbox == []


def test_a_mail_that_cannot_be_sent_is_tried_again(
    shop_server: Receiver, move_time: MoveTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = told(shop_server)
    end(endpoint)

    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("orders.webhooks.mail.send_mail", refuse)
        send_webhook_mails()
    send_webhook_mails()
    assert mail.outbox == []
    move_time(HOUR + 1)
    send_webhook_mails()
    assert len(mail.outbox) == 1


def test_a_shop_without_a_mail_address_is_told_by_the_operator(shop_server: Receiver, settings: Settings) -> None:
    settings.ADMINS = [("operator", "operator@pay.example")]
    endpoint, _ = told(shop_server)
    Merchant.objects.update(contact="+86 20 1234 5678")
    end(endpoint)
    send_webhook_mails()
    [message] = mail.outbox
    assert (message.to, "Harbour Tea" in message.subject) == (["operator@pay.example"], True)


def test_an_endpoint_switched_on_again_is_told_what_happens_from_then_on(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    end(endpoint)
    shop.make_order(endpoint.merchant)
    endpoints.enable(endpoint.pk)
    order = shop.make_order(endpoint.merchant)
    send()
    assert [message.json["object"] for message in shop_server.heard] == [order.public_id]
    send_webhook_mails()
    assert mail.outbox == []


def test_switching_off_twice_keeps_the_first_reason(shop_server: Receiver, move_time: MoveTime) -> None:
    endpoint, _ = told(shop_server)
    first = endpoints.disable(endpoint.pk, endpoints.Reason.SUPPORT).disabled_at
    move_time(60)
    again = endpoints.disable(endpoint.pk, endpoints.Reason.GONE)
    assert (again.disabled_at, again.disabled_reason) == (first, "support")


def test_an_endpoint_deleted_while_it_is_called_is_not_called_again(shop_server: Receiver, let_pass: LetPass) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    sequence.publish()
    [taken] = delivery._take([])
    endpoints.delete(endpoint.pk)
    delivery._note(taken, transport.Answer(status=500))
    let_pass(HOUR)
    assert shop_server.heard == []
    assert WebhookDelivery.objects.get().status == "given_up"


# By hand


@pytest.mark.parametrize("first", [204, 500])
def test_a_delivery_can_be_sent_again(first: int, shop_server: Receiver) -> None:
    shop_server.answers = [first]
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    send()
    outbox.redeliver(WebhookDelivery.objects.get().pk)
    send()
    assert len({(message.id, message.body) for message in shop_server.heard}) == 1
    assert len(shop_server.heard) == 2
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.calls.count()) == ("delivered", 1, 2)


def test_what_was_given_up_is_sent_again_by_the_whole_schedule(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    outbox.give_up(endpoint)
    shop_server.answers = [500]
    outbox.redeliver(WebhookDelivery.objects.get().pk)
    send()
    assert due_in(endpoint) < 6


def test_nothing_is_sent_again_to_an_endpoint_that_is_off(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    end(endpoint)
    with pytest.raises(Refused, match="endpoint_disabled"):
        outbox.redeliver(WebhookDelivery.objects.get().pk)
    assert WebhookDelivery.objects.get().status == "given_up"


def test_a_late_failure_does_not_undo_a_delivery(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    sequence.publish()
    [taken] = delivery._take([])
    delivery._note(taken, transport.Answer(status=200))
    delivery._note(taken, transport.Answer(status=500))
    row = WebhookDelivery.objects.get()
    assert (row.status, row.next_attempt_at, row.calls.count()) == ("delivered", None, 2)


# What is kept


def test_the_beginning_of_an_answer_is_kept_whatever_it_is_made_of(shop_server: Receiver) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    sequence.publish()
    [taken] = delivery._take([])
    delivery._note(taken, transport.Answer(500, 12, "", b"oh no\x00\xff\xe4\xb8"))
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status_code, attempt.milliseconds) == (500, 12)
    assert attempt.answer == "oh no���"


def test_a_lost_key_stops_one_delivery_and_no_other(listen: MakeReceiver) -> None:
    merchant, well = shop.make_merchant(), listen()
    told(well, merchant)
    broken, _ = told(listen(), merchant)
    WebhookEndpoint.objects.filter(pk=broken.pk).update(sealed="what no key opens")
    shop.make_order(merchant)
    send()
    assert len(well.heard) == 1
    assert broken.deliveries.get().calls.get().error == "internal"


def test_old_deliveries_are_forgotten_but_not_the_events(shop_server: Receiver, move_time: MoveTime) -> None:
    endpoint, _ = told(shop_server)
    shop.make_order(endpoint.merchant)
    send()
    make_months()
    move_time(89 * DAY)
    purge_webhooks()
    assert WebhookAttempt.objects.count() == 1
    move_time(2 * DAY)
    shop.make_order(endpoint.merchant)  # still to be told
    connection.check_constraints()  # as a commit does, before tables are touched
    purge_webhooks()
    assert WebhookDelivery.objects.get().status == "pending"
    assert not WebhookAttempt.objects.exists()
    assert Event.objects.count() == 2


def test_the_body_is_compact_json_in_utf8(shop_server: Receiver) -> None:
    order = shop.make_order()
    event = noted(order, actor="support:李", data={"name": '茶 "☕"'})
    body = delivery.body_of(event)
    assert body == delivery.body_of(Event.objects.select_related("order").get(pk=event.pk))
    assert "茶" in body
    assert json.loads(body)["data"] == {"name": '茶 "☕"'}
