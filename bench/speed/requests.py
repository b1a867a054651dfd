"""Pages and calls by the second: read, hot, create and pay, each beside the bare application."""

import time
from collections.abc import Callable
from dataclasses import replace

from bench.speed import lnbits
from bench.speed.figures import Line, Outcome, median
from bench.speed.load import Done, Job, load
from bench.speed.world import House, World, turns

CONNECTIONS = 16
SHOPPERS = 8


def read(world: World, line: Line) -> Outcome:
    """Ten thousand links, one after another: no page was shown a moment before."""
    house, bare = world.house, world.bare
    pages = house.links.all()

    def ours() -> Done:
        return load(Job("get", house.base, world.seconds, CONNECTIONS, items=pages, about={"holds": "Spring oolong"}))

    def beside() -> Done:
        return load(Job("get", bare, world.seconds, CONNECTIONS, items=pages, about={"holds": "Spring oolong"}))

    return _rates(world, line, ours, beside)


def hot(world: World, line: Line) -> Outcome:
    """One link that everybody opens. In every round the request is cancelled, and the very next page must say so."""
    house, bare = world.house, world.bare

    def ours() -> Done:
        order, token = house.ask()
        done = load(Job("get", house.base, world.seconds, CONNECTIONS, items=[f"/p/{token}/"]))
        house.call(f"/orders/{order}/cancel", {})
        again = Job("get", house.base, 5, 1, items=[f"/p/{token}/"], again=False, about={"holds": "No longer needed"})
        if load(again).ops != 1:
            raise RuntimeError("the page of a cancelled request was stale")
        return done

    def beside() -> Done:
        return load(Job("get", bare, world.seconds, CONNECTIONS, items=house.links.all()[:1]))

    return _rates(world, line, ours, beside)


def create(world: World, line: Line) -> Outcome:
    """An order and its request, each with a reference of its own."""
    house, bare = world.house, world.bare

    def ours() -> Done:
        return load(Job("create", house.base, world.seconds, CONNECTIONS, about=house.about(), headers=house.key))

    def beside() -> Done:
        return load(Job("bare_create", bare, world.seconds, CONNECTIONS, about=house.about(), headers=house.key))

    return _rates(world, line, ours, beside, f"{'one call' if house.one_call else 'two calls'} of the API")


def pay(world: World, line: Line) -> Outcome:
    """Requests that nobody has paid, each tapped and approved once; the round ends when the last one is settled."""
    house, bare = world.house, world.bare

    def ours() -> Done:
        return paid(house, world.seconds)

    def beside() -> Done:
        items = [page.replace("/p/", "/pay/").rstrip("/") for page in house.copy.fresh(int(2000 * world.seconds))]
        return load(Job("bare_pay", bare, world.seconds, CONNECTIONS, items=items, again=False))

    return _rates(world, line, ours, beside)


def paid(house: House, seconds: float) -> Done:
    """Payments by the second, from the first tap to the last settlement."""
    items = house.links.fresh(int(1000 * seconds))
    done = load(Job("pay", house.base, seconds, CONNECTIONS, items=items, again=False))
    house.settle()
    return replace(done, seconds=time.monotonic() - done.began)


def _rates(world: World, line: Line, ours: Callable[[], Done], beside: Callable[[], Done], *notes: str) -> Outcome:
    """Both in turn, once the lines before have nothing left to do, and after a round each that counts for nothing."""
    answers: list[Done] = []

    def rate(of: Callable[[], Done]) -> float:
        done = of()
        if of is ours:
            answers.append(done)
        return done.rate

    rate(ours), rate(beside)
    world.house.rest()
    answers.clear()
    ours_given, beside_given = turns(world.rounds, lambda: rate(ours), lambda: rate(beside))
    times = f"ours: p50 {median([d.p50 for d in answers]):.1f} ms, p99 {median([d.p99 for d in answers]):.1f} ms"
    return Outcome(line, ours_given, beside_given, notes=(f"{times}", *notes))


def cycle(world: World, line: Line) -> Outcome:
    """Ask, read, pay and see that it is paid, beside LNbits' create, read, pay and see."""
    house = world.house
    address, keys = lnbits.start(world)

    def ours() -> Done:
        return load(Job("cycle", house.base, world.seconds, SHOPPERS, about=house.about(), headers=house.key))

    def beside() -> Done:
        return load(Job("lnbits", address, world.seconds, SHOPPERS, about=keys))

    return _rates(world, line, ours, beside, "LNbits signs invoices and keeps balances besides")
