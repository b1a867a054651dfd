"""Live pages beside a bare hub: push, fan-out, and what an idle socket weighs."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict

import psutil

from bench.speed.cpu import of_tree
from bench.speed.crowds import Crowd, Side, heard
from bench.speed.figures import Line, Outcome, percentile
from bench.speed.load import PYTHON, ROOT
from bench.speed.world import World

PATIENCE = 80.0


def push(world: World, line: Line) -> Outcome:
    """A thousand requests, a socket on each, a thousand messages a second: the 99th percentile of each round."""
    groups, seconds = (200, 1) if world.quick else (1_000, 3)
    crowd = Crowd(sides(world), _tokens(world, groups), groups, number=groups * seconds, rate=groups)
    crowd.rounds = world.rounds
    ours, beside = asyncio.run(heard(crowd, PATIENCE))
    return Outcome(line, *_milliseconds(ours, beside, lambda times: percentile(times, 0.99)))


def fan_out(world: World, line: Line) -> Outcome:
    """Five thousand sockets on one request, told of one change: until the last one has heard."""
    crowd = Crowd(sides(world), _tokens(world, 1), 500 if world.quick else 5_000)
    crowd.rounds = world.rounds
    ours, beside = asyncio.run(heard(crowd, PATIENCE))
    return Outcome(line, *_milliseconds(ours, beside, max))


def memory(world: World, line: Line) -> Outcome:
    """How much more the web server takes with two thousand sockets that hear nothing, by the socket."""
    sockets = 300 if world.quick else 2_000
    web, hub = world.house.stack.pid_of("web"), world.pids[world.hub]
    ours, beside = sides(world)
    return Outcome(line, [_weight(world, ours, web, sockets)], [_weight(world, beside, hub, sockets)])


def _milliseconds(
    ours: list[list[float]], beside: list[list[float]], of: Callable[[list[float]], float]
) -> tuple[list[float], list[float]]:
    """One figure of each round."""
    return [1000 * of(times) for times in ours], [1000 * of(times) for times in beside]


def _weight(world: World, side: Side, pid: int, sockets: int) -> float:
    crowd = Crowd([side], _tokens(world, 20), sockets)
    before = _resident(pid)
    process = subprocess.Popen(
        [str(PYTHON), "-m", "bench.speed.crowds"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({**asdict(crowd), "hold": True}) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "open":
            raise RuntimeError("the sockets did not open")
        return (_resident(pid) - before) / sockets / 1024
    finally:
        process.kill()
        process.wait()


def _resident(pid: int) -> int:
    return sum(int(process.memory_info().rss) for process in of_tree(psutil.Process(pid)))


def sides(world: World) -> list[Side]:
    ours = {**world.house.stack.environment, "DJANGO_SETTINGS_MODULE": "friendpay.settings"}
    return [Side(world.house.base, "ours", ours), Side(world.hub, "bare", ours)]


def _tokens(world: World, number: int) -> list[str]:
    return [page.strip("/").removeprefix("p/") for page in world.house.links.fresh(number)]
