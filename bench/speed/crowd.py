"""A crowd on a bad minute: 5,000 open sockets, 200 changes a second, and 100,000 requests that expire meanwhile."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.speed.crowds import Crowd, heard
from bench.speed.figures import percentile
from bench.speed.live import sides
from bench.speed.load import many_files
from bench.speed.wire import Broken, Client
from bench.speed.world import World

SECONDS = 60
POLL_SECONDS = 0.2
LATE, PUSHED = 2.0, 0.1
"""Seconds: what expires is to be ended by then, and a change to be heard."""
AFTERWARDS = 60.0
"""Seconds that are waited for what is still stale after the minute."""


@dataclass
class Pages:
    """Somebody who opens pages all the while."""

    times: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)


def main(world: World, *, stale: int = 100_000, sockets: int = 5_000, changes: int = 200) -> int:
    """0: nothing was ended more than two seconds late, 99 of 100 changes were heard in 100 ms, and no error."""
    many_files()
    if world.quick:
        stale, sockets = stale // 10, sockets // 10
    house = world.house
    house.links.fill(stale + 2_000)
    tokens = [page.strip("/").removeprefix("p/") for page in house.links.fresh(1_000)]
    crowd = Crowd(sides(world)[:1], tokens, sockets, number=changes * SECONDS, rate=changes, rounds=1)
    pages = Pages()
    times = asyncio.run(_minute(world, crowd, stale, pages))
    with house.stack.connect() as database:
        ended, late, p99, left = database.execute(
            "SELECT count(*) FILTER (WHERE status = 'expired'), "
            "coalesce(max(extract(epoch FROM closed_at - expires_at)), 0)::float, "
            "coalesce(percentile_disc(0.99) WITHIN GROUP "
            "(ORDER BY extract(epoch FROM closed_at - expires_at)), 0)::float, "
            "count(*) FILTER (WHERE status = 'open' AND expires_at <= clock_timestamp()) "
            "FROM payments_paymentrequest WHERE message = 'stale'"
        ).fetchone() or (0, 0.0, 0.0, 0)
    deaf = sum(time == float("inf") for time in times)
    pushed = percentile(times, 0.99)
    print(f"{ended:,} of {stale:,} ended, {left:,} stale still; late by {p99:.2f} s (p99), {late:.2f} s (the last)")
    print(f"{sockets:,} sockets, {changes} changes a second: p99 {1000 * pushed:.0f} ms, {deaf} never heard")
    shown = f"p99 {1000 * percentile(pages.times, 0.99):.0f} ms" if pages.times else "none"
    print(f"pages meanwhile: {len(pages.times)} shown, {shown}, errors {dict(pages.wrong) or 0}")
    return int(ended < stale or late > LATE or pushed > PUSHED or bool(deaf or pages.wrong))


async def _minute(world: World, crowd: Crowd, stale: int, pages: Pages) -> list[float]:
    """Opening the sockets comes first; the requests begin to expire once they are open."""
    looking = asyncio.create_task(_poll(world, pages))
    hearing = asyncio.create_task(heard(crowd, SECONDS * 3 + AFTERWARDS))
    await asyncio.to_thread(_expire, world, stale)
    ((times,),) = await hearing
    ends = time.monotonic() + AFTERWARDS
    while time.monotonic() < ends and await asyncio.to_thread(_stale, world):
        await asyncio.sleep(0.5)
    looking.cancel()
    return times


def _expire(world: World, stale: int) -> None:
    """So many more end within the minute that follows the first change, evenly."""
    opening = 15 if world.quick else 45
    with world.house.stack.connect() as database:
        database.execute(
            "UPDATE payments_paymentrequest SET message = 'stale', "
            "expires_at = clock_timestamp() + interval '1 second' * (%s + random() * %s) "
            "WHERE id IN (SELECT id FROM payments_paymentrequest WHERE status = 'open' ORDER BY id DESC LIMIT %s)",
            [opening, SECONDS, stale],
        )


def _stale(world: World) -> bool:
    with world.house.stack.connect() as database:
        due = "SELECT EXISTS (SELECT 1 FROM payments_paymentrequest WHERE message = 'stale' AND status = 'open')"
        return database.execute(due).fetchone() == (True,)


async def _poll(world: World, pages: Pages) -> None:
    """A friend's page, five times a second, and what went wrong."""
    client, links = Client(world.house.base, 60_000), world.house.links.all()
    for number in range(10**6):
        began = time.monotonic()
        try:
            answer = await client.get(links[number % 500])
            if answer.status != 200:
                pages.wrong[str(answer.status)] += 1
        except Broken:
            pages.wrong["no answer"] += 1
        pages.times.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, began + POLL_SECONDS - time.monotonic()))
