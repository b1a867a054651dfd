"""Behind pgbouncer in transaction pooling, on three connections, and with RabbitMQ for its jobs, friendpay does all it
does on its own servers.
"""

import asyncio
import base64
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from bench.ends import End
from bench.people import History, Town
from bench.receiver import Receiver
from bench.stories import Plot, Story
from bench.wallets import Sandbox
from friendpay import scheduler
from tests.deploy.beside import POOL, RabbitMQ, beside, pgbouncer, rabbitmq
from tests.deploy.stand import ROOT, Stand, becomes

pytestmark = pytest.mark.proof

NUMBERS = count()
PLOTS: list[Plot] = [Story.double_tap, Story.refunded, Story.plain]
EACH = 4
"""So many of each at once: more than there are connections."""


class Left(NamedTuple):
    """What stays with a session between one transaction and the next."""

    session: int
    statements: int
    cursors: int
    settings: str


LEFT = """SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),
    concat_ws(' ', current_setting('plan_cache_mode'), current_setting('idle_session_timeout'))"""


@dataclass
class Place:
    stand: Stand
    broker: RabbitMQ

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Past the pool."""
        with psycopg.connect(self.stand.environment["DIRECT_DATABASE_URL"], autocommit=True) as database:
            return database.execute(sql).fetchall()

    def is_done(self) -> bool:
        """Nothing is left to be told, returned or ended."""
        left = """SELECT (SELECT count(*) FROM orders_webhookdelivery WHERE status <> 'delivered')
            + (SELECT count(*) FROM orders_event WHERE sequence IS NULL)
            + (SELECT count(*) FROM payments_refund WHERE status <> 'succeeded')
            + (SELECT count(*) FROM payments_paymentrequest WHERE status = 'open')"""
        return self.rows(left) == [(0,)]

    def requests(self) -> Counter[str]:
        return Counter(dict(self.rows("SELECT status, count(*) FROM payments_paymentrequest GROUP BY 1")))

    def left(self) -> list[Left]:
        """In all of the pool's sessions, taken at the same time; whoever else wants one waits meanwhile."""
        found: list[Left] = []

        def are_taken() -> bool:
            found.clear()
            with suppress(psycopg.OperationalError), ExitStack() as stack:  # none was free for ten seconds
                for _session in range(POOL):
                    taken = psycopg.connect(self.stand.environment["DATABASE_URL"], prepare_threshold=None)
                    stack.enter_context(closing(taken))
                    found.append(Left(*(taken.execute(LEFT).fetchone() or ())))
            return len(found) == POOL

        becomes(are_taken)
        return found

    def schedulers(self) -> tuple[int, int]:
        """The sessions of the one at work and of the one that waits for its place, when there are both."""
        lock = f"classid = {scheduler._LOCK >> 32} AND objid = {scheduler._LOCK & 0xFFFF_FFFF} AND objsubid = 1"
        here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        asked = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND {lock} AND {here} ORDER BY granted DESC"
        found: list[tuple[int]] = []

        def are_two() -> bool:
            found[:] = self.rows(asked)
            return len(found) == 2

        becomes(are_two)
        return found[0][0], found[1][0]


@pytest.fixture(scope="module")
def place(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("stand")
    with beside(folder) as stand, pgbouncer(stand), rabbitmq(stand, folder / "rabbitmq") as broker:
        with ThreadPoolExecutor() as at_once:
            for done in [at_once.submit(broker.start), at_once.submit(stand.fill)]:
                done.result()
        for name in ("web@1", "worker@1", "worker@2", "caller@1"):
            stand.start(name)
        becomes(stand.is_up)
        becomes(lambda: (broker.consumers("celery"), broker.consumers("calls")) == (2, 1))
        yield Place(stand, broker)


class Shop:
    """Whose server hears of orders that are paid."""

    def __init__(self, place: Place, history: Path) -> None:
        self.place, self._history = place, history
        self._town = Town(place.stand.address, place.stand.address, place.stand.key, Sandbox(), History(history), 1)
        self._receiver = Receiver(self._town.history)
        self._receiver.failing = False

    def story(self) -> Story:
        number = next(NUMBERS)
        return Story(self._town, number, random.Random(number), End.ALONE)

    async def listen(self) -> None:
        wanted = {"url": await self._receiver.listen(), "events": ["order.paid"]}
        made = await self.story().shop.call("endpoint", "/webhook-endpoints", wanted)
        self._receiver.secret = base64.b64decode(made.json()["secret"].removeprefix("whsec_"))

    async def ask_in_vain(self) -> None:
        """A request whose time is over."""
        over = await self.story().ask_for(life=60)
        ended = f"SET expires_at = clock_timestamp() WHERE public_id = '{over.request}' RETURNING id"
        assert self.place.rows(f"UPDATE payments_paymentrequest {ended}")

    async def rest(self) -> None:
        """Until everything is done; then nobody listens any more."""
        await asyncio.to_thread(becomes, self.place.is_done)
        off = "SET disabled_at = clock_timestamp(), disabled_reason = 'shop'"
        self.place.rows(f"UPDATE orders_webhookendpoint {off} WHERE disabled_at IS NULL RETURNING id")
        self._receiver.close()

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._history.read_text().splitlines()]

    def failed(self) -> Counter[str]:
        """Not counted: who was told to come back, and who did not wait for an answer. They came back."""
        answered = [(one["did"], one["status"] or 503) for one in self.told()]
        return Counter(f"{did} {status}" for did, status in answered if status >= 500 and status != 503)

    def heard(self) -> int:
        """Of how many paid orders it heard."""
        return len({one["webhook"] for one in self.told() if one.get("signed")})


