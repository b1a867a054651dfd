"""With a million requests in the tables: expiry of many at once, and whether anything becomes slower by it."""

import json
import subprocess
import time
from collections.abc import Callable

import psycopg

from bench.limits.sweep import expire
from bench.speed import requests
from bench.speed.figures import Line, Outcome, median
from bench.speed.load import PYTHON, ROOT, Done, Job, load
from bench.speed.world import House, World, turns

SWEEPS_WITHIN = 15.0
"""Seconds a round of ours may take; what is stale then is counted as not done."""
SWEPT_WITHIN = 300.0
"""Seconds that what a sweep leaves to be done may take."""
_DUE = (
    "SELECT count(*) FROM payments_paymentrequest "
    "WHERE status = 'open' AND amount_held = 0 AND expires_at <= clock_timestamp()"
)


def sweep(world: World, line: Line) -> Outcome:
    """Stale requests ended in a second, a fifth of all there are at once; the last ones are not waited for for ever."""
    house, stale = world.big, 20_000 if world.quick else 200_000
    house.stack.stop_workers()
    try:
        given = turns(2, lambda: _ours(house, stale), lambda: _beside(house, stale))
    finally:
        house.stack.start_workers()
    return Outcome(line, given[0], given[1], notes=(f"{stale:,} stale of {world.many:,}",))


def _ours(house: House, stale: int) -> float:
    with house.stack.connect() as database:
        before = _make_stale(database, stale)
        environment = {**house.stack.environment, "DJANGO_SETTINGS_MODULE": "friendpay.settings"}
        driver = subprocess.run(
            [str(PYTHON), "-m", "bench.speed.driver", "sweep"],
            cwd=ROOT,
            env=environment,
            input=json.dumps({"seconds": SWEEPS_WITHIN}) + "\n",
            capture_output=True,
            text=True,
            timeout=SWEEPS_WITHIN + 45,
            check=True,
        )
        left = _due(database)
        database.execute(  # so that the next round begins with as many
            "UPDATE payments_paymentrequest SET expires_at = clock_timestamp() + interval '30 days' "
            "WHERE status = 'open' AND expires_at <= clock_timestamp()"
        )
    return (before - left) / float(driver.stdout)


def _beside(house: House, stale: int) -> float:
    with house.stack.connect() as database:
        _make_stale(database, stale)
        began = time.monotonic()
        ended = expire(database)
        return ended / (time.monotonic() - began)


def _make_stale(database: "psycopg.Connection[tuple[int]]", number: int) -> int:
    database.execute(
        "UPDATE payments_paymentrequest SET created_at = clock_timestamp() - interval '2 days', "
        "expires_at = clock_timestamp() - interval '1 minute' WHERE id IN "
        "(SELECT id FROM payments_paymentrequest WHERE status = 'open' AND amount_held = 0 ORDER BY id DESC LIMIT %s)",
        [number],
    )
    database.execute("VACUUM ANALYZE payments_paymentrequest")
    return _due(database)


def _due(database: "psycopg.Connection[tuple[int]]") -> int:
    row = database.execute(_DUE).fetchone()
    return row[0] if row else 0


def growth(world: World, line: Line) -> Outcome:
    """Reading, creating and paying with a million requests and with ten thousand: the one that suffers most. It begins
    when hundreds of thousands of events of those that were swept are published, and PostgreSQL has counted them.
    """
    sides = (world.big, world.house)
    for house in sides:
        house.rest(SWEPT_WITHIN)
    worst: tuple[list[float], list[float]] = [0.0], [1.0]
    notes = []
    for name, of in {"read": _read, "create": _create, "pay": _pay}.items():
        for house in sides:
            of(house, 1)
        many, few = turns(3, *(_time(of, house, world.seconds / 1.5) for house in sides))
        notes.append(f"{name}: {median(many):.2f} ms an operation with {world.many:,}, {median(few):.2f} with 10,000")
        if median(many) / median(few) > median(worst[0]) / median(worst[1]):
            worst = many, few
    return Outcome(line, *worst, notes=notes)


def _time(of: Callable[[House, float], Done], house: House, seconds: float) -> Callable[[], float]:
    return lambda: 1000 / of(house, seconds).rate


def _read(house: House, seconds: float) -> Done:
    return load(Job("get", house.base, seconds, requests.CONNECTIONS, items=house.links.all()))


def _create(house: House, seconds: float) -> Done:
    return load(Job("create", house.base, seconds, requests.CONNECTIONS, about=house.about(), headers=house.key))


def _pay(house: House, seconds: float) -> Done:
    return requests.paid(house, seconds)
