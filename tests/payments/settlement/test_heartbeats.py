"""A scheduler or worker that does not run is seen at the desk, and in the metrics."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from payments import heartbeats, tasks
from tests import desk

pytestmark = pytest.mark.django_db
WORDS = "Background work has stood still"


def test_a_missing_beat_is_loud_at_the_desk_and_in_the_metrics(
    client: Client, move_time: Callable[[float], None]
) -> None:
    staff = desk.staff(*desk.READ)
    assert WORDS in staff.get(reverse("admin:index")).text
    tasks.beat()
    assert heartbeats.late() == ["calls"]
    tasks.beat_calls()
    assert WORDS not in staff.get(reverse("admin:index")).text
    move_time(61)
    assert heartbeats.late() == ["celery", "calls"]
    assert WORDS in staff.get(reverse("admin:index")).text
    assert 'friendpay_beat_seconds{queue="calls"} 6' in client.get("/metrics").text