def test_friends_pay_shops_are_told_and_what_is_over_ends_through_three_connections(
    place: Place, tmp_path: Path
) -> None:
    shop = Shop(place, tmp_path / "history")

    async def live() -> None:
        await shop.listen()
        await shop.ask_in_vain()
        await asyncio.gather(*(plot(shop.story()) for plot in PLOTS * EACH))
        await shop.rest()

    asyncio.run(live())
    paid = len(PLOTS * EACH)
    assert shop.failed() == {}
    assert (place.requests(), shop.heard()) == ({"paid": paid, "expired": 1}, paid)
    found = json.loads(place.stand.try_to("doctor", "--json").stdout)
    states = [(one["state"], "past it" in one["says"]) for one in found if one["about"] == "pooler"]
    assert states == [("ok", True)]


READING = """
from django.contrib.auth.models import Permission
rows = Permission.objects.iterator(chunk_size=1)
next(rows), print("begun", flush=True), input()
print(len(list(rows)))
"""


def test_nothing_of_a_session_is_left_in_the_pool_and_the_schedulers_go_past_it(place: Place) -> None:
    """While somebody reads many rows, too."""
    quiet = psycopg.connect(place.stand.environment["DIRECT_DATABASE_URL"])
    with closing(quiet):
        _session, *nothing = Left(*(quiet.execute(LEFT).fetchone() or ()))
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", READING]
    pipe, environment = subprocess.PIPE, place.stand.environment
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as reading:
        assert reading.stdout
        assert reading.stdout.readline() == "begun\n"
        left = place.left()
        rest, _errors = reading.communicate("\n", 300)
    assert [one[1:] for one in left] == [tuple(nothing)] * POOL
    assert int(rest) > 1
    pool = {one.session for one in left}
    assert len(pool) == POOL
    assert pool.isdisjoint(place.schedulers())


def test_of_two_schedulers_the_next_goes_on_past_the_pool(place: Place, tmp_path: Path) -> None:
    at_work, _next_one = place.schedulers()
    ended = place.requests()["expired"]
    place.rows(f"SELECT pg_terminate_backend({at_work})")
    becomes(lambda: place.schedulers()[0] != at_work)
    asyncio.run(Shop(place, tmp_path / "history").ask_in_vain())
    becomes(lambda: place.requests()["expired"] == ended + 1)


def test_a_broker_that_is_killed_takes_nothing_with_it(place: Place, tmp_path: Path) -> None:
    """A job whose worker dies is handed out again, by a broker that died itself, too. Friends pay while it is gone;
    when it is back, workers come by themselves and do what waited.
    """
    shop, job = Shop(place, tmp_path / "history"), "payments.check_ledger"
    stand, broker = place.stand, place.broker
    before = place.requests()
    ((began,),) = place.rows("SELECT clock_timestamp()")

    def killed() -> None:
        """A worker in the middle of a job, and then the broker."""
        waits = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'payments_ledgercheck'::regclass"
        with psycopg.connect(stand.environment["DIRECT_DATABASE_URL"]) as holding:
            holding.execute("LOCK TABLE payments_ledgercheck")
            broker.send(job)
            becomes(lambda: len(place.rows(waits)) == 1)
            assert job not in broker.waiting("calls")
            stand.kill("caller@1")
            becomes(lambda: job in broker.waiting("calls"))
        broker.kill()

    async def live() -> None:
        await shop.listen()
        await asyncio.to_thread(killed)
        await shop.ask_in_vain()
        await asyncio.gather(shop.story().plain(), shop.story().refunded())
        assert not place.is_done()
        await asyncio.to_thread(broker.start)
        assert job in broker.waiting("calls")
        stand.start("caller@1")
        await shop.rest()

    asyncio.run(live())
    assert (shop.failed(), shop.heard()) == ({}, 2)
    assert place.requests() - before == {"paid": 2, "expired": 1}
    becomes(lambda: place.rows(f"SELECT findings FROM payments_ledgercheck WHERE at > '{began}'") == [(0,)])
