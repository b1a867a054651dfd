"""friendpay on many machines: HAProxy before two web machines, two machines of workers, PostgreSQL and Valkey on three
each. Every one can fail; the one HAProxy stands for a pair with a shared address.
"""

import asyncio
import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

import httpx
from cryptography.fernet import Fernet

from bench.deployment import ROOT, Deployment
from bench.faultproxy import Streams
from bench.machines import database, memory
from bench.machines.hosts import NETWORK, US, Host, network
from bench.speed.load import PYTHON
from friendpay.demo import wheels

NEEDED = ("ip", "bridge", "setpriv", "etcd", "haproxy")
WEBHOOKS = 9099  # where the shop's server is, on loopback of every machine
_WORKER = ("-m", "celery", "-A", "friendpay.celery", "worker", "--pool", "threads", "--loglevel", "WARNING")
_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class Cluster(Deployment):
    """All the machines, and what friendpay is told on each."""

    shop = (US, WEBHOOKS)

    def __init__(self, folder: Path) -> None:
        programs = folder / "programs"
        wheels.copy(programs)
        self.balancer = Host("balancer", 5, folder)
        self.databases = [Host(f"db{number}", 10 + number, folder) for number in (1, 2, 3)]
        self.memories = [Host(f"memory{number}", 20 + number, folder) for number in (1, 2, 3)]
        self.webs = [Host(f"web{number}", 30 + number, folder) for number in (1, 2)]
        self.workers = [Host(f"work{number}", 40 + number, folder) for number in (1, 2)]
        key = f"sk_test_{secrets.token_urlsafe(24)}"
        super().__init__(key, {**os.environ, **self._told(folder, key)})
        database.install(self.databases, programs)
        memory.install(self.memories, programs)
        self._install_ours()

    def _told(self, folder: Path, key: str) -> dict[str, str]:
        return {
            "FRIENDPAY_DEMO": "yes",
            "FRIENDPAY_DEMO_KEY": key,
            "FRIENDPAY_DATA": str(folder),
            "STATIC_ROOT": str(folder / "static"),
            "DJANGO_SETTINGS_MODULE": "friendpay.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "VAPID_PRIVATE_KEY": secrets.token_urlsafe(32),
            "PUBLIC_URL": f"http://{self.balancer.address}",
            "ALLOWED_HOSTS": f"{self.balancer.address},127.0.0.1",  # people come through a line of ours
            "TRUSTED_PROXIES": self.balancer.address,
            "WEBHOOK_ALLOW_LOOPBACK": "yes",
            "CELERY_SKIP_CHECKS": "yes",
            "DATABASE_URL": database.url(self.databases),
            "REDIS_URL": "redis://127.0.0.1:6379",
        }

    def _install_ours(self) -> None:
        for host in (*self.webs, *self.workers):
            config = host.folder / "haproxy.cfg"
            config.write_text(memory.proxy(self.memories, WEBHOOKS))
            host.install("haproxy", ["haproxy", "-db", "-f", str(config)], wheels.ENVIRONMENT)
        for host in self.webs:
            serve = [str(PYTHON), "manage.py", "serve", "--skip-checks", "--host", "0.0.0.0", "--port", "8000"]
            host.install("web", serve, self.environment, root=True)
        for host in self.workers:
            for queue, threads in (("celery", 4), ("calls", 8)):
                name = ("--queues", queue, "--concurrency", str(threads), "--hostname", f"{queue}@{host.name}")
                host.install(f"worker-{queue}", [str(PYTHON), *_WORKER, *_QUIET, *name], self.environment, root=True)
        config = self.balancer.folder / "haproxy.cfg"
        config.write_text(_balancer(self.webs))
        self.balancer.install("haproxy", ["haproxy", "-db", "-f", str(config)], wheels.ENVIRONMENT, root=True)

    @property
    def everybody(self) -> list[Host]:
        return [*self.databases, *self.memories, *self.webs, *self.workers, self.balancer]

    def start(self) -> None:
        """All machines, from nothing to a demo shop."""
        for host in (*self.databases, *self.memories):
            host.power_on()
        database.await_whole(self.databases)
        primary = database.primary(self.databases)
        assert primary
        with database.connect(primary) as first:
            first.execute("CREATE DATABASE friendpay")
        for command in ("migrate", "seed_demo", "collectstatic --noinput"):
            ran = self.manage(*command.split())
            if ran.returncode:
                raise RuntimeError(ran.stderr)
        for host in (*self.webs, *self.workers, self.balancer):
            host.power_on()
        self.await_ready()

    def await_ready(self, seconds: float = 120) -> None:
        """Until pages are served, and the databases are whole."""
        ends = time.monotonic() + seconds
        while not self.is_up():
            if time.monotonic() > ends:
                raise RuntimeError("no page is served")
            time.sleep(0.3)
        database.await_whole(self.databases, seconds)

    async def dial(self, home: int) -> Streams:
        """A connection to the balancer, from an address of this person's own."""
        here = f"10.78.{home // 250 % 250}.{1 + home % 250}"
        return await asyncio.open_connection(self.balancer.address, 80, local_addr=(here, 0))

    def is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/readyz", timeout=2).status_code == 200
        return False

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One of manage.py's commands, from outside, on this database."""
        command = [str(PYTHON), "manage.py", *words]
        environment = {**self.environment, "REDIS_URL": f"redis://{self.memories[0].address}:6379"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def running(kept: list[str]) -> Iterator[Cluster]:
    """A cluster that works; its folder is removed afterwards, unless `kept` was given a reason to keep it."""
    missing = [name for name in NEEDED if which(name) is None]
    if missing or os.geteuid() != 0:
        raise SystemExit(
            f"Run this as root on Linux, with: apt-get install haproxy etcd-server iproute2. Missing: {missing}"
        )
    folder = Path(tempfile.mkdtemp(prefix="friendpay-cluster-"))
    folder.chmod(0o711)
    with network():
        cluster = Cluster(folder)
        try:
            cluster.start()
            yield cluster
        finally:
            for host in cluster.everybody:
                host.remove()
            if kept:
                print(f"The logs are in {folder}: {json.dumps(kept)}")
            else:
                subprocess.run(["rm", "-rf", str(folder)], check=False)


def _balancer(webs: list[Host]) -> str:
    """Pages, the API and sockets: whoever is ready serves, and what reached nobody is sent to another."""
    servers = "\n".join(f"  server {host.name} {host.address}:8000 check" for host in webs)
    return f"""
global
  maxconn 4000
defaults
  mode http
  timeout connect 500ms
  timeout client 60s
  timeout server 30s
  timeout tunnel 1h
  timeout queue 5s
  timeout check 1s
  option redispatch 1
  retries 3
  default-server inter 500 fastinter 200 rise 1 fall 2 on-marked-down shutdown-sessions
frontend pages
  bind {NETWORK}.5:80
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  default_backend webs
backend webs
  balance leastconn
  option httpchk GET /healthz
{servers}
"""
