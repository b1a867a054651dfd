"""Times at the desk are those of whoever reads them, and the page says whose."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from friendpay.admin_kit.cells import moment
from friendpay.kit import clock
from orders.models import Order
from tests import desk, shop

pytestmark = pytest.mark.django_db


def shown(client: Client, order: Order) -> tuple[bool, bool]:
    """Whether a page shows when the order was placed in UTC, and in Shanghai."""
    body = client.get(desk.page(order)).content.decode()
    times = [f">{moment_:%Y-%m-%d %H:%M:%S}<" for moment_ in (order.created_at, order.created_at + SHANGHAI)]
    return times[0] in body, times[1] in body


SHANGHAI = timedelta(hours=8)


def test_times_are_in_the_readers_zone_and_the_page_says_which() -> None:
    order, client = shop.make_order(), desk.staff(*desk.READ)
    assert shown(client, order) == (True, False)
    assert "Times are in UTC (+0000)" in desk.text(client, desk.page(order))
    client.cookies["zone"] = "Asia/Shanghai"
    assert shown(client, order) == (False, True)
    assert "Times are in Asia/Shanghai (+0800)" in desk.text(client, desk.page(order))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "x" * 3000, "asia/shanghai"])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    order, client = shop.make_order(), desk.staff(*desk.READ)
    client.cookies["zone"] = zone
    assert shown(client, order) == (True, False)


def test_a_zone_is_the_desks_alone_and_of_one_answer() -> None:
    client = desk.staff(*desk.READ)
    client.cookies["zone"] = "Asia/Shanghai"
    client.get("/admin/")
    assert timezone.get_current_timezone_name() == "UTC"


def test_whoever_points_at_a_time_reads_it_in_utc() -> None:
    now = clock.now()
    with timezone.override("Asia/Shanghai"):
        assert f'title="{now:%Y-%m-%d %H:%M:%S} UTC"' in moment(now)
