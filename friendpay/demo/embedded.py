"""PostgreSQL and Valkey out of their wheels, as plain processes on unix sockets, with everything under one data folder.

They run as whoever starts them. PostgreSQL refuses root, so root hands both to `nobody`, who may enter neither a closed
home folder nor the virtual environment in it: the programs are then copied to where he can run them, and he is put into
the folder he writes to before root's rights are dropped. No permission outside the data folder is ever changed.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, NoReturn

import psutil

from friendpay.demo import wheels
from friendpay.demo.wheels import CannotStart

NAMES = ("postgres", "valkey")
STOP_SIGNAL = {
    "postgres": signal.SIGINT,
    "valkey": signal.SIGTERM,
}  # INT: PostgreSQL's "fast", which waits for no client
_PROGRAM = {"postgres": "postgres", "valkey": "valkey-server"}
_SOCKET = {"postgres": ".s.PGSQL.5432", "valkey": "valkey.sock"}
_PID_FILE = {"postgres": "postmaster.pid", "valkey": "valkey.pid"}
_LONGEST_SOCKET = 103  # what macOS takes; Linux takes four more
_PATIENCE = 30.0


@dataclass(frozen=True)
class Servers:
    """The two servers of one data folder. `run` holds their sockets, elsewhere when the folder's own path won't do."""

    data: Path
    run: Path
    account: pwd.struct_passwd | None  # whom they run as; None: whoever we are
    durable: bool  # False: quicker, for tests; a crash of the machine may lose everything

    @property
    def environment(self) -> dict[str, str]:
        """What friendpay's settings need in order to find them."""
        return {
            "DATABASE_URL": f"postgresql://friendpay@/friendpay?host={self.socket('postgres').parent}&port=5432",
            "REDIS_URL": f"unix://{self.socket('valkey')}",
            "CELERY_BROKER_URL": f"redis+socket://{self.socket('valkey')}",
        }

    def home(self, name: str) -> Path:
        return self.data / name

    def socket(self, name: str) -> Path:
        return self.run / name / _SOCKET[name]

    def program(self, name: str) -> str:
        """A program of the wheels, or root's copy of it."""
        return wheels.program(name, self.run / "wheels" if self.account else wheels.installed())

    def command(self, name: str) -> list[str]:
        """How to start it, from inside its home and as its account."""
        program = self.program(_PROGRAM[name])
        if name == "valkey":
            fixed = "--port 0 --unixsocketperm 700 --dir . --pidfile valkey.pid --daemonize no --set-proc-title no"
            keep = ["--save", "", "--appendonly", "yes" if self.durable else "no"]
            return [program, *fixed.split(), *keep, "--unixsocket", str(self.socket(name))]
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self.socket(name).parent),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "UTC",
        }
        if sys.platform == "linux":  # after a crash: one sync of the file system, not one of each of a thousand files
            options["recovery_init_sync_method"] = "syncfs"
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [program, "-D", self._seen(self.home(name)), *(f"--{key}={value}" for key, value in options.items())]

    def pid(self, name: str) -> int | None:
        """The server's process while it lives. A process that merely inherited a dead server's number is not it."""
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            pid = int((self.home(name) / _PID_FILE[name]).read_text().split()[0])
            process = psutil.Process(pid)
            if process.name() == _PROGRAM[name] and process.status() != psutil.STATUS_ZOMBIE:
                return pid
        return None

    def ready(self, name: str) -> bool:
        """Whether it takes work."""
        if self.pid(name) is None:
            return False
        with suppress(OSError, IndexError):
            if name == "postgres":
                return (self.home(name) / _PID_FILE[name]).read_text().split()[-1] == "ready"
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket(name)))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        return False

    def launch(
        self, command: list[str], home: Path, *, stdin: int, stdout: int | IO[bytes], stderr: int | IO[bytes]
    ) -> subprocess.Popen[str]:
        """Run a program inside `home` with its account's rights alone."""
        account = self.account
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            cwd=home,
            env=wheels.ENVIRONMENT,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def make_database(self) -> None:
        """An empty cluster with an empty database; named last, so that one broken off is never taken for whole."""
        unfinished = self.data / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.own(unfinished)
        where = ["-D", self._seen(unfinished)]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        care = [] if self.durable else ["--no-sync"]
        for command, words in (
            ([self.program("initdb"), *where, *locale, *care, "--username=friendpay", "--auth=trust"], ""),
            ([self.program("postgres"), "--single", *where, "postgres"], "CREATE DATABASE friendpay\n"),
        ):
            try:
                process = self.launch(command, unfinished, stdin=PIPE, stdout=DEVNULL, stderr=PIPE)
                _, complaint = process.communicate(words)
            except OSError as error:
                complaint, process = str(error), None
            if process is None or process.returncode:
                why = "".join(complaint.strip().splitlines()[:1])
                raise CannotStart(
                    f"PostgreSQL cannot be set up in {self.data} ({why}). Name another folder with --data."
                )
        (self.data / "prepared").unlink(missing_ok=True)  # it was said of another one (friendpay.demo.prepare)
        unfinished.rename(self.home("postgres"))

    def own(self, folder: Path) -> None:
        """A folder of the account's own, closed to everybody else."""
        owner = self.account.pw_uid if self.account else os.geteuid()
        if not folder.exists():
            folder.mkdir(mode=0o700)
            os.chown(folder, owner, -1)
        elif folder.stat().st_uid != owner:
            raise CannotStart(
                f"{folder} belongs to another user: start as that user, or name another folder with --data."
            )

    def _seen(self, folder: Path) -> str:
        """`folder` as a program names it that was started inside, and might not be allowed to enter it from outside."""
        return "/proc/self/cwd" if self.account and Path("/proc/self/cwd").exists() else str(folder)


