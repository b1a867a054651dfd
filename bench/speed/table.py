"""The lines of the table: each measured beside its limit or its peer in one run, with its floor and its goal."""

from collections.abc import Callable

from bench.speed import requests
from bench.speed.figures import Line, Outcome
from bench.speed.world import World

Bench = Callable[[World, Line], Outcome]

_BARE = "Starlette + psycopg"
TABLE: dict[Line, Bench] = {
    Line("read", "friend's page, many links", _BARE, 0.20, 0.45, "a second"): requests.read,
    Line("hot", "one shared link, status never stale", _BARE, 0.50, 0.70, "a second"): requests.hot,
    Line("create", "order and request through the API", f"{_BARE}, the same rows", 0.25, 0.45, "a second"): (
        requests.create
    ),
    Line("pay", "tap to settled, the sandbox wallet inside", f"{_BARE}, the same rows", 0.20, 0.40, "a second"): (
        requests.pay
    ),
}
NAMED = {line.name: (line, bench) for line, bench in TABLE.items()}
