"""What the benches run in: all of friendpay as bin/up starts it, a copy of its database, and the limits beside it.

Each part is started when a bench first asks for it, and all end with the `with` block.
"""

import asyncio
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from bench import stack as ours
from bench.speed import fill, flows
from bench.speed.cpu import Meter, of_tree
from bench.speed.load import PYTHON, ROOT, Job, load
from bench.speed.wire import Answer, Client
from friendpay.demo import wheels

FILLED = 10_000
"""Requests there are from the start."""
SETTLES_WITHIN = 40.0
STARTS_WITHIN = 60.0
RESTING, RESTS_WITHIN = 0.05, 30.0
"""Of a core: what takes less has nothing to do. And seconds to come to that."""


class World:
    """One run of the benches. `quick`: short rounds, to try something; their figures are worth little."""

    def __init__(self, ends: ExitStack, *, quick: bool) -> None:
        self._ends, self.quick = ends, quick
        self.pids: dict[str, int] = {}  # of the servers that were started, by their addresses
        self.rounds, self.seconds = (2, 1.5) if quick else (5, 3.0)
        self.many = 100_000 if quick else 1_000_000

    @cached_property
    def house(self) -> "House":
        """friendpay with its 10,000 requests."""
        return self.another(FILLED)

    @cached_property
    def big(self) -> "House":
        """A second friendpay, with a million of them."""
        return self.another(self.many)

    @cached_property
    def bare(self) -> str:
        """The address of the bare page application, with as many processes as friendpay's web server has."""
        environment = self.house.copied()
        command = ["bench.limits.page:app", "--workers", str(self.house.web_processes)]
        return self.serve("/", *command, environment=environment)

    @cached_property
    def hub(self) -> str:
        """The address of the bare hub, on friendpay's Valkey."""
        environment = {"REDIS_URL": self.house.stack.environment["REDIS_URL"]}
        return self.serve("/", "bench.limits.hub:app", environment=environment)

    def serve(self, path: str, *uvicorn: str, environment: Mapping[str, str]) -> str:
        """Have uvicorn serve something, as friendpay's is: with uvloop and httptools, and no log of accesses."""
        port = free_port()
        fixed = f"--port {port} --loop uvloop --http httptools --no-access-log --log-level warning".split()
        return self.start([str(PYTHON), "-m", "uvicorn", *uvicorn, *fixed], port, path, environment)

    def start(
        self, command: list[str], port: int, path: str, environment: Mapping[str, str], *, cwd: Path = ROOT
    ) -> str:
        """Start a server that ends with this run, and wait until it answers there."""
        address = f"http://127.0.0.1:{port}"
        log = self.keep(tempfile.TemporaryFile())  # noqa: SIM115  # it ends with the run
        environment = {**os.environ, "PYTHONPATH": str(cwd), **environment}
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log)
        self._ends.callback(_end, process)
        self.pids[address] = process.pid
        deadline = time.monotonic() + STARTS_WITHIN
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise RuntimeError(f"{' '.join(command[:5])} did not start: {log.read()[-600:]!r}")
            time.sleep(0.1)
        return address

    def keep(self, part: AbstractContextManager[Any]) -> Any:
        """Something that ends with this run."""
        return self._ends.enter_context(part)

    def another(self, filled: int) -> "House":
        """friendpay once more, with so many requests, until the end of the run."""
        house: House = self.keep(opened(filled))
        return house


class Links:
    """The friend's links of one database, each given away once; it is filled up when they run out."""

    def __init__(self, url: str, order: str) -> None:
        self._url, self._order = url, order
        self._tokens: list[str] = []

    def fill(self, number: int) -> None:
        with psycopg.connect(self._url, autocommit=True) as database:
            self._tokens += fill.fill(database, fill.model(database, self._order), number)

    def all(self) -> list[str]:
        """Those that nobody has paid by now, looked at or not."""
        return [f"/p/{token}/" for token in self._tokens]

    def fresh(self, number: int) -> list[str]:
        """So many that nobody was given yet, and nobody will be again."""
        if number > len(self._tokens):
            self.fill(max(10_000, number))
        given, self._tokens = self._tokens[:number], self._tokens[number:]
        return [f"/p/{token}/" for token in given]


