"""What a real shop needs to be tried beside friendpay: an environment installed once, a process, and our side of it."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from friendpay.demo.bootstrap import PYTHON, ROOT
from tests.browser.conftest import Stack
from tests.peers import fetched

FOLDER = ROOT / ".friendpay" / "shops"
"""Environments of shops. One is made anew when its lock file, or a package of ours in it, has changed."""
CLIENT = ROOT / "clients" / "python"
INTEGRATIONS = ROOT / "integrations"
_NOT_PACKED = shutil.ignore_patterns("__pycache__", "node_modules", "dist", "build", "*.egg-info", ".*")


@dataclass
class Friendpay:
    """The running friendpay of all shops, as its operator sees it."""

    stack: Stack

    @property
    def address(self) -> str:
        return self.stack.address

    def add_shop(self, name: str, *origins: str) -> str:
        """A new shop with the sandbox wallet, whose buyers may be sent back to these origins. Its test key."""
        kept = json.loads((self.stack.data / "data" / "secrets.json").read_text())
        ours = {
            "FRIENDPAY_DEMO": "yes",
            "WEBHOOK_ALLOW_LOOPBACK": "yes",
            "PUBLIC_URL": self.address,
            "STATIC_ROOT": str(self.stack.data / "data" / "static"),
            "DJANGO_SETTINGS_MODULE": "friendpay.settings",
        }
        told = [word for origin in origins for word in ("--origin", origin)]
        done = subprocess.run(
            [str(PYTHON), "manage.py", "add_shop", name, "--contact", "help@shop.example", "--sandbox", *told],
            cwd=ROOT,
            env={**os.environ, **kept, **ours, **self.stack.servers},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def call(self, key: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call of the API, as the shop with this key."""
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                told: dict[str, Any] = json.loads(answer.read() or b"{}")
                return told
        except urllib.error.HTTPError as refused:
            refused.add_note(refused.read().decode())
            raise

    def order(self, key: str, reference: str) -> dict[str, Any]:
        """The shop's newest order with this reference; fails where there is none."""
        found: list[dict[str, Any]] = self.call(key, "GET", f"/orders?reference={reference}")["data"]
        return found[0]

    def deliveries(self, key: str, type: str) -> list[dict[str, Any]]:
        """What the shop's only webhook endpoint was told of events of this type, newest first."""
        endpoint = self.call(key, "GET", "/webhook-endpoints")["data"][0]
        listed = self.call(key, "GET", f"/webhook-endpoints/{endpoint['id']}/deliveries?limit=100")["data"]
        return [delivery for delivery in listed if delivery["event_type"] == type]

    def deliver_again(self, key: str, type: str) -> None:
        """The newest webhook of this type once more, as it was; returns when the shop has answered."""

        def newest() -> dict[str, Any]:
            return self.deliveries(key, type)[0]

        until(lambda: newest()["status"] != "pending", f"{type} was sent")  # a shop acts before its answer is noted
        told = newest()
        self.call(key, "POST", f"/webhook-deliveries/{told['id']}/redeliver")
        until(lambda: len(newest()["attempts"]) > len(told["attempts"]), f"{type} was sent again")

    def hurry_webhooks(self) -> None:
        """Whatever waits for its next try is due now, as if the hours until then had passed."""
        with self.stack.database() as database:
            database.execute(
                "UPDATE orders_webhookdelivery SET next_attempt_at = clock_timestamp() WHERE status = 'pending'"
            )

    def expire(self, request: str) -> None:
        """The time of an open request (`pr_…`) is over, as if it had been asked for long ago."""
        with self.stack.database() as database:
            database.execute(
                "UPDATE payments_paymentrequest SET created_at = created_at - interval '60 days',"
                " expires_at = clock_timestamp() WHERE public_id = %s AND status = 'open'",
                [request],
            )

    def expire_order(self, order: str) -> None:
        """The time of an order (`ord_…`) is over, and so is that of its open request."""
        with self.stack.database() as database:
            for request in database.execute(
                "SELECT request.public_id FROM payments_paymentrequest AS request"
                " JOIN orders_order ON orders_order.id = order_id WHERE orders_order.public_id = %s",
                [order],
            ).fetchall():
                self.expire(request[0])
            database.execute(
                "UPDATE orders_order SET created_at = created_at - interval '60 days',"
                " expires_at = clock_timestamp() WHERE public_id = %s",
                [order],
            )


