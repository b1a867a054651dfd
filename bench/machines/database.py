"""PostgreSQL on three machines: Patroni decides which is the primary, and keeps that in etcd. What is acknowledged is
on two machines (synchronous mode, strict): a primary that has lost the others acknowledges nothing.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import psycopg

from bench.machines.hosts import NETWORK, Host
from bench.speed.load import ROOT
from friendpay.demo import wheels

PATRONI = "4.1.5"
LOOP_WAIT, RETRY_TIMEOUT = 1, 3
TTL = 20  # Patroni takes no less; `silent_primary.py` does not wait for its end
SILENCE = LOOP_WAIT + 2 * RETRY_TIMEOUT  # by then a primary that cannot reach etcd has stepped down
_HOME = ROOT / ".friendpay" / "bench" / f"patroni-{PATRONI}"
_PYTHON = "/usr/bin/python3"  # which nobody may run, too
_SETTINGS = {
    "max_connections": 150,
    "wal_keep_size": "256MB",
    "recovery_init_sync_method": "syncfs",
    "timezone": "UTC",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 3,
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
}


def install(hosts: Sequence[Host], programs: Path) -> None:
    """etcd and Patroni on each; PostgreSQL is started by Patroni."""
    patroni = _installed(programs)
    peers = ",".join(f"{host.name}=http://{host.address}:2380" for host in hosts)
    etcd = ",".join(f"http://{host.address}:2379" for host in hosts)
    watch = copy(ROOT / "deploy" / "patroni" / "silent_primary.py", programs)
    for host in hosts:
        here = f"http://{host.address}"
        host.install(
            "etcd",
            [
                "etcd",
                f"--name={host.name}",
                f"--data-dir={host.folder}/etcd",
                f"--listen-peer-urls={here}:2380",
                f"--initial-advertise-peer-urls={here}:2380",
                f"--listen-client-urls={here}:2379",
                f"--advertise-client-urls={here}:2379",
                f"--initial-cluster={peers}",
                "--initial-cluster-state=new",
                "--heartbeat-interval=100",
                "--election-timeout=1000",
                "--pre-vote",  # else a member that comes back makes the others vote, and the primary loses its etcd
                "--logger=zap",
                "--log-level=error",
            ],
        )
        config = host.folder / "patroni.yml"
        config.write_text(json.dumps(_config(host, hosts, programs), indent=1))
        environment = {**wheels.ENVIRONMENT, "PYTHONPATH": str(patroni), "HOME": str(host.folder)}
        host.install("patroni", [_PYTHON, "-m", "patroni", str(config)], environment)
        words = ["--name", host.name, "--etcd", etcd, "--silence", str(SILENCE)]
        host.install("silent-primary", [_PYTHON, str(watch), *words])


def url(hosts: Sequence[Host], name: str = "friendpay") -> str:
    """For DATABASE_URL: all three, of which the one that takes writes is used."""
    addresses, ports = ",".join(host.address for host in hosts), ",".join("5432" for _host in hosts)
    options = "target_session_attrs=read-write&connect_timeout=2&tcp_user_timeout=4000"
    return f"postgresql://postgres@/{name}?host={addresses}&port={ports}&{options}&{_KEEPALIVES}"


_KEEPALIVES = "keepalives_idle=2&keepalives_interval=1&keepalives_count=3"


def members(hosts: Sequence[Host]) -> dict[str, dict[str, Any]]:
    """What Patroni knows of each machine, as the first that answers tells it."""
    for host in hosts:
        with (
            suppress(OSError, ValueError),
            urllib.request.urlopen(f"http://{host.address}:8008/cluster", timeout=1) as answer,
        ):
            return {member["name"]: member for member in json.load(answer)["members"]}
    return {}


def primary(hosts: Sequence[Host]) -> Host | None:
    """The machine whose PostgreSQL takes writes, asked itself."""
    for host in hosts:
        with suppress(psycopg.Error), connect(host) as database:
            if database.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                return host
    return None


def connect(host: Host, name: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
    """To the PostgreSQL of one machine, whatever it is just now."""
    return psycopg.connect(host=host.address, user="postgres", dbname=name, autocommit=True, connect_timeout=2)


def is_whole(hosts: Sequence[Host]) -> bool:
    """Whether there is one primary and every other follows it, one of them synchronously."""
    known = members(hosts)
    roles = sorted(member["role"] for member in known.values())
    states = {member["state"] for member in known.values()}
    followed = all(not member.get("lag") for member in known.values() if member["role"] != "leader")
    return roles == ["leader", "replica", "sync_standby"] and states <= {"running", "streaming"} and followed


def await_whole(hosts: Sequence[Host], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not is_whole(hosts):
        if time.monotonic() > ends:
            raise RuntimeError(f"the databases do not come together: {members(hosts)}")
        time.sleep(0.3)


def switch_over(hosts: Sequence[Host]) -> None:
    """Have another become the primary, in good order."""
    leader = next(name for name, member in members(hosts).items() if member["role"] == "leader")
    request = urllib.request.Request(
        f"http://{next(host.address for host in hosts if host.name == leader)}:8008/switchover",
        data=json.dumps({"leader": leader}).encode(),
        method="POST",
    )
    with suppress(OSError), urllib.request.urlopen(request, timeout=30):
        pass


def _config(host: Host, hosts: Sequence[Host], programs: Path) -> dict[str, Any]:
    """Patroni's file; JSON is YAML."""
    everybody = [
        "local all all trust",
        f"host all all {NETWORK}.0/24 trust",
        f"host replication all {NETWORK}.0/24 trust",
    ]
    return {
        "scope": "friendpay",
        "name": host.name,
        "restapi": {"listen": f"{host.address}:8008", "connect_address": f"{host.address}:8008"},
        "etcd3": {"hosts": [f"{there.address}:2379" for there in hosts]},
        "bootstrap": {
            "dcs": {
                "ttl": TTL,
                "loop_wait": LOOP_WAIT,
                "retry_timeout": RETRY_TIMEOUT,
                "maximum_lag_on_failover": 1048576,
                "primary_start_timeout": 0,  # one that died is replaced, not waited for
                "synchronous_mode": True,
                "synchronous_mode_strict": True,
                "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": _SETTINGS},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
        },
        "postgresql": {
            "listen": f"{host.address}:5432",
            "connect_address": f"{host.address}:5432",
            "data_dir": f"{host.folder}/postgres",
            "bin_dir": str(Path(wheels.program("postgres", programs)).parent),
            "pgpass": f"{host.folder}/pgpass",
            "pg_hba": everybody,
            "authentication": {
                "superuser": {"username": "postgres"},
                "replication": {"username": "replicator"},
                "rewind": {"username": "postgres"},
            },
            "parameters": {"unix_socket_directories": str(host.folder)},
        },
        "watchdog": {"mode": "off"},  # a namespace has none; real machines should
    }


def _installed(programs: Path) -> Path:
    """Where nobody's Python finds Patroni, kept from the first time on."""
    if not (_HOME / ".made").exists():
        print(f"Installing Patroni {PATRONI} into {_HOME.relative_to(ROOT)}; this is done once.", flush=True)
        pip = [sys.executable, "-m", "pip", "--python", _PYTHON, "install", "-qq", "--disable-pip-version-check"]
        wanted = [f"patroni[etcd3]=={PATRONI}", "psycopg[binary]"]
        ran = subprocess.run([*pip, "--target", str(_HOME), *wanted], capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"Patroni cannot be installed: {ran.stderr[-300:]}")
        (_HOME / ".made").touch()
    there = programs / "patroni"
    copytree(_HOME, there, dirs_exist_ok=True)
    return there
