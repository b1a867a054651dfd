"""The backup of docs/operate.md, drilled: the database is lost while people pay, and comes back with all that was
acknowledged; or as it was at a moment before.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import psycopg
import pytest

from friendpay.demo import embedded
from friendpay.demo.wheels import CannotStart
from tests.deploy.stand import ROOT, becomes

pytestmark = pytest.mark.proof

PAY = """
from tests.shop import hold, make_merchant, make_order, make_request, succeed
shop = make_merchant()
while True:
    print(succeed(hold(make_request(make_order(shop)))).public_id, flush=True)
"""
"""Each line is one payment that was acknowledged."""


@dataclass
class Drill:
    """A cluster that is backed up to `backup`, and received by another machine as it writes."""

    folder: Path
    servers: embedded.Servers

    def start(self) -> None:
        """Its sockets may lie elsewhere than before."""
        self.servers = embedded.start(self.folder / "data")

    @property
    def environment(self) -> dict[str, str]:
        ours = {"FRIENDPAY_DEMO": "yes", "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return {**os.environ, **self.servers.environment, **ours}

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    def own(self, name: str) -> Path:
        """A folder that PostgreSQL may write to."""
        made = self.backup / name
        made.mkdir(mode=0o700)
        if self.servers.account:
            os.chown(made, self.servers.account.pw_uid, -1)
        return made

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.servers.environment["DATABASE_URL"], autocommit=True)

    def program(self, name: str, *words: str) -> "subprocess.Popen[str]":
        command = [self.servers.program(name), "-U", "friendpay", "-h", str(self.servers.socket("postgres").parent)]
        with (self.folder / f"{name}.log").open("ab") as log:
            return self.servers.launch([*command, *words], self.backup, stdin=DEVNULL, stdout=log, stderr=log)

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def people_paying(self) -> Iterator[list[str]]:
        """What was acknowledged so far, while it grows."""
        told = self.folder / "told"
        with told.open("w") as file:
            command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", PAY]
            paying = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=file, stderr=DEVNULL)
        acknowledged: list[str] = []
        try:
            yield acknowledged
        finally:
            paying.kill()
            paying.wait(60)
            acknowledged += [line for line in told.read_text().splitlines(keepends=False) if line]

    def count(self) -> int:
        return len((self.folder / "told").read_text().splitlines())

    def lose(self) -> None:
        """The machine is gone, and all on it."""
        embedded_pid = self.servers.pid("postgres")
        assert embedded_pid
        os.kill(embedded_pid, signal.SIGKILL)
        becomes(self._is_gone)

    def _is_gone(self) -> bool:
        home = self.servers.home("postgres")
        shutil.rmtree(home, ignore_errors=True)  # its processes end one after the other, and may still write
        return not home.exists()

    def restore(self, *more: str) -> float:
        """As docs/operate.md says; how many seconds it took."""
        began = time.monotonic()
        home = self.servers.home("postgres")
        subprocess.run(["cp", "-a", str(self.backup / "base"), str(home)], check=True)
        wal, received = self.backup / "wal", self.backup / "received"
        find = f"cp {wal}/%f %p || cp {received}/%f %p || cp {received}/%f.partial %p"
        lines = [f"restore_command = '{find}'", "archive_mode = off", "synchronous_standby_names = ''", *more]
        with (home / "postgresql.auto.conf").open("a") as conf:
            conf.write("\n".join(lines) + "\n")
        (home / "recovery.signal").touch()
        try:
            self.start()
        except CannotStart:
            pytest.fail((self.folder / "data" / "postgres.log").read_text()[-3000:])
        becomes(self.is_primary)
        return time.monotonic() - began

    def is_primary(self) -> bool:
        with self.connect() as database:
            return database.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

    def paid(self) -> set[object]:
        with self.connect() as database:
            return {
                row[0] for row in database.execute("SELECT public_id FROM payments_payment WHERE amount_applied > 0")
            }


@pytest.fixture
def drill() -> Iterator[Drill]:
    """In a folder that PostgreSQL's own user may enter, for it is PostgreSQL that archives."""
    folder = Path(tempfile.mkdtemp(prefix="friendpay-drill-"))
    folder.chmod(0o711)
    drill = Drill(folder, embedded.start(folder / "data"))
    drill.backup.mkdir(mode=0o711)
    try:
        archive(drill)
        drill.manage("migrate", "--no-input")
        yield drill
    finally:
        embedded.stop(drill.servers)
        shutil.rmtree(folder, ignore_errors=True)


def archive(drill: Drill) -> None:
    """With the very lines of docs/operate.md."""
    drill.own("wal")
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    lines = dict(re.findall(r"^ {4}(wal_level|archive_\w+) = (.+)$", text, re.MULTILINE))
    assert set(lines) == {"wal_level", "archive_mode", "archive_command", "archive_timeout"}
    with drill.connect() as database:
        for name, value in lines.items():
            told = value.strip("'").replace("/backup", str(drill.backup)).replace("'", "''")
            database.execute(f"ALTER SYSTEM SET {name} = '{told}'".encode())
    embedded.stop(drill.servers)
    drill.start()


def test_a_lost_database_comes_back_with_every_payment_that_was_acknowledged(drill: Drill) -> None:
    for name in ("base", "received"):
        drill.own(name)
    base = drill.program("pg_basebackup", "--pgdata=base", "--checkpoint=fast", "--wal-method=none")
    assert base.wait(300) == 0, (drill.folder / "pg_basebackup.log").read_text()
    told = ["--directory=received", "--synchronous", "--no-loop", "--dbname=application_name=elsewhere"]
    receiver = drill.program("pg_receivewal", *told)
    with drill.connect() as database:
        database.execute("ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'")
        database.execute("SELECT pg_reload_conf()")
    with drill.people_paying() as acknowledged:
        becomes(lambda: drill.count() >= 40)
        with drill.connect() as database:
            before = drill.paid()
            (moment,) = database.execute("SELECT clock_timestamp()").fetchone() or (None,)
            database.execute(
                "SELECT pg_switch_wal()"
            )  # so that some of it is in an archived segment, the rest in the last
        some = drill.count()
        becomes(lambda: drill.count() >= some + 40)
        drill.lose()
        receiver.wait(120)
    seconds = drill.restore()
    lost = set(acknowledged) - drill.paid()
    drill.manage("check_ledger")
    print(f"\n{len(acknowledged)} payments acknowledged, {len(lost)} lost; restored in {seconds:.1f} s")
    assert lost == set()

    drill.lose()
    seconds = drill.restore(f"recovery_target_time = '{moment}'", "recovery_target_action = 'promote'")
    drill.manage("check_ledger")
    then = drill.paid()
    print(f"as it was at {moment}: {len(then)} payments, in {seconds:.1f} s")
    assert before - then == set()
    assert set(acknowledged) - then, "what came later is not there"
