"""Fault injection: what can go wrong at a provider, switched on one by one."""

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass

NAMES = {
    "duplicate_notification": "the notification comes twice",
    "reorder_notification": "it waits until the next one has gone out",
    "delay_notification": "it comes `seconds` later",
    "drop_notification": "it never comes",
    "hang_after_commit": "the call takes effect, then no answer for `seconds`",
    "error_after_commit": "the call takes effect, then 500",
    "wrong_amount": "the payer is charged one minor unit less than was asked for",
    "wrong_key": "what the provider signs is signed with a stranger's key",
    "clock_skew": "the provider's clock is `seconds` off in what it signs",
}


@dataclass
class Fault:
    name: str
    times: int = 1  # how often it strikes
    seconds: float = 30.0
    only: str = ""  # strikes only operations that contain this text


class Faults:
    """The switchboard. Each fault strikes `times` times, then is gone."""

    def __init__(self, specs: Iterable[str] = ()) -> None:
        """`specs` as on the command line: NAME[=TIMES][:SECONDS]."""
        self._lock = threading.Lock()
        self._set: list[Fault] = []
        for spec in specs:
            match = re.fullmatch(r"(\w+)(?:=(\d+))?(?::(-?[\d.]+))?", spec)
            if not match:
                raise ValueError(f"{spec!r} is not NAME[=TIMES][:SECONDS]")
            name, times, seconds = match.groups()
            self.set(name, times=int(times or 1), seconds=float(seconds or 30))

    def set(self, name: str, *, times: int = 1, seconds: float = 30.0, only: str = "") -> None:
        if name not in NAMES:
            raise ValueError(f"{name!r} is not one of {', '.join(NAMES)}")
        with self._lock:
            self._set.append(Fault(name, times, seconds, only))

    def take(self, name: str, operation: str = "") -> Fault | None:
        """The fault that strikes now, counted down; None when all is well."""
        with self._lock:
            for fault in self._set:
                if fault.name == name and fault.only in operation:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._set.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._set.clear()

    def listed(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(fault) for fault in self._set]
