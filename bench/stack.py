"""The whole of friendpay as bin/up starts it, on loopback and in a folder of its own; to be hurt, and then waited for.

The database's clock can be made to run fast and to jump: all of friendpay tells the time by it, so that holds end,
links expire and unanswered questions are asked again within a minute instead of hours.
"""

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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
import psycopg
from supervisor.xmlrpc import SupervisorTransport

from friendpay.demo import embedded

ROOT = Path(__file__).resolve().parent.parent
VICTIMS = ("web", "worker", "caller", "valkey", "postgres", "a backend of postgres")

_START_SECONDS = 180
_DUE = """
    SELECT (SELECT count(*) FROM payments_payment WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_refund WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_providerevent WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_paymentrequest
            WHERE status = 'open' AND expires_at <= clock_timestamp() AND amount_held = 0)
        + (SELECT count(*) FROM sandbox_notice WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM orders_event WHERE sequence IS NULL)
        + (SELECT count(*) FROM orders_webhookdelivery WHERE next_attempt_at <= clock_timestamp())
"""
_UNDECIDED = {
    "payment": "SELECT public_id FROM payments_payment WHERE status IN ('created', 'pending')",
    "refund": "SELECT public_id FROM payments_refund WHERE status <> 'succeeded'",
    "payment request": "SELECT public_id FROM payments_paymentrequest WHERE status = 'open'",
    "notification": "SELECT event_id FROM payments_providerevent WHERE applied_at IS NULL",
    "notice of the wallet": "SELECT event_id FROM sandbox_notice WHERE next_attempt_at IS NOT NULL",
    "event": "SELECT public_id FROM orders_event WHERE sequence IS NULL",
    "webhook": "SELECT public_id FROM orders_webhookdelivery WHERE status <> 'delivered'",
}


class Stack:
    """friendpay, running. Everything here may be called while parts of it are down."""

    def __init__(self, data: Path, port: int, key: str, pid: int) -> None:
        self.data, self.port, self.key, self.pid = data, port, key, pid
        self.address = f"http://127.0.0.1:{port}"
        servers = embedded.find(data)
        assert servers is not None
        self.servers = servers
        kept = json.loads((data / "secrets.json").read_text())
        self.environment = {**os.environ, **servers.environment, **kept}
        self.environment |= {"FRIENDPAY_DEMO": "yes", "PUBLIC_URL": self.address, "WEBHOOK_ALLOW_LOOPBACK": "yes"}
        self.kills = dict.fromkeys(VICTIMS, 0)
        self._clock = datetime.now(UTC), datetime.now(UTC), 1  # the town's time, the real one then, how fast it runs

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """To the database, waiting for it while it is down."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(self.servers.environment["DATABASE_URL"], autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

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

    def now(self) -> datetime:
        """What the database's clock says."""
        town, real, rate = self._clock
        return town + (datetime.now(UTC) - real) * rate

    def run_clock(self, rate: int, *, ahead: int = 0) -> None:
        """From now on the database's clock runs `rate` times as fast, `ahead` seconds later than it was."""
        with self.connect() as database:
            now, real = database.execute("SELECT clock_timestamp(), pg_catalog.clock_timestamp()").fetchone() or ()
            database.execute(f"""
                CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
                    SELECT timestamptz '{now}' + interval '{ahead} seconds'
                        + (pg_catalog.clock_timestamp() - timestamptz '{real}') * {rate}
                $$""")
            self._clock = now + timedelta(seconds=ahead), real, rate
            if database.execute("SHOW search_path").fetchone() != ("public, pg_catalog",):
                database.execute("ALTER DATABASE friendpay SET search_path = public, pg_catalog")
                database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def rest(self, seconds: float) -> float | None:
        """Wait until nothing is due; says how long that took, or None when something is due still."""
        began = time.monotonic()
        with self.connect() as database:
            while time.monotonic() < began + seconds:
                if database.execute(_DUE).fetchone() == (0,):
                    return time.monotonic() - began
                time.sleep(0.2)
        return None

    def undecided(self) -> list[str]:
        """Whatever is not final."""
        with self.connect() as database:
            return [f"{what} {row[0]}" for what, sql in _UNDECIDED.items() for row in database.execute(sql)]

    def open_account(self, provider: str, base_url: str, config: dict[str, str]) -> str:
        """Give the demo merchant an account at a wallet that stands there; its public id."""
        made = f"make_stand_in({provider!r}, base_url={base_url!r}, config={config!r})"
        code = f"from payments.management.commands.seed_demo import make_stand_in; print({made}.public_id)"
        return self.manage("shell", "--no-imports", "-c", code).stdout.strip()

    def compare_bills(self) -> None:
        """Now, and not when the half hour comes round."""
        compare = "from payments.settlement import bill_days; bill_days.compare_due()"
        compared = self.manage("shell", "--no-imports", "-c", compare)
        assert compared.returncode == 0, compared.stderr

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One of manage.py's commands, on this database."""
        command = [str(ROOT / ".venv/bin/python"), "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)


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
