"""Machines of one box: each is a network namespace with an address of its own, all on one bridge. A machine can lose
its power, its cable, or its way to some of the others.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT

BRIDGE = "friendpay0"
NETWORK = "10.77.0"
PEOPLE = "10.78.0.0/16"  # the addresses of those who come from outside
US = f"{NETWORK}.1"
_AS_NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")

_AGAIN = ("sh", "-c", 'while :; do "$@"; sleep 1; done', "service")


def run(*command: str) -> str:
    """Its output. Raises with what it complained of."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr.strip()}")
    return ran.stdout


class Host:
    """One machine. `folder` is its disk, which a loss of power leaves as it is."""

    def __init__(self, name: str, number: int, folder: Path) -> None:
        self.name, self.address, self.folder = name, f"{NETWORK}.{number}", folder / name
        self._cable = f"fp-{name}"
        self._commands: dict[str, tuple[list[str], Mapping[str, str] | None, bool]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.folder.mkdir(mode=0o777)
        self.folder.chmod(0o777)
        run("ip", "netns", "add", self._cable)
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._cable)
        run("ip", "link", "set", self._cable, "master", BRIDGE, "up")
        for words in (
            ("address", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "lo", "up"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", US),
        ):
            run("ip", "-netns", self._cable, *words)

    def install(
        self, name: str, command: list[str], environment: Mapping[str, str] | None = None, *, root: bool = False
    ) -> None:
        """A service that is started with the machine, and again a second after it ended by itself, as systemd does."""
        self._commands[name] = command, environment, root

    def power_on(self, *names: str) -> None:
        """Start these services, or all of them."""
        for name in names or tuple(self._commands):
            command, environment, root = self._commands[name]
            with (self.folder / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    [*self._within(), *(() if root else _AS_NOBODY), *_AGAIN, *command],
                    cwd=None if root else self.folder,
                    env=dict(environment) if environment is not None else None,
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=STDOUT,
                    start_new_session=True,
                )

    def power_off(self) -> None:
        """The plug is pulled: everything ends at once, and nobody is told."""
        while pids := run("ip", "netns", "pids", self._cable).split():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            for process in self._running.values():
                process.poll()
            time.sleep(0.02)

    def cut(self) -> None:
        """Its cable is pulled: what is sent to it, or by it, is lost without a word."""
        run("bridge", "link", "set", "dev", self._cable, "state", "0")

    def mend(self) -> None:
        run("bridge", "link", "set", "dev", self._cable, "state", "3")

    def part_from(self, others: Iterable["Host"]) -> None:
        """Nothing passes between it and these; both still reach everybody else."""
        for other in others:
            run("ip", "-netns", self._cable, "route", "add", "blackhole", f"{other.address}/32")
            run("ip", "-netns", other._cable, "route", "add", "blackhole", f"{self.address}/32")

    def join(self, others: Iterable["Host"]) -> None:
        for other in others:
            run("ip", "-netns", self._cable, "route", "del", "blackhole", f"{other.address}/32")
            run("ip", "-netns", other._cable, "route", "del", "blackhole", f"{self.address}/32")

    def remove(self) -> None:
        self.power_off()
        run("ip", "link", "del", self._cable)
        run("ip", "netns", "del", self._cable)

    def _within(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._cable)


@contextmanager
def network() -> Iterator[None]:
    """A bridge for the machines, and addresses for those who come from outside; nothing is left of it."""
    _clear()
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{US}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    run("ip", "route", "add", "local", PEOPLE, "dev", "lo")
    try:
        yield
    finally:
        _clear()


def _clear() -> None:
    for line in run("ip", "netns", "list").splitlines():
        if (name := line.split()[0]).startswith("fp-"):
            for pid in run("ip", "netns", "pids", name).split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", name)
            with suppress(RuntimeError):  # it goes with its namespace, but not at once
                run("ip", "link", "del", name)
    for words in (("route", "del", "local", PEOPLE, "dev", "lo"), ("link", "del", BRIDGE)):
        with suppress(RuntimeError):
            run("ip", *words)
