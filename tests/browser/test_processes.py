"""bin/up's processes: whatever is killed comes back, and nothing is left running that was told to stop."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from friendpay.demo import up
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = {
    "web": "web",
    "worker": "worker",
    "caller": "caller",
    "valkey": "valkey-server",
    "postgres": "postgres",
}
LONG = 300.0
"""More than anything here takes on a machine that is busy with other things."""
OURS = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "STATIC_ROOT")


@dataclass
class House:
    """A data folder, a port, and what runs there."""

    data: Path
    port: int

    def start(self) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        return subprocess.Popen(
            [ROOT / "bin" / "up", "--port", str(self.port), "--data", str(self.data)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def serves(self) -> bool:
        """Whether the process that happens to answer does: each remembers for a second that it could not."""
        with suppress(OSError):
            for path in ("readyz", ""):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=20) as answer:
                    if answer.status != 200:
                        return False
            return True
        return False

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all it started, whether it still lives or not."""
        return [process for process in psutil.process_iter() if self._named(process)]

    def program(self, name: str) -> int | None:
        """The process of one program, once its supervisor has it."""
        with suppress(OSError, ValueError, psutil.Error):
            for child in self.supervisor().children():
                if child.name() == PROGRAMS[name]:
                    return int(child.pid)
        return None

    def awaited(self, name: str) -> int:
        """The process of one program, as soon as there is one."""
        ends = time.monotonic() + LONG
        while (found := self.program(name)) is None:
            assert time.monotonic() < ends, name
            time.sleep(0.05)
        return found

    def supervisor(self) -> psutil.Process:
        return psutil.Process(int((self.data / "supervisor.pid").read_text()))

    def _named(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            return up._works_on(process, self.data) or str(self.data) in words or f"--port {self.port}" in words
        return False


def becomes(true: Callable[[], bool], seconds: float = LONG) -> bool:
    """Whether it was true once before so much time had passed. It may be otherwise again a moment later."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "data", free_port())
    yield house
    for process in house.processes():
        process.kill()
    up.end_leftovers(house.data)


def test_whatever_is_killed_comes_back_and_the_end_is_clean(house: House) -> None:
    first = house.start()
    assert becomes(house.serves), first.stdout and first.stdout.read()
    for name in PROGRAMS:
        killed = house.awaited(name)
        os.kill(killed, signal.SIGKILL)
        assert becomes(lambda name=name, killed=killed: house.program(name) not in (None, killed)), name  # type: ignore[misc]
        assert becomes(house.serves), name

    supervisor = house.supervisor()
    second = house.start()
    assert second.wait(LONG) == 1
    assert second.stdout
    assert f"already running on {house.data}" in second.stdout.read()
    assert house.supervisor() == supervisor
    assert supervisor.is_running()
    assert becomes(house.serves)

    first.send_signal(signal.SIGTERM)
    assert first.wait(LONG) == 0
    assert becomes(lambda: house.processes() == [])
    assert first.stdout
    assert "Traceback" not in first.stdout.read()


@pytest.mark.parametrize("victims", ["bin/up", "supervisor", "all"])
def test_after_a_kill_the_next_start_finds_everything_in_order(house: House, victims: str) -> None:
    first = house.start()
    assert becomes(house.serves)
    supervisor = house.supervisor()
    everything = [psutil.Process(first.pid), supervisor, *supervisor.children()]
    for process in {"bin/up": everything[:1], "supervisor": [supervisor], "all": everything}[victims]:
        process.kill()
    first.wait(LONG)

    second = house.start()
    assert becomes(lambda: house.serves() and (house.data / "supervisor.pid").read_text() != f"{supervisor.pid}\n")
    assert [process for process in everything if process.is_running() and process.status() != "zombie"] == []
    second.send_signal(signal.SIGINT)
    assert second.wait(LONG) == 0
    assert becomes(lambda: house.processes() == [])
