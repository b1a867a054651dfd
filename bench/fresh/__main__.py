"""docs/deploy.md walked word for word on a fresh Debian with systemd: to a first payment, and what comes after it.

    .venv/bin/python -m bench.fresh              # as root; wants debootstrap, systemd-container, nftables and pebble
    .venv/bin/python -m bench.fresh --folder /var/tmp/fresh    # keeps what was bootstrapped for the next walk

Each command of the guide is typed as it stands there; `…` is filled in, and questions are answered. Then the machine is
booted again, a new version is rolled out while friends pay, and the database is lost and restored, as docs/operate.md
says. Ends with an error at the first command that fails. Not of the real world: the authority for certificates, which
is Pebble, and a shop's own gateway as the live wallet, which moves no money.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b32decode
from contextlib import ExitStack
from pathlib import Path

from django_otp.oath import TOTP

from bench.fresh import machine, outside
from bench.fresh.guide import Section, sections
from bench.fresh.machine import Answers, Machine, Terminal

SECONDS_AN_ANSWER = 15  # to a question that a command asks
PASSWORD = "correct horse battery staple"  # noqa: S105
_INSIDE = "FRIENDPAY_FRESH"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the machine stands (default: a folder that goes away)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the machine is powered off
    folder = given.folder or Path(tempfile.mkdtemp(prefix="friendpay-fresh-"))
    if _INSIDE in os.environ:
        with ExitStack() as stack:
            Walk(folder, stack).all()
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with machine.network() as inside:
            words = [*inside, sys.executable, "-m", "bench.fresh", "--folder", str(folder)]
            return subprocess.run(words, env={**os.environ, _INSIDE: "yes"}, check=False).returncode
    finally:
        if not given.folder:
            shutil.rmtree(folder)


class Walk:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        for old in ("friendpay.git", "fresh.console", "terminal.log"):
            shutil.rmtree(folder / old, ignore_errors=True)
            (folder / old).unlink(missing_ok=True)
        trusted = outside.certificate(folder)
        (folder / "hosts").write_text(machine.HOSTS)
        machine.sh(f"mount --bind {folder / 'hosts'} /etc/hosts")
        began = time.monotonic()
        machine.prepare(folder / "base", trusted)
        self.machine = Machine(folder / "base", folder / "fresh")
        stack.enter_context(outside.authority(folder))
        self.address = stack.enter_context(outside.repository(folder))
        self.shop = outside.Shop(folder)
        stack.enter_context(self.shop.open())
        self._trust()
        stack.callback(self.machine.power_off)
        print(f"a fresh machine after {time.monotonic() - began:.0f} s, booted in {self.machine.boot():.1f} s")
        self.terminal = Terminal(self.machine, folder / "terminal.log")
        stack.callback(lambda: self.terminal.close())
        self.key = self.url = ""
        self.rows: list[tuple[str, float, float]] = []

    def _trust(self) -> None:
        """The authority is known to the machine, as the real one is to every Debian; and certbot is told of it."""
        root = self.machine.home / "usr/local/share/ca-certificates/authority.crt"
        root.write_text(outside.roots(self.folder))
        os.environ["SSL_CERT_FILE"] = str(root)  # whoever calls friendpay from here knows it
        machine.sh(f"chroot {self.machine.home} update-ca-certificates")
        config = self.machine.home / "root/.config/letsencrypt"
        config.mkdir(parents=True)
        (config / "cli.ini").write_text(f"server = {outside.AUTHORITY}\n")

    def all(self) -> None:
        for title, section in sections(outside.ROOT / "docs/deploy.md").items():
            if section.commands:
                self.follow(title, section)
        self.pay_first()
        total = sum(worked + read for _title, worked, read in self.rows) / 60
        print(f"\n{'section of docs/deploy.md':44} machine  reading and typing")
        for title, worked, read in self.rows:
            print(f"{title:44} {worked:5.0f} s  {read:5.0f} s")
        print(f"{total:.0f} minutes to a first payment, read and typed by a person\n")
        self.verify()
        self.reboot()
        operate = sections(outside.ROOT / "docs/operate.md")
        self.upgrade(operate["Rolling restart and a new version"])
        self.lose_and_restore(operate)
        print(f"The shop heard {len(self.shop.heard)} webhooks, {self.shop.refused} of them not signed for it.")
        assert self.shop.heard
        assert not self.shop.refused

    def follow(self, title: str, section: Section) -> None:
        """Type it all."""
        began, asked = time.monotonic(), 0
        for command in section.commands:
            asked += self.type(command)
        self.rows.append((title, time.monotonic() - began, section.reading + asked * SECONDS_AN_ANSWER))

    def type(self, command: str) -> int:
        """One command, with what stands for `…`; how many questions it asked."""
        for words, meant in (
            ("git clone …", f"git clone {self.address}"),
            ("git checkout …", "git checkout next"),
            ("KEY=…", f"KEY={self.key}"),
        ):
            command = command.replace(words, meant)
        answers: Answers = {}
        if command.startswith("certbot"):
            answers = {
                r"\(Enter 'c' to cancel\): $": "me@shop.example",
                r"EFF news[^(]*\(Y\)es/\(N\)o: $": "n",
                r"\(Y\)es/\(N\)o: $": "y",
            }
        if command.endswith("manage.py setup"):
            answers = self.answers()
        said = self.terminal.type(command, answers)
        if command.endswith("manage.py setup"):
            self.key = _found(r"(sk_live_\S+)", said)
            self.shop.webhook_secret = re.findall(r"whsec_\S+", said)[-1]
        if "pip install" in command:
            self.know_the_shop()
        if command.endswith("manage.py doctor"):
            print("\n".join(line for line in said.splitlines() if line.startswith(("warning", "wrong"))))
            assert "\nwrong" not in said
        if "manage.py check --deploy" in command:
            assert "no issues" in said
        if "/readyz" in command:
            self.until_ready()
        if "/api/v1/orders" in command:
            self.url = _found(r'"url": ?"(https://[^"]+/p/[^"]+)"', said)
        return len(answers)

    def know_the_shop(self) -> None:
        """Its certificate is among those that Python's programs bring along, as a real one's authority would be."""
        for known in self.machine.home.glob("srv/friendpay/.venv/lib/*/site-packages/certifi/cacert.pem"):
            with known.open("a") as file:
                file.write((self.folder / "outside.pem").read_text())

    def until_ready(self) -> None:
        ends = time.monotonic() + 30
        while '"background": "ok"' not in self.machine.run("curl -s http://127.0.0.1:8000/readyz"):
            assert time.monotonic() < ends, "it is not ready after half a minute"
            time.sleep(0.5)

    def answers(self) -> Answers:
        def code(said: str) -> str:
            key = _found(r"or type its key: (\S+)", said)
            time.sleep(1)  # a person takes longer
            return f"{TOTP(b32decode(key)).token():06}"

        def knows(said: str) -> str:
            self.shop.knows(_found(r"The account is (acc_\w+)", said))
            return ""

        return {
            "Press Enter.*: $": knows,
            "login at the desk: $": "lin",
            "Its password: $": PASSWORD,
            "six digits it shows: $": code,
            "The shop's name.*: $": "Harbour Tea",
            "Where payers can ask.*: $": "help@shop.example",
            "Its website.*: $": f"https://{machine.SHOP}",
            "The wallet .*: $": "house",
            "own gateway: $": f"https://{machine.SHOP}/",
            "secret: $": self.shop.secret,
            "label .*: $": "",
            "What it grants.*: $": "",
            "Where the shop's server.*: $": f"https://{machine.SHOP}/hooks",
        }

    def pay_first(self) -> None:
        assert asyncio.run(outside.friend(outside.town(self.folder, self.key, "first"), self.url)) == "paid"
        ends = time.monotonic() + 20
        while "order.paid" not in self.shop.heard:
            assert time.monotonic() < ends, f"the shop heard {self.shop.heard}"
            time.sleep(0.2)

    def verify(self) -> None:
        """As section 9 wants it done at the desk: else a new shop may not ask for more than a little."""
        sql = "UPDATE orders_merchant SET is_verified = true"
        self.machine.run(f"cd /; runuser -u postgres -- psql friendpay -c '{sql}'")

    def reboot(self) -> None:
        """All comes back by itself."""
        self.terminal.close()
        self.machine.power_off()
        began = time.monotonic()
        self.machine.boot()
        self.terminal = Terminal(self.machine, self.folder / "terminal.log")
        self.type(f"SITE={machine.NAME}")
        self.until_ready()
        print(f"booted again: ready after {time.monotonic() - began:.0f} s")
        with outside.Load(self.folder, self.key, "rebooted"):
            time.sleep(3)

    def upgrade(self, section: Section) -> None:
        with outside.Load(self.folder, self.key, "upgrade") as load:
            time.sleep(3)
            for command in section.commands:
                self.type(command)
            time.sleep(5)
        longest = max(load.watch.gaps, default=0)
        print(f"a new version while {load.paid} paid: failed {dict(load.failed())}, sockets back in {longest:.1f} s")
        assert load.paid
        assert not load.failed()
        assert longest < 3

    def lose_and_restore(self, operate: dict[str, Section]) -> None:
        """Backups are switched on, people pay, the database's folder is lost but for its WAL, and comes back."""
        for command in operate["Backups"].commands:
            self.type(command)
        with outside.Load(self.folder, self.key, "after the backup") as load:
            time.sleep(8)
        before = self._paid()
        began = time.monotonic()
        for command in operate["Restore"].commands:
            if "pg_is_in_recovery" in command:
                while "\nf\r" not in self.terminal.type(command):
                    time.sleep(0.2)
            else:
                self.type(command)
        after, took = self._paid(), time.monotonic() - began
        print(
            f"{load.paid} paid after the base backup; restored in {took:.0f} s: {before} payments before, {after} after"
        )
        assert before == after
        self.type("runuser -u friendpay -- bash")
        self.type("cd /srv/friendpay && set -a && . /etc/friendpay/friendpay.env && set +a")
        self.type(".venv/bin/python manage.py check_ledger")
        self.type("exit")
        self.type("systemctl start friendpay.target")
        self.until_ready()

    def _paid(self) -> int:
        query = "SELECT count(*) FROM payments_payment WHERE amount_applied > 0"
        return int(self.machine.run(f"cd /; runuser -u postgres -- psql -At friendpay -c '{query}'"))


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, f"no {pattern} in: {said[-2000:]}"
    return found[1]


sys.exit(main())
