"""The generator of load, a process of its own: so many connections do one flow again and again for so many seconds.

It reads one job from its standard input and writes what came of it to its standard output. `load()` runs one.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.speed import flows
from bench.speed.figures import percentile
from bench.speed.wire import Broken, Client

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass
class Job:
    """What to do, for how long, and with what."""

    flow: str
    base: str
    seconds: float
    connections: int = 16
    about: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    again: bool = True  # begin anew with the first item after the last; else the job ends with them
    rate: float = 0.0  # operations begun in a second; 0: as many as there can be


@dataclass
class Done:
    """What came of it. `ops` were done whole and right; of the others `wrong` says why, and how often."""

    ops: int
    seconds: float
    wrong: dict[str, int]
    p50: float  # milliseconds of one operation
    p99: float
    began: float  # when the first one did, on the clock of all processes (`time.monotonic`)

    @property
    def rate(self) -> float:
        return self.ops / self.seconds


def load(job: Job) -> Done:
    """Run a job in a process of its own, and wait for it. RuntimeError where more than one in a hundred failed."""
    command = [str(PYTHON), "-m", "bench.speed.load"]
    patience = job.seconds + 60
    ran = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(job)), capture_output=True, text=True, timeout=patience, check=False
    )
    if ran.returncode:
        raise RuntimeError(f"the load of {job.flow} ended: {ran.stderr[-600:]}")
    done = Done(**json.loads(ran.stdout))
    if sum(done.wrong.values()) * 100 > done.ops:
        raise RuntimeError(f"{job.flow} at {job.base}: {done.ops} done, and {done.wrong}")
    return done


async def _run(job: Job) -> Done:
    times: list[float] = []
    wrong: Counter[str] = Counter()
    items: Iterator[str] = cycle(job.items) if job.again else iter(job.items)
    began = time.monotonic()
    ends = began + job.seconds
    visits = [flows.Visit(Client(job.base, number, job.headers), job.about, items) for number in range(job.connections)]
    flow, turn = flows.FLOWS[job.flow], iter(range(10**9))

    async def go_on(visit: flows.Visit) -> None:
        while (now := time.monotonic()) < ends:
            if job.rate:
                begins = began + next(turn) / job.rate
                if begins >= ends:
                    return
                await asyncio.sleep(max(0.0, begins - now))
                now = time.monotonic()
            try:
                await flow(visit)
            except (Broken, flows.Wrong, KeyError, ValueError) as error:
                wrong[f"{type(error).__name__} {error}"[:200]] += 1
                await asyncio.sleep(0.05)
            except RuntimeError as error:  # the items are all used: what StopIteration becomes in a coroutine
                if not isinstance(error.__cause__, StopIteration):
                    raise
                return
            else:
                times.append(time.monotonic() - now)

    await asyncio.gather(*map(go_on, visits))
    took = time.monotonic() - began
    for visit in visits:
        visit.client.close()
    p50, p99 = (percentile(times, part) * 1000 if times else 0.0 for part in (0.5, 0.99))
    return Done(len(times), took, dict(wrong.most_common(5)), p50, p99, began)


def many_files() -> None:
    """Each connection is an open file."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    import uvloop

    many_files()
    job = Job(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(_run(job))), sys.stdout)


if __name__ == "__main__":
    main()
