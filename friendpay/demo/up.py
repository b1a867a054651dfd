"""bin/up inside the virtual environment: claim the data, start everything under a supervisor, say where it is, wait.

The claim is a lock that dies with us. Whoever gets it is alone: a process then found at work on the same data was left
behind by a start that was killed, and is stopped first.
"""

import argparse
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, NoReturn
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from friendpay.demo import embedded, options, prepare
from friendpay.demo.bootstrap import PYTHON, ROOT
from friendpay.demo.wheels import CannotStart

_CONFIG = ROOT / "friendpay" / "demo" / "supervisor.conf"
_PATIENCE = 60.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to end: Ctrl-C, TERM, or a closed terminal."""


def main(chosen: argparse.Namespace) -> int:
    """Serve until told to stop. Ends with 0 then, else with one line that says why not."""
    for signum in _ENDING:
        signal.signal(signum, _stop)
    try:
        with _claim(chosen) as claim:
            _serve(chosen, claim)
    except Stopped:
        return 0
    except CannotStart as reason:
        _fail(str(reason))


def _serve(chosen: argparse.Namespace, claim: IO[str]) -> NoReturn:
    data: Path = chosen.data
    end_leftovers(data)
    options.refuse_taken_port(chosen.host, chosen.port)
    kept = _kept(data)
    servers = embedded.prepare(data)
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    address = options.url(chosen.address, chosen.port)
    json.dump({"pid": os.getpid(), "address": address}, claim)
    claim.flush()
    wallets = {name: options.free_port(chosen.host) for name in (_simulated() if chosen.emulators else ())}
    environment = _environment(chosen, servers, address, kept) | {"FRIENDPAY_EMULATORS": json.dumps(wallets)}
    supervisor = subprocess.Popen(
        [str(PYTHON), "-m", "friendpay.demo.supervise", "-c", str(_CONFIG)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us alone; we end the rest in order
    )
    preparing = subprocess.Popen(
        [str(PYTHON), "-m", "friendpay.demo.prepare"], cwd=ROOT, env=environment, stdin=subprocess.PIPE
    )
    try:
        _await(supervisor, data, "postgres and valkey", lambda: all(map(servers.ready, embedded.NAMES)))
        if known := prepare.is_done(data):
            _start(servers, "web")
        preparing.communicate()  # the end of its input is what it waits for
        if preparing.returncode:
            _fail("the database could not be brought up to date; the reason is above.")
        if not known:
            _start(servers, "web")
        _await(supervisor, data, "web", lambda: _answers(chosen, chosen.port, "/readyz"))
        for name in ("worker", "caller", *(["wallets"] if wallets else [])):
            _start(servers, name)
        for port in wallets.values():
            _await(supervisor, data, "wallets", partial(_answers, chosen, port, "/_emulator/account"))
        _announce(chosen, address, kept, wallets)
        supervisor.wait()
        _fail(f"the supervisor ended; {data}/log/supervisor.log may say why. Start again: nothing is lost.")
    finally:
        for signum in _ENDING:
            signal.signal(signum, signal.SIG_IGN)
        preparing.kill()
        supervisor.terminate()
        with suppress(subprocess.TimeoutExpired):
            supervisor.wait(50)
        end_leftovers(data)


def end_leftovers(data: Path) -> None:
    """Stop every process at work on this data. Only who holds the claim may ask for it."""
    found = [process for process in psutil.process_iter() if _works_on(process, data)]
    found.sort(key=lambda process: process.pid)  # the supervisor comes first: it would restart the rest
    pids = {process.pid for process in found}
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate() if process.ppid() in pids else process.kill()
    _, alive = psutil.wait_procs(found, timeout=3)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if servers := embedded.find(data):
        embedded.stop(servers)


def _works_on(process: psutil.Process, data: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return bool(process.pid != os.getpid() and process.environ().get("FRIENDPAY_DATA") == str(data))
    return False


def _claim(chosen: argparse.Namespace) -> IO[str]:
    try:
        chosen.data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        claim: IO[str] = (chosen.data / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        _fail(f"{error.filename} cannot be written ({error.strerror}). Name another folder with --data.")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.seek(0)
        with suppress(ValueError):
            other = json.load(claim)
            _fail(
                f"already running on {chosen.data}: {other['address']} (process {other['pid']}). Stop that one first."
            )
        _fail(f"already starting on {chosen.data}.")
    claim.truncate(0)
    return claim


def _new_secrets() -> dict[str, str]:
    from cryptography.fernet import Fernet  # this process lasts as long as the demo, and keeps what it loads

    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "FRIENDPAY_DEMO_KEY": f"sk_test_{secrets.token_urlsafe(24)}",
        "FRIENDPAY_SUPPORT_USER": "support",
        "FRIENDPAY_SUPPORT_PASSWORD": secrets.token_urlsafe(9),
        "VAPID_PRIVATE_KEY": secrets.token_urlsafe(32),
    }


def _kept(data: Path) -> dict[str, str]:
    """The demo's secrets, made at its first start; what a later version wants besides, at the first of that."""
    path = data / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if "VAPID_PRIVATE_KEY" not in kept:  # the latest that was added
        kept = _new_secrets() | kept
        unfinished = data / "secrets.new"
        with open(unfinished, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(kept, file, indent=1)
        unfinished.replace(path)
    if key := os.environ.get("FRIENDPAY_DEMO_KEY"):
        if not key.startswith("sk_test_"):
            _fail("FRIENDPAY_DEMO_KEY must begin with sk_test_.")
        kept["FRIENDPAY_DEMO_KEY"] = key
    return kept


def _environment(
    chosen: argparse.Namespace, servers: embedded.Servers, address: str, kept: dict[str, str]
) -> dict[str, str]:
    """What every process of ours is told; whatever of it was set outside, also as a file, is the business of others."""
    ours = {
        "FRIENDPAY_DEMO": "yes",
        "WEBHOOK_ALLOW_LOOPBACK": "yes",
        "FRIENDPAY_DATA": str(chosen.data),
        "FRIENDPAY_RUN": str(servers.run),
        "FRIENDPAY_HOST": chosen.host,
        "FRIENDPAY_PORT": str(chosen.port),
        "FRIENDPAY_WEB_PROCESSES": str(_web_processes()),
        "PUBLIC_URL": address,
        "ALLOWED_HOSTS": ",".join(dict.fromkeys([chosen.address, "127.0.0.1", "localhost", "[::1]"])),
        "STATIC_ROOT": str(chosen.data / "static"),
        "DJANGO_SETTINGS_MODULE": "friendpay.settings",
        "MALLOC_ARENA_MAX": "2",  # few memory arenas for many threads
        "CELERY_SKIP_CHECKS": "yes",  # a worker has nothing to check that the start has not checked
        "PATH": f"{PYTHON.parent}:{os.environ.get('PATH', os.defpath)}",
        **servers.environment,
        **kept,
    }
    outside = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
    return {**outside, **ours}


def _web_processes() -> int:
    """One for each core, as in production, and two at most: threads of one would wait for each other. Where they are
    not forked they share no memory, and there is one.
    """
    return min(os.cpu_count() or 1, 2) if sys.platform == "linux" else 1


def _start(servers: embedded.Servers, name: str) -> None:
    """Have the supervisor start a program it knows; it goes on in its own time."""
    transport = SupervisorTransport(serverurl=f"unix://{servers.run / 'supervisor.sock'}")
    with ServerProxy("http://supervisor", transport=transport) as supervisor:
        supervisor.supervisor.startProcess(f"app:{name}", False)


def _await(supervisor: "subprocess.Popen[bytes]", data: Path, what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not ready():
        if supervisor.poll() is not None or time.monotonic() > deadline:
            _fail(f"{what} did not start; the files in {data}/log say why.")
        time.sleep(0.05)


def _answers(chosen: argparse.Namespace, port: int, path: str) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(chosen.host, chosen.host)
    with suppress(OSError), urllib.request.urlopen(f"{options.url(host, port)}{path}", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def _simulated() -> tuple[str, ...]:
    from payments.wallets import registry

    return tuple(registry.simulated())


def _announce(chosen: argparse.Namespace, address: str, kept: dict[str, str], wallets: dict[str, int]) -> None:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    print(
        f"""
friendpay is ready. This is a demo: no real money moves.

  Shop      {address}/
  API       {address}/api/v1/docs
            key {kept["FRIENDPAY_DEMO_KEY"]}
  Support   {address}/admin/
            user {kept["FRIENDPAY_SUPPORT_USER"]}, password {kept["FRIENDPAY_SUPPORT_PASSWORD"]}
  Data      {chosen.data}
""",
        flush=True,
    )
    if wallets:
        phone = options.url(chosen.address, wallets["wechatpay"])
        print(f"Simulated: {', '.join(wallets)}. A phone that scans WeChat's codes: {phone}/\n", flush=True)
    if chosen.host != chosen.address:
        from qrcode import QRCode

        code = QRCode(border=2)
        code.add_data(f"{address}/")
        code.print_ascii(tty=sys.stdout.isatty())
    print("Ctrl-C stops it.", flush=True)


def _stop(signum: int, frame: object) -> NoReturn:
    """The first word to end counts; a second one must not interrupt the ending itself and leave the servers behind."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _fail(line: str) -> NoReturn:
    sys.exit(f"friendpay: {line}")
