"""friendpay as it is put up on a server, on this machine: each process by itself, behind the proxy that `deploy/` has
a configuration for, with an address that is held open as systemd would.
"""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from friendpay.demo import embedded
from tests import debian
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
NAME = "pay.shop.example"
_LISTENS = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&"$GIVEN"'


def becomes(true: Callable[[], bool], seconds: float = 300) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it does not come up"
        time.sleep(0.05)


class Stand:
    """PostgreSQL and Valkey, and whatever of friendpay is started."""

    def __init__(self, folder: Path, servers: embedded.Servers) -> None:
        self.folder, self.servers = folder, servers
        self.inside, self.outside = free_port(), free_port()
        self.address = f"https://localhost:{self.outside}"
        self.key = f"sk_test_{secrets.token_urlsafe(24)}"
        self._began: dict[str, int] = {}  # where in its log a process that runs began
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.listens = socket.create_server(("127.0.0.1", self.inside), backlog=1024)
        self.certificate = folder / "certificate.pem"
        words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,DNS:{NAME}"]
        files = ["-keyout", str(folder / "key.pem"), "-out", str(self.certificate)]
        subprocess.run(["openssl", "req", *words, *names, *files], check=True, capture_output=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")},
            **servers.environment,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": self.address,
            "TRUSTED_PROXIES": "127.0.0.1",
            "STATIC_ROOT": str(folder / "static"),
            "FRIENDPAY_DEMO": "yes",
            "FRIENDPAY_DATA": str(folder),
            "FRIENDPAY_DEMO_KEY": self.key,
            "WEBHOOK_ALLOW_LOOPBACK": "yes",
            "SSL_CERT_FILE": str(self.certificate),
        }

    def fill(self) -> None:
        """The demo's shop, with a wallet, and what pages are made of."""
        self.manage("seed_demo")
        self.manage("collectstatic", "--no-input")

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of manage.py's commands, which has to go well."""
        done = self.try_to(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def try_to(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )

    def start(self, name: str) -> None:
        """One of the units of `deploy/systemd/`, by its own command: `web@1`, `worker@1`."""
        unit, instance = name.split("@")
        line = re.findall(r"^ExecStart=/srv/friendpay/.venv/bin/(.+)$", unit_file(unit).read_text(), re.MULTILINE)[0]
        program, *words = line.replace("%i", instance).replace("%%", "%").split()
        command = [str(Path(sys.executable).parent / program), *words]
        given = {"GIVEN": str(self.listens.fileno())} if unit == "web" else {}
        if given:
            command = ["bash", "-c", _LISTENS, "systemd", *command]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._began[name] = log.tell()
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self.listens.fileno()] if given else [],
            )

    def stop(self, name: str) -> float:
        """As `systemctl stop` does it; says how many seconds it took."""
        began = time.monotonic()
        process = self.processes.pop(name)
        process.terminate()
        patience = re.findall(r"^TimeoutStopSec=(\d+)", unit_file(name.split("@")[0]).read_text(), re.MULTILINE)
        process.wait(float(patience[0]))
        return time.monotonic() - began

    def kill(self, name: str) -> None:
        """It ends in the middle of whatever it does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(60)

    def serves(self, name: str) -> bool:
        """Whether a web process takes calls."""
        said = (self.folder / f"{name}.log").read_bytes()[self._began[name] :]
        return b"Pages are served" in said

    def is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.inside}/readyz", trust_env=False).status_code == 200
        return False

    def end(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        self.listens.close()


def unit_file(unit: str) -> Path:
    return DEPLOY / "systemd" / f"friendpay-{unit}@.service"


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    """Its two servers alone; what else is wanted is started."""
    with embedded.running(folder / "data", durable=False) as servers:
        stand = Stand(folder, servers)
        try:
            stand.manage("migrate", "--no-input")
            stand.fill()
            yield stand
        finally:
            stand.end()


@contextmanager
def nginx(stand: Stand) -> Iterator[None]:
    """`deploy/nginx/friendpay.conf` with this stand's address and certificate, inside the least that nginx wants."""
    conf = (DEPLOY / "nginx" / "friendpay.conf").read_text()
    for ours, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{stand.inside}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{stand.outside} ssl"),
        (f"server_name {NAME};", f"server_name {NAME} localhost;"),
        (f"/etc/ssl/{NAME}.pem", str(stand.certificate)),
        (f"/etc/ssl/{NAME}.key", str(stand.folder / "key.pem")),
    ):
        assert ours in conf, ours
        conf = conf.replace(ours, here)
    home = stand.folder / "nginx"
    home.mkdir(exist_ok=True)
    bodies = "".join(
        f"{kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "friendpay.conf").write_text(conf)
    (home / "nginx.conf").write_text(
        f"daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n"
        f"events {{ worker_connections 4096; }}\n"
        f"http {{\naccess_log off;\n{bodies}include {home}/friendpay.conf;\n}}\n"
    )
    program = debian.program("nginx", "nginx")
    asked = [program, "-e", str(home / "error.log"), "-p", str(home), "-c", str(home / "nginx.conf")]
    checked = subprocess.run([*asked, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with running(asked, stand.outside):
        yield


@contextmanager
def haproxy(stand: Stand) -> Iterator[None]:
    """`deploy/haproxy/haproxy.cfg` likewise, with one machine behind it that there is and one that there is not."""
    conf = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    both = stand.folder / "both.pem"
    both.write_text(stand.certificate.read_text() + (stand.folder / "key.pem").read_text())
    for ours, here in (
        ("maxconn 20000\n", "maxconn 1000\n"),  # this machine may not let it open so many files
        ("bind :80\n", f"bind 127.0.0.1:{free_port()}\n"),
        ("bind :443 ssl", f"bind 127.0.0.1:{stand.outside} ssl"),
        (f"/etc/ssl/{NAME}.pem", str(both)),
        ("10.0.0.11:8000", f"127.0.0.1:{stand.inside}"),
        ("10.0.0.12:8000", f"127.0.0.1:{free_port()}"),
    ):
        assert ours in conf, ours
        conf = conf.replace(ours, here)
    (stand.folder / "haproxy.cfg").write_text(conf)
    program = debian.program("haproxy", "haproxy")
    asked = [program, "-f", str(stand.folder / "haproxy.cfg")]
    checked = subprocess.run([*asked, "-c"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with running([*asked, "-db"], stand.outside):
        yield


@contextmanager
def running(
    command: list[str],
    port: int,
    *,
    user: int | None = None,
    environment: dict[str, str] | None = None,
    ends: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """A server for the length of a `with` block, from when it takes connections: with all it started, it ends so."""

    def is_open() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    def answers() -> bool:
        assert process.poll() is None, f"{command[0]} ended"
        return is_open()

    quiet = subprocess.DEVNULL
    with ExitStack() as stack:
        process = subprocess.Popen(
            command,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            user=user,
            env=environment,
            start_new_session=True,
        )
        stack.callback(becomes, lambda: not is_open())  # what it started may end after it
        stack.callback(process.wait, 60)
        stack.callback(os.killpg, process.pid, ends)
        becomes(answers)
        yield
