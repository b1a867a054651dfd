"""The whole of friendpay as bin/up starts it, on loopback and in a folder of its own; to be hurt, then waited for."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from bench.deployment import ROOT, Deployment
from bench.faultproxy import Streams
from friendpay.demo import embedded

VICTIMS = ("web", "worker", "caller", "valkey", "postgres", "a backend of postgres")

_START_SECONDS = 180


class Stack(Deployment):
    """friendpay, running. Everything here may be called while parts of it are down."""

    def __init__(self, data: Path, port: int, key: str, pid: int) -> None:
        servers = embedded.find(data)
        assert servers is not None
        self.servers = servers
        self.data, self.port, self.pid = data, port, pid
        kept = json.loads((data / "secrets.json").read_text())
        own = {"FRIENDPAY_DEMO": "yes", "PUBLIC_URL": f"http://127.0.0.1:{port}", "WEBHOOK_ALLOW_LOOPBACK": "yes"}
        super().__init__(key, {**os.environ, **servers.environment, **kept, **own})
        self.kills = dict.fromkeys(VICTIMS, 0)

    async def dial(self, home: int) -> Streams:
        """A connection to the door, from an address of this person's own: friendpay bounds what one may have open."""
        here = f"127.{1 + home // 62500 % 250}.{1 + home // 250 % 250}.{1 + home % 250}"
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(here, 0))

    def kill(self, victim: str, chance: random.Random) -> bool:
        """SIGKILL to a process that runs; False where there is none just now."""
        with suppress(OSError, psutil.Error, LookupError):
            if victim == "a backend of postgres":
                postmaster = psutil.Process(self._pids()["postgres"])
                backends = [child for child in postmaster.children() if "[local]" in " ".join(child.cmdline())]
                chance.choice(backends).kill()
            else:
                os.kill(self._pids()[victim], signal.SIGKILL)
            self.kills[victim] += 1
            return True
        return False

    def is_up(self) -> bool:
        """Whether every process runs."""
        with suppress(OSError):
            return len(self._pids()) == 5
        return False

    def stop_workers(self) -> None:
        """Nothing works in the background any more."""
        self._stopped = sorted(self._pids().keys() - {"web", "valkey", "postgres"})
        with self._supervisor() as supervisor:
            for name in self._stopped:
                supervisor.supervisor.stopProcess(f"app:{name}")

    def start_workers(self) -> None:
        with self._supervisor() as supervisor:
            for name in self._stopped:
                supervisor.supervisor.startProcess(f"app:{name}", False)

    def pid_of(self, name: str) -> int:
        """The process the supervisor holds under this name."""
        return self._pids()[name]

    def _pids(self) -> dict[str, int]:
        with self._supervisor() as supervisor:
            found: Any = supervisor.supervisor.getAllProcessInfo()
        return {process["name"]: process["pid"] for process in found if process["pid"]}

    def _supervisor(self) -> ServerProxy:
        return ServerProxy(
            "http://supervisor",
            transport=SupervisorTransport(serverurl=f"unix://{self.servers.run / 'supervisor.sock'}"),
        )


@contextmanager
def running(**environment: str) -> Iterator[Stack]:
    """bin/up on a free port and a folder that is removed afterwards, with every process on it and this environment."""
    with tempfile.TemporaryDirectory(prefix="friendpay-chaos-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        data = Path(folder).resolve() / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [str(ROOT / "bin/up"), "--port", str(port), "--data", str(data)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
        try:
            key = _await_key(process)
            stack = Stack(data, port, key, process.pid)
            while not stack.is_up():
                time.sleep(0.1)
            yield stack
        finally:
            process.terminate()
            process.wait(90)


def _await_key(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    key = ""
    for line in process.stdout:
        if line.strip().startswith("key "):
            key = line.split()[1]
        if line.startswith("Ctrl-C"):
            return key
    raise SystemExit("friendpay did not start; the reason is above.")


def web_processes(stack: Stack) -> int:
    """How many processes serve pages: those that were forked from the one, or the one."""
    web = psutil.Process(stack.pid_of("web"))
    return sum(child.cmdline() == web.cmdline() for child in web.children()) or 1
