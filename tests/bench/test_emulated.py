"""The emulators of the chaos bench: what they have still to tell comes when the town's clock says so."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bench.emulated import _TownClock
from friendpay.demo.emulation.faults import Faults
from friendpay.demo.emulation.notifier import Notifier, Outgoing


def test_a_notification_comes_again_when_the_towns_clock_has_jumped() -> None:
    """Nobody tells the emulator that it jumped; it slept for the hours of its schedule before, and a shop that had been
    down when a dispute was won never heard of it.
    """
    jumped, heard_twice = threading.Event(), threading.Event()
    town: Any = SimpleNamespace(now=lambda: datetime.now(UTC) + timedelta(hours=jumped.is_set()))
    attempts: list[Outgoing] = []

    def make() -> Outgoing:
        attempts.append(attempt := Outgoing("http://127.0.0.1:9/nobody-listens", b"", {}))
        if len(attempts) == 2:
            heard_twice.set()
        return attempt

    notifier = Notifier(_TownClock(town), Faults(()), (1800, 1800), accepted=lambda _status, _answer: False)
    notifier.start()
    try:
        notifier.send(make)
        notifier.settle()
        assert len(attempts) == 1
        jumped.set()
        assert heard_twice.wait(30)
    finally:
        notifier.stop()
