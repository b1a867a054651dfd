"""A fresh Debian in a folder, booted by systemd-nspawn with a network of its own; and a terminal at it.

Who walks has that network too (`python -m bench.fresh` begins itself anew in one), and so is the world around the
machine: what listens here is reached from there by its name.
"""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "pay.shop.example"
SHOP = "shop.example"
ADDRESS, GATE = "10.77.0.2", "10.77.0.1"
SHOP_ADDRESS = "3ffe::10"  # the 6bone, given back in 2006 (RFC 3701): nobody has it; friendpay calls no private one
HOSTS = f"127.0.0.1 localhost acme.example\n{ADDRESS} {NAME}\n{SHOP_ADDRESS} {SHOP}\n"
RELEASE, MIRROR = "bookworm", "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
_PACKAGES = "systemd,systemd-sysv,dbus,libpam-systemd,ca-certificates"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)
_PROMPT = re.compile(r"\w+@[\w.-]+:[^\n]*[#$] $")

Answers = Mapping[str, "str | Callable[[str], str]"]
"""What is typed when something is asked: by a pattern of the question, a line, or what makes it of what was said."""


def sh(command: str) -> str:
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def network() -> Iterator[list[str]]:
    """A network of its own that leads out by way of this machine's; what begins a command in it."""
    sh(f"""
        ip netns add friendpay0
        ip link add friendpay0 type veth peer name eth0 netns friendpay0
        ip addr add {GATE}/24 dev friendpay0
        ip link set friendpay0 up
        ip -n friendpay0 link set lo up
        ip -n friendpay0 addr add {SHOP_ADDRESS}/128 dev lo nodad
        ip -n friendpay0 addr add {ADDRESS}/24 dev eth0
        ip -n friendpay0 link set eth0 up
        ip -n friendpay0 route add default via {GATE}
        sysctl -qw net.ipv4.ip_forward=1
        nft add table ip friendpay0
        nft 'add chain ip friendpay0 out {{ type nat hook postrouting priority 100; }}'
        nft add rule ip friendpay0 out ip saddr {ADDRESS} oifname != friendpay0 masquerade""")
    try:
        yield ["nsenter", "--net=/run/netns/friendpay0", "unshare", "--mount"]
    finally:
        sh("ip netns del friendpay0; nft delete table ip friendpay0")


def prepare(base: Path, trusted: Path) -> None:
    """A minimal Debian, which gets its packages from where this machine does, and trusts whom it trusts."""
    if not base.exists():
        sh(f"debootstrap --variant=minbase --include={_PACKAGES} {RELEASE} {base}.part {MIRROR}; mv {base}.part {base}")
    (base / "etc/apt/sources.list").write_text(
        f"deb {MIRROR} {RELEASE} main\ndeb {MIRROR} {RELEASE}-updates main\ndeb {SECURITY} {RELEASE}-security main\n"
    )
    for own in (Path("/etc/pip.conf"), *Path("/etc/apt/apt.conf.d").glob("99*")):
        if own.exists():
            shutil.copy(own, base / str(own)[1:])
    known = set(_PEM.findall((base / "etc/ssl/certs/ca-certificates.crt").read_text()))
    here = set(_PEM.findall(Path("/etc/ssl/certs/ca-certificates.crt").read_text())) | {trusted.read_text()}
    for number, certificate in enumerate(sorted(here - known)):
        (base / f"usr/local/share/ca-certificates/more-{number}.crt").write_text(certificate)
    sh(f"chroot {base} update-ca-certificates")
    (base / "etc/hostname").write_text(f"{NAME}\n")
    (base / "etc/hosts").write_text(HOSTS)


class Machine:
    """A copy of the fresh one, from boot to power off."""

    def __init__(self, base: Path, home: Path) -> None:
        self.home = home
        shutil.rmtree(home, ignore_errors=True)
        sh(f"cp -a {base} {home}")

    def boot(self) -> float:
        """Until systemd says that all is started; in how many seconds."""
        began = time.monotonic()
        words = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--machine=fresh"]
        with self.home.with_suffix(".console").open("ab") as log:
            self._nspawn = subprocess.Popen(
                [*words, "--resolv-conf=replace-host", f"--directory={self.home}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while not self._is_running():
            if self._nspawn.poll() is not None or time.monotonic() > began + 120:
                raise SystemExit(f"It does not boot: {self.home.with_suffix('.console').read_text()[-3000:]}")
            time.sleep(0.2)
        return time.monotonic() - began

    def _is_running(self) -> bool:
        """Degraded would be one unit that failed."""
        with suppress(subprocess.CalledProcessError, StopIteration):
            return "running" in self.run("systemctl is-system-running || true")
        return False

    def power_off(self) -> None:
        if self._nspawn.poll() is None:
            with suppress(subprocess.CalledProcessError, StopIteration):
                self.run("systemctl poweroff")
            try:
                self._nspawn.wait(60)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait(10)

    def inside(self, *command: str) -> list[str]:
        """What runs a command there, as root who has just logged in."""
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        first = next(iter(children))
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        enter = ["nsenter", "-t", first, "--mount", "--uts", "--ipc", "--pid", "--cgroup"]
        return [*clean, "TERM=dumb", *enter, *command]

    def run(self, command: str) -> str:
        words = self.inside("bash", "-c", f"cd; {command}")
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Terminal:
    """A shell at the machine, as who types at it sees it."""

    def __init__(self, machine: Machine, log: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 4000, 0, 0))  # no line is broken
        self._log = log.open("a", encoding="utf-8")
        self._shell = subprocess.Popen(
            machine.inside("bash", "-i"), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._until({}, 10)

    def type(self, command: str, answers: Answers | None = None, *, seconds: float = 600) -> str:
        """A command, word for word; what it said. SystemExit where it fails: then the guide is wrong, or friendpay."""
        said = self._line(command, answers or {}, seconds)
        status = self._line("echo status=$?", {}, 20)
        if "status=0\r" not in status:
            raise SystemExit(f"It fails: {command}\n{said[-4000:]}{status}")
        return said

    def _line(self, text: str, answers: Answers, seconds: float) -> str:
        os.write(self._master, f"{text}\n".encode())
        return self._until(answers, seconds)

    def _until(self, answers: Answers, seconds: float) -> str:
        """Read until a prompt stands there, and answer what is asked meanwhile."""
        said, done, ends = "", 0, time.monotonic() + seconds
        os.set_blocking(self._master, False)
        while True:
            with suppress(BlockingIOError):
                some = os.read(self._master, 65536).decode(errors="replace")
                said += some
                self._log.write(some)
                self._log.flush()
                continue
            if _PROMPT.search(said):
                return said
            for question, answer in answers.items():
                if re.search(question, said[done:]):
                    done = len(said)
                    line = answer if isinstance(answer, str) else answer(said)
                    os.write(self._master, f"{line}\n".encode())
                    break
            if time.monotonic() > ends:
                raise SystemExit(f"It waits for something nobody told of:\n{said[-3000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGHUP)
        self._shell.wait(10)
        os.close(self._master)
