"""What no noise bends: CPU time of all processes for one paid order; and what a stack costs that has nothing to do."""

import time

from bench.speed.cpu import Meter
from bench.speed.figures import Line, Outcome
from bench.speed.load import Job, load
from bench.speed.world import World

CALM = 4
"""Connections: the machine is busy and nobody waits long."""


def cost(world: World, line: Line) -> Outcome:
    """From order to paid and seen: the web server's, the workers', PostgreSQL's and Valkey's CPU, minus what idles."""
    house = world.house
    meter = Meter(house.stack.pid)
    load(Job("cycle", house.base, 1, CALM, about=house.about(), headers=house.key))
    house.rest()
    meter.read()
    time.sleep(3 if world.quick else 8)
    idle = meter.read()
    spent = []
    for _round in range(world.rounds):
        meter.read()
        done = load(Job("cycle", house.base, world.seconds, CALM, about=house.about(), headers=house.key))
        house.settle()
        time.sleep(0.5)  # webhooks and the like come after
        spent.append(1000 * meter.read().beyond(idle) / done.ops)
    return Outcome(line, spent, notes=(f"{100 * idle.cores:.1f}% of a core, idle, is left out",))


def idle(world: World, line: Line) -> Outcome:
    """CPU of everything while nothing happens, in percent of one core. The system counts each process in hundredths of
    a second, so a round is long enough for that to be little.
    """
    world.house.rest()
    meter = Meter(world.house.stack.pid)
    used = []
    for _round in range(world.rounds):
        meter.read()
        time.sleep(3 * world.seconds)
        used.append(100 * meter.read().cores)
    return Outcome(line, used)


def weight(world: World, line: Line) -> Outcome:
    """Memory of everything, pages that processes share counted once: as it starts, and has served nobody yet."""
    world.house.rest()
    used = Meter(world.house.stack.pid).memory() / 2**20
    note = f"{used:.0f} MB once 10,000 requests are filled in, and what ran before this line was served"
    return Outcome(line, [world.house.fresh / 2**20], notes=(note,))