def prepare(data: Path, *, durable: bool = True) -> Servers:
    """Make whatever the servers still lack before they can be started. None of them may be running."""
    account = wheels.account()
    data.mkdir(mode=0o711 if account else 0o700, parents=True, exist_ok=True)
    data = data.resolve()
    servers = Servers(data, _run_folder(data, account), account, durable)
    if account:
        wheels.copy(servers.run / "wheels")
    if not (servers.home("postgres") / "PG_VERSION").exists():
        servers.make_database()
    for name in NAMES:
        servers.own(servers.home(name))
        servers.own(servers.socket(name).parent)
        # PostgreSQL would believe this file, should some other process have got the number in it.
        (servers.home(name) / _PID_FILE[name]).unlink(missing_ok=True)
    return servers


def find(data: Path, *, durable: bool = True) -> Servers | None:
    """The servers of a data folder that was prepared before, running or not."""
    run = data.resolve() / "run"
    return Servers(data.resolve(), run.resolve(), wheels.account(), durable) if run.is_dir() else None


def start(data: Path, *, durable: bool = True) -> Servers:
    """Start both and wait until they answer. What an earlier run left behind is stopped first."""
    if left := find(data):
        stop(left)
    servers = prepare(data, durable=durable)
    for name in NAMES:
        with (servers.data / f"{name}.log").open("wb") as log:
            _start(servers, name, log)
    return servers


def stop(servers: Servers) -> None:
    """Stop both, whoever started them; nothing happens to what does not run."""
    for name in reversed(NAMES):
        if pid := servers.pid(name):
            end(psutil.Process(pid), STOP_SIGNAL[name])
    if (servers.data / "run").is_symlink():
        shutil.rmtree(servers.run, ignore_errors=True)
        (servers.data / "run").unlink()


@contextmanager
def running(data: Path, *, durable: bool = True) -> Iterator[Servers]:
    """Both servers for the length of a `with` block."""
    servers = start(data, durable=durable)
    try:
        yield servers
    finally:
        stop(servers)


def become(servers: Servers, name: str) -> NoReturn:
    """Turn this process into the server, so that a supervisor holds the server itself and no shell around it."""
    command = servers.command(name)
    os.chdir(servers.home(name))
    if servers.account:
        os.setgroups([])
        os.setgid(servers.account.pw_gid)
        os.setuid(servers.account.pw_uid)
    os.execve(command[0], command, wheels.ENVIRONMENT)


def end(process: psutil.Process, how: int = signal.SIGTERM) -> None:
    """Ask a process to end, and insist after ten seconds."""
    for signum in (how, signal.SIGKILL):
        with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
            process.send_signal(signum)
            process.wait(10)
        if not process.is_running():
            return


def _start(servers: Servers, name: str, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    process = None
    while not servers.ready(name):
        if time.monotonic() > deadline:
            raise CannotStart(f"{name} does not start; {log.name} says why.")
        # One whose predecessor was killed a moment ago and still holds its memory ends at once: it is tried again.
        if process is None or process.poll() is not None:
            process = servers.launch(servers.command(name), servers.home(name), stdin=DEVNULL, stdout=log, stderr=log)
        time.sleep(0.02)


def _run_folder(data: Path, account: pwd.struct_passwd | None) -> Path:
    """Where the sockets lie: in the data folder, or else, joined to it by a link, in a private temporary one."""
    run = data / "run"
    longest = max(len(str(run / name / socket)) for name, socket in _SOCKET.items())
    closed = account and not all(folder.stat().st_mode & stat.S_IXOTH for folder in (data, *data.parents))
    if longest <= _LONGEST_SOCKET and re.fullmatch(r"[\w./-]+", str(run), re.ASCII) and not closed:
        if run.is_symlink():
            run.unlink()
        run.mkdir(mode=0o711 if account else 0o700, exist_ok=True)
        return run
    if run.is_symlink() and run.is_dir():
        there = run.stat()
        if there.st_uid == os.geteuid() and not there.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return run.resolve()
    if run.is_symlink():
        run.unlink()
    shutil.rmtree(run, ignore_errors=True)
    private = Path(tempfile.mkdtemp(prefix="friendpay-", dir="/tmp"))
    private.chmod(0o711 if account else 0o700)
    run.symlink_to(private)
    return private


def main() -> NoReturn:
    """For the supervisor: become one of the servers of the data folder FRIENDPAY_DATA."""
    name, data = sys.argv[1], Path(os.environ["FRIENDPAY_DATA"])
    servers = find(data)
    if servers is None:
        sys.exit(f"friendpay: {data} was never prepared.")
    become(servers, name)


if __name__ == "__main__":
    main()