class House:
    """One friendpay, with orders that were asked for by SQL and two by the API: one asked for, and one paid."""

    def __init__(self, stack: ours.Stack, filled: int) -> None:
        self.stack = stack
        self.base = stack.address
        self.key = {"authorization": f"Bearer {stack.key}"}
        self.rest()
        self.fresh = Meter(stack.pid).memory()  # bytes, before it has served anything
        self.asked, self.paid = self.ask(), self.ask()
        load(Job("pay", self.base, 5, 1, items=[f"/p/{self.paid[1]}/"], again=False))
        self.rest()  # until their events are published, whose numbers those that are filled in follow
        self.links = Links(stack.environment["DATABASE_URL"], self.asked[0])
        self.links.fill(filled)

    @cached_property
    def web_processes(self) -> int:
        """How many processes serve pages."""
        return ours.web_processes(self.stack)

    @cached_property
    def one_call(self) -> bool:
        """Whether `POST /orders` takes the request along."""
        description: Any = self.call("/openapi.json").json()
        taken = description["paths"]["/api/v1/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = description["components"]["schemas"][taken["$ref"].rsplit("/", 1)[-1]]
        return "payment_request" in schema["properties"]

    def call(self, path: str, body: object = None) -> Answer:
        """One call of the API, from here."""

        async def ask() -> Answer:
            client = Client(self.base, 0, self.key)
            try:
                return await (client.get(f"/api/v1{path}") if body is None else client.post(f"/api/v1{path}", body))
            finally:
                client.close()

        return asyncio.run(ask())

    def about(self) -> dict[str, Any]:
        """What flows that ask for something are told."""
        return {"run": secrets.token_hex(6), "one_call": self.one_call}

    def settle(self) -> None:
        """Wait until no payment is undecided and no notification unapplied. Raises RuntimeError after 40 seconds."""
        undecided = (
            "SELECT (SELECT count(*) FROM payments_payment WHERE status IN ('created', 'pending')) + "
            "(SELECT count(*) FROM payments_providerevent WHERE applied_at IS NULL)"
        )
        ends = time.monotonic() + SETTLES_WITHIN
        with self.stack.connect() as database:
            while database.execute(undecided).fetchone() != (0,):
                if time.monotonic() > ends:
                    raise RuntimeError("payments stay undecided")
                time.sleep(0.05)

    def rest(self, within: float = RESTS_WITHIN) -> None:
        """Wait until what was done before has no more work to come (webhooks, sweeps, vacuum): two seconds on end
        that take hardly more than idling. On a machine that is never quiet: for so many seconds at most.
        """
        self.settle()
        meter, ends, quiet = Meter(self.stack.pid), time.monotonic() + within, 0
        while quiet < 2 and time.monotonic() < ends:  # noqa: PLR2004  # on end
            time.sleep(1)
            quiet = quiet + 1 if meter.read().cores < RESTING else 0

    def copied(self) -> dict[str, str]:
        """Copy the database as it is now to one named `bare`; what a limit needs to find it."""
        url = self.stack.environment["DATABASE_URL"]
        bare = url.replace("@/friendpay?", "@/bare?")
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(sql.SQL("DROP DATABASE IF EXISTS bare WITH (FORCE)"))
            database.execute(sql.SQL("CREATE DATABASE bare"))
        programs = {name: self.stack.servers.program(name) for name in ("pg_dump", "psql")}
        dump = subprocess.Popen([programs["pg_dump"], url], stdout=subprocess.PIPE, env=wheels.ENVIRONMENT)
        restore = [programs["psql"], "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", bare]
        subprocess.run(restore, stdin=dump.stdout, stdout=subprocess.DEVNULL, env=wheels.ENVIRONMENT, check=True)
        if dump.wait():
            raise RuntimeError("pg_dump failed")
        with psycopg.connect(bare, autocommit=True) as database:
            database.execute("VACUUM ANALYZE")
        self.copy = Links(bare, self.asked[0])
        return {"DATABASE_URL": bare, "LIMIT_ASKED": self.asked[0], "LIMIT_PAID": self.paid[0]}

    def ask(self) -> tuple[str, str]:
        """An order with its request: the order's public id, and the token of the friend's link."""
        placed = self.call("/orders", flows.order({"run": secrets.token_hex(6)})).json()
        asked = self.call(f"/orders/{placed['id']}/payment-requests", flows.MESSAGE).json()
        return str(placed["id"]), str(asked["url"]).rstrip("/").rsplit("/", 1)[-1]


@contextmanager
def opened(filled: int) -> Iterator[House]:
    """friendpay as it comes, but for the limit of calls a key may make."""
    with ours.running(API_CALLS_PER_SECOND="999999") as stack:
        yield House(stack, filled)


@contextmanager
def running(*, quick: bool) -> Iterator[World]:
    with ExitStack() as ends:
        yield World(ends, quick=quick)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def turns(number: int, *sides: Callable[[], float]) -> list[list[float]]:
    """So many rounds of every side, in turn, and the other way round every other time; what each side gave."""
    given: list[list[float]] = [[] for _ in sides]
    for turn in range(number):
        order = range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            given[side].append(sides[side]())
    return given


def _answers(port: int, path: str) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as line:
        line.sendall(f"GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n".encode())
        return line.recv(5) == b"HTTP/"
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With whatever it started; some servers take no hint, or come back."""
    family = of_tree(psutil.Process(process.pid)) if process.poll() is None else []
    process.terminate()
    _gone, alive = psutil.wait_procs(family, timeout=5)
    for one in alive:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait(10)
