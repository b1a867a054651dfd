"""A friend says that something is wrong; support decides; nobody else is told."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test import Client

from friendpay.kit import limits
from friendpay.kit.errors import Refused
from orders.models import Event
from payments import tasks
from payments.models import PaymentRequest, Refund, Report, StoppedBuyer
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.offers.weighing import Surface
from payments.settlement import abuse, lifecycle
from payments.settlement.rules import Split
from tests import desk, shop
from tests.caller import Caller
from tests.pages import words

pytestmark = pytest.mark.django_db

SUPPORT = (
    *desk.READ,
    "payments.view_report",
    "payments.change_report",
    "payments.view_stoppedbuyer",
    "payments.add_stoppedbuyer",
    "payments.delete_stoppedbuyer",
    "orders.freeze_merchant",
)


def reported(payment_request: PaymentRequest | None = None, *, network: str = "somewhere") -> Report:
    payment_request = payment_request or shop.make_request()
    abuse.report(payment_request, reason="stranger", words="Who is Lin?", network=network)
    return Report.objects.get(request=payment_request, network=network)


def test_a_friend_reports_without_an_account_and_nothing_else_changes(client: Client) -> None:
    payment_request = shop.make_request()
    before = (payment_request.seq, Event.objects.count())
    address = f"/p/{payment_request.token}/report/"
    assert f'href="{address}"' in client.get(f"/p/{payment_request.token}/").content.decode()
    assert "call first" in words(client.get(address))
    answer = client.post(address, {"reason": "pressed", "words": "He shouts."})
    assert (answer.status_code, answer["Location"]) == (303, address)
    assert "Thank you for telling us" in words(client.get(answer["Location"]))
    report = Report.objects.get()
    assert (report.request, report.merchant, report.reason, report.words) == (
        payment_request,
        payment_request.merchant,
        "pressed",
        "He shouts.",
    )
    payment_request.refresh_from_db()
    assert (payment_request.seq, Event.objects.count()) == before
    assert payment_request.status == "open"


@pytest.mark.usefixtures("move_stopped_time")  # pages say how long ago something was
def test_nobody_else_sees_that_there_is_a_report(client: Client) -> None:
    payment_request = shop.make_request()
    pages = (
        f"/p/{payment_request.token}/",
        f"/checkout/{payment_request.order.token}/",
        f"/p/{payment_request.token}/status.json",
    )
    before = [words(client.get(page)) for page in pages]
    reported(payment_request)
    assert [words(client.get(page)) for page in pages] == before


@pytest.mark.parametrize(
    "sent", [{}, {"reason": "because"}, {"reason": "other", "words": "x" * 501}, {"reason": "other", "words": "\x07"}]
)
def test_what_is_no_report_is_told_beside_the_field(client: Client, sent: dict[str, str]) -> None:
    payment_request = shop.make_request()
    page = client.post(f"/p/{payment_request.token}/report/", sent)
    assert page.status_code == 422
    assert 'class="error"' in page.content.decode()
    assert not Report.objects.exists()


def test_a_request_is_reported_once_from_one_place_and_many_only_slowly(client: Client) -> None:
    order = shop.make_order()
    payment_request = shop.make_request(order)
    for _ in range(3):
        client.post(f"/p/{payment_request.token}/report/", {"reason": "other"})
    assert Report.objects.count() == 1
    for number in range(limits.REPORTS_OF_A_NETWORK - 1):
        reported(
            shop.make_request(shop.make_order(order.merchant, reference=f"B-{number}")),
            network=Report.objects.get(request=payment_request).network,
        )
    page = client.post(f"/p/{shop.make_request(shop.make_order(order.merchant)).token}/report/", {"reason": "other"})
    assert page.status_code == 429
    assert Report.objects.count() == limits.REPORTS_OF_A_NETWORK
    assert reported(payment_request, network="elsewhere")


def test_a_report_is_work_for_support_until_it_is_decided() -> None:
    report = reported()
    reported(report.request, network="elsewhere")
    anna = desk.staff(*SUPPORT)
    assert "Reports" in desk.text(anna, "/admin/")
    assert "Who is Lin?" in desk.text(anna, desk.page(report))
    assert "Who is Lin?" in desk.text(anna, desk.page(report.request))
    assert anna.post(desk.page(report, "nothing_wrong")).status_code == 302
    assert [row.outcome for row in Report.objects.all()] == ["nothing", "nothing"]
    assert not Report.objects.open().exists()
    report.request.refresh_from_db()
    assert report.request.status == "open"


def test_a_stopped_buyer_asks_no_friend_and_what_was_asked_is_cancelled(client: Client) -> None:
    merchant = shop.make_merchant()
    payment_request = shop.make_request(shop.make_order(merchant), split=Split(3))
    part = shop.succeed(shop.hold(payment_request, 3000))
    second = shop.make_request(shop.make_order(merchant))
    others = shop.make_request(shop.make_order(reference="other shop"))
    report = reported(payment_request)
    assert desk.staff(*SUPPORT).post(desk.page(report, "stop_buyer")).status_code == 302
    for one in (payment_request, second, others):
        one.refresh_from_db()
    assert [payment_request.status, second.status, others.status] == ["cancelled", "cancelled", "open"]
    assert Refund.objects.get().payment == part
    assert Event.objects.filter(type="payment_request.cancelled", actor="support:anna").count() == 2
    order = shop.make_order(merchant)
    page = client.get(f"/checkout/{order.token}/")
    assert "You can't ask friends to pay at Harbour Tea for now" in words(page)
    assert "Ask a friend to pay" not in words(page)
    assert "Pay now" in words(page)
    assert client.post(f"/checkout/{order.token}/ask/").status_code == 403
    assert not order.payment_requests.exists()
    caller = Caller(merchant)
    told = caller.post(f"/orders/{order.public_id}/payment-requests", {})
    assert (told.status, told["code"]) == (403, "method_not_offered")
    assert "buyer_stopped" in str(caller.get(f"/orders/{order.public_id}/offers").json)
    friend = words(client.get(f"/p/{payment_request.token}/"))
    assert "No longer needed" in friend
    assert "report" not in friend.lower().replace("report this request", "")


def test_a_buyer_may_be_let_ask_again() -> None:
    report = reported()
    abuse.stop_buyer(report, actor="support:anna")
    abuse.stop_buyer(report, actor="support:anna")
    stopped = StoppedBuyer.objects.get()
    anna = desk.staff(*SUPPORT)
    assert "This field is required" in desk.words(anna.post(desk.page(stopped, "let_ask"), {"why": ""}))
    assert StoppedBuyer.objects.exists()
    assert anna.post(desk.page(stopped, "let_ask"), {"why_words": "Her sisters fell out"}).status_code == 302
    assert "Her sisters fell out" in LogEntry.objects.latest("id").get_change_message()
    order = shop.make_order(report.merchant)
    assert weighing.why_not_friend(Case.of(order), Surface()) is None


def test_reports_from_several_networks_stop_their_buyer_and_the_shop_is_told() -> None:
    merchant = shop.make_merchant()
    asked = [shop.make_request(shop.make_order(merchant, reference=f"A-{it}")) for it in range(3)]
    others = shop.make_request(shop.make_order(merchant, reference="B", buyer_id="mei"))
    for number, request in enumerate([others, asked[0], asked[1], asked[1]]):
        abuse.report(request, reason="stranger", words="", network=f"n{number}", owner=f"o{max(number, 2)}")
        assert not StoppedBuyer.objects.exists()
    abuse.report(asked[2], reason="stranger", words="", network="n9", owner="o9")
    stopped = StoppedBuyer.objects.get()
    assert (stopped.buyer_id, stopped.by) == ("lin", "system")
    told = Event.objects.get(type="payment_request.reported")
    assert (told.data["buyer_id"], told.data["reports"], told.request) == ("lin", 3, asked[2].public_id)
    assert {request.status for request in PaymentRequest.objects.all()} == {"open"}
    order = shop.make_order(merchant)
    assert weighing.why_not_friend(Case.of(order), Surface()) is not None
    assert weighing.why_not_friend(Case.of(shop.make_order(merchant, buyer_id="mei")), Surface()) is None
    abuse.report(asked[0], reason="stranger", words="", network="n10", owner="o10")
    assert Event.objects.filter(type="payment_request.reported").count() == 1
    abuse.let_ask(stopped)
    abuse.report(asked[0], reason="stranger", words="", network="n11", owner="o11")
    assert not StoppedBuyer.objects.exists()  # what was decided counts no more


def test_one_household_that_reports_from_many_addresses_stops_nobody(client: Client) -> None:
    request = shop.make_request()
    for number in range(4):
        sent = client.post(f"/p/{request.token}/report/", {"reason": "other"}, REMOTE_ADDR=f"2001:db8:1:{number:x}::1")
        assert sent.status_code == 303
    for _nobody in range(4):
        client.post(f"/p/{request.token}/report/", {"reason": "other"}, REMOTE_ADDR="unknown")
    assert Report.objects.count() == 8
    assert not StoppedBuyer.objects.exists()
    for number in (1, 2):
        client.post(f"/p/{request.token}/report/", {"reason": "other"}, REMOTE_ADDR=f"192.0.2.{number}")
    assert StoppedBuyer.objects.get().buyer_id == "lin"


def test_a_buyer_without_an_id_cannot_be_stopped() -> None:
    report = reported()
    report.request.order.buyer_id = ""
    report.request.order.save()
    assert desk.staff(*SUPPORT).get(desk.page(report, "stop_buyer")).status_code in (200, 403)
    with pytest.raises(Refused, match="buyer_unknown"):
        abuse.stop_buyer(report, actor="support:anna")
    assert not StoppedBuyer.objects.exists()
    assert Report.objects.open().count() == 1


def test_support_freezes_a_shop_and_its_pages_say_only_that_payments_are_paused(client: Client) -> None:
    report = reported()
    assert desk.staff(*SUPPORT).post(desk.page(report, "freeze_shop")).status_code == 302
    report.merchant.refresh_from_db()
    assert report.merchant.is_frozen
    page = words(client.get(f"/p/{report.request.token}/"))
    assert "Payments are paused" in page
    with pytest.raises(Refused, match="merchant_frozen"):
        lifecycle.open_request(shop.make_order(report.merchant).pk, actor="buyer", shared=True)


def test_only_who_may_decides() -> None:
    report = reported()
    reader = desk.staff(*desk.READ, "payments.view_report")
    for way in ("nothing_wrong", "stop_buyer", "freeze_shop"):
        assert reader.post(desk.page(report, way)).status_code == 403
    assert desk.staff(name="carl").get(desk.page(report)).status_code in (302, 403)
    report.merchant.refresh_from_db()
    assert not report.merchant.is_frozen
    assert Report.objects.open().count() == 1


def test_who_reported_is_forgotten_in_time(move_time: Callable[[float], None]) -> None:
    decided = reported()
    reported(decided.request, network="elsewhere")
    abuse.settle(decided)
    waiting = reported(shop.make_request(shop.make_order(decided.merchant)))
    move_time((settings.PAYER_DATA_DAYS + 1) * 86_400)
    tasks.forget_payers()
    told = str(list(Report.objects.filter(request=decided.request).values_list("words", "network")))
    assert "Who is Lin?" not in told
    assert "somewhere" not in told
    waiting.refresh_from_db()
    assert (waiting.words, waiting.network) == ("Who is Lin?", "somewhere")
