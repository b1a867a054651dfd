"""The lines of the table: each measured beside its limit or its peer in one run, with its floor and its goal."""

from collections.abc import Callable

from bench.speed import costs, live, millions, requests
from bench.speed.figures import Line, Outcome
from bench.speed.world import World

Bench = Callable[[World, Line], Outcome]

_BARE = "Starlette + psycopg"
_ROWS = f"{_BARE}, the same rows"
_HUB = "bare Valkey hub"
# At rest first: before the others have anything loaded.
TABLE: dict[Line, Bench] = {
    Line("idle", "CPU of a stack at rest", "", 1, 1, "% of a core", ""): costs.idle,
    Line("weight", "memory of a stack at rest, as it starts", "", 300, 300, "MB", ""): costs.weight,
    Line("read", "friend's page, many links", _BARE, 0.20, 0.45, "a second"): requests.read,
    Line("hot", "one shared link, status never stale", _BARE, 0.50, 0.70, "a second"): requests.hot,
    Line("create", "order and request through the API", _ROWS, 0.25, 0.45, "a second"): requests.create,
    Line("pay", "tap to settled, the sandbox wallet inside", _ROWS, 0.20, 0.40, "a second"): requests.pay,
    Line("cycle", "create, read, pay and see", "LNbits on PostgreSQL", 4, 8, "a second", "times"): requests.cycle,
    Line("cost", "CPU of all processes for a paid order", "", 25, 8, "ms", ""): costs.cost,
    Line("memory", "an idle socket", "bare socket", 2, 1.5, "KB", "times"): live.memory,
    Line("push", "1,000 groups, 1,000 messages a second, p99", _HUB, 4, 3, "ms", "times"): live.push,
    Line("fan-out", "5,000 sockets on one request, the last one", _HUB, 5, 3, "ms", "times"): live.fan_out,
    Line("sweep", "200,000 stale of a million", "one statement", 0.40, 0.60, "a second"): millions.sweep,
    Line("growth", "a million requests", "10,000", 1.3, 1.1, "ms an operation", "times"): millions.growth,
}
NAMED = {line.name: (line, bench) for line, bench in TABLE.items()}