@dataclass
class Shop:
    """A shop's own server, as a child process that can be stopped and started again on the same port.

    `begin()` returns when `health` answers below 500; what the server says goes to `log`.
    """

    command: list[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    health: str = "/"
    patience: float = 180
    _kept: socket.socket = field(default_factory=lambda: _kept_port())
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def port(self) -> int:
        return int(self._kept.getsockname()[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        with self.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**clean(), **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: process.poll() is not None or self._answers(), "the shop answers", self.patience)
        assert process.poll() is None, self.log.read_text()[-4000:]

    def end(self) -> None:
        """With its children, at once when it does not want to. A repeat does nothing."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(60)
        self._process = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody answers meanwhile."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    def __enter__(self) -> "Shop":
        self.begin()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}{self.health}", timeout=30):
                return True
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False


def _kept_port() -> socket.socket:
    """A port that nobody else is given, neither before the shop listens there nor while it is down. Who wants to listen
    may, for all servers bind as we do.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    return kept


def until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for something that happens in another process; fails when it does not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def clean() -> dict[str, str]:
    """This machine's environment without what the tests of friendpay have put into it."""
    ours = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in ours}


def python_environment(name: str, lock: Path, *packages: Path) -> Path:
    """The Python of a virtual environment that holds what the lock file names (versions and hashes of all of it), and
    these packages of ours, built and installed as for who uses them. The lock file has to bring setuptools.
    """
    folder = FOLDER / name
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    with _alone(name):
        if _changed(folder, "locked", digest := _digest([lock])):
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([*pip, "--require-hashes", "-r", str(lock)])
            _done(folder, "locked", digest)
        for package in packages:
            if _changed(folder, package.name, digest := _digest(_files(package))):
                copy = folder / "ours" / package.name
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(package, copy, ignore=_NOT_PACKED)
                _run([*pip, "--no-build-isolation", "--force-reinstall", str(copy)])
                _done(folder, package.name, digest)
    return python


def node_environment(name: str, locked: Path, *, scripts: bool = False) -> Path:
    """A folder whose `node_modules` holds what `package-lock.json` in `locked` names; `package.json` lies beside it.

    Programs of the packages run at installation only with `scripts`. `node()` says how to call Node.
    """
    folder = FOLDER / name
    named = [locked / "package.json", locked / "package-lock.json"]
    with _alone(name):
        if _changed(folder, "locked", digest := _digest(named)):
            folder.mkdir(parents=True, exist_ok=True)
            for file in named:
                shutil.copy(file, folder)
            ignore = () if scripts else ("--ignore-scripts",)
            _run([*fetched.node()[1], "ci", *ignore, "--no-audit", "--no-fund"], folder)
            _done(folder, "locked", digest)
    return folder


def built(folder: Path, command: list[str], *packages: Path) -> None:
    """Run what builds these packages of ours into an environment, unless it did so with all of them as they are."""
    name = f"built-{packages[0].name}"
    with _alone(folder.name):
        if _changed(folder, name, digest := _digest(file for package in packages for file in _files(package))):
            _run(command)
            _done(folder, name, digest)


def node() -> list[str]:
    """How to call Node: the machine's own, or that of a wheel."""
    return fetched.node()[0]


@contextmanager
def database(name: str) -> Iterator[str]:
    """The address of an empty database at the PostgreSQL of the tests, for a shop that wants one; dropped after."""
    server = os.environ["DATABASE_URL"]
    address = server.replace("/friendpay?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield address
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=clean(), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def _files(package: Path) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."]
    names = subprocess.run(command, cwd=package, capture_output=True, text=True, check=True).stdout.split("\n")
    return sorted(package / name for name in names if name and (package / name).is_file())


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256(sys.version.encode())
    for file in files:
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def _changed(folder: Path, part: str, digest: str) -> bool:
    mark = folder / f".{part}"
    return not mark.exists() or mark.read_text() != digest


def _done(folder: Path, part: str, digest: str) -> None:
    (folder / f".{part}").write_text(digest)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Two test runs install one after the other."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
