"""The emulators of the chaos bench: what they have still to tell comes when the town's clock says so."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bench.emulated import EmulatedHouse, EmulatedStripe, _TownClock
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


@pytest.mark.parametrize("kind", [EmulatedStripe, EmulatedHouse])
@pytest.mark.parametrize("ends", ["won", "lost"])
def test_of_a_disputes_end_that_is_not_told_nothing_is_sent(
    kind: type[EmulatedStripe | EmulatedHouse], ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, sent = kind(), []
    bank.account, bank.emulator = "acc_1", kind.company(notify_url="http://127.0.0.1:9/")
    monkeypatch.setattr(bank.emulator.notifier, "send", lambda _make, kind="": sent.append(kind))
    _captured(bank)
    sent.clear()
    bank.dispute("pay1", ends, told=False)
    assert [kind for kind in sent if "dispute" in kind] == sent != []
    assert not any("closed" in kind or "reinstated" in kind for kind in sent)
    assert [(it.amount, it.lost) for it in bank._contested()] == ([(100, True)] if ends == "lost" else [])
    before = len(sent)
    bank.dispute("pay1", "open")
    assert len(sent) > before


def _captured(bank: EmulatedStripe | EmulatedHouse) -> None:
    book: Any = bank.emulator.book
    if isinstance(bank, EmulatedHouse):
        link = {"reference": "pay1", "account": "acc_1", "amount": 100, "currency": "EUR", "notify_url": ""}
        book.open(link | {"expires": 2**40})
        book.capture("pay1")
        return
    price = {"quantity": "1", "price_data": {"currency": "eur", "unit_amount": "100"}}
    data = {"metadata": {"friendpay_reference": "pay1"}}
    session = {"line_items": {"0": price}, "success_url": "https://x.example/", "payment_intent_data": data}
    book.pay(book.open_session(session))
