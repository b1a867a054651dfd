"""Open sockets, thousands of them, in a process of its own, at friendpay and at the bare hub: when each hears what.

    echo '{...}' | python -m bench.speed.crowds

The job says what to open at which side and how often to publish; the answer lists, for each side and round, the
seconds from publishing to hearing. `hold` only opens them and waits until its standard input ends.
"""

import asyncio
import json
import sys
import time
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.speed.load import PYTHON, ROOT, many_files
from bench.speed.wire import Ear, listen

AT_ONCE = 100
"""Sockets that are being opened at one time."""
HEARS_WITHIN = 10.0


@dataclass
class Side:
    """One server with sockets on it, and who publishes there."""

    base: str
    who: str  # of bench.speed.driver
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Crowd:
    """`sockets` on each side, spread over the tokens; in each round so many messages, at so many a second."""

    sides: list[Side]
    tokens: list[str]
    sockets: int
    number: int = 1
    rate: float = 1.0
    rounds: int = 5
    first: int = 0  # the first socket's number: where it lives


class Listening:
    """The sockets of one side, and what each has heard."""

    def __init__(self, side: Side, crowd: Crowd) -> None:
        self.side, self.crowd = side, crowd
        self.heard: list[list[tuple[bytes, float]]] = [[] for _ in range(crowd.sockets)]
        self.ears: list[Ear] = []
        self._seq = 1_000

    async def open(self) -> None:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> Ear:
            async with free:
                path = f"/ws/p/{self.crowd.tokens[number % len(self.crowd.tokens)]}/"
                return await listen(
                    self.side.base,
                    path,
                    self.crowd.first + number,
                    lambda frame, now: self.heard[number].append((frame, now)),
                )

        self.ears = list(await asyncio.gather(*map(one, range(self.crowd.sockets))))

    async def start(self) -> None:
        """Open the sockets and start who publishes."""
        self._driver = await asyncio.create_subprocess_exec(
            str(PYTHON),
            "-m",
            "bench.speed.driver",
            self.side.who,
            cwd=ROOT,
            env=self.side.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        await self.open()
        await self.round(min(self.crowd.number, len(self.crowd.tokens)))  # the first counts for nothing

    async def round(self, number: int = 0) -> list[float]:
        """How long each message took to each socket it was for; infinite where it never came."""
        for heard in self.heard:
            heard.clear()
        crowd = self.crowd
        number = number or crowd.number
        job = {"tokens": crowd.tokens, "number": number, "rate": crowd.rate, "seq": self._seq}
        self._seq += 1 + number // len(crowd.tokens)
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(job).encode() + b"\n")
        sent = json.loads(await self._driver.stdout.readline())
        last = {place: seq for place, seq, _moment in sent}
        ends = time.monotonic() + HEARS_WITHIN
        while time.monotonic() < ends and not self._all(last):
            await asyncio.sleep(0.05)
        return delays(sent, self.heard, len(crowd.tokens))

    def _all(self, last: dict[int, int]) -> bool:
        """Whether every socket has heard the last that was said to it."""
        return all(
            heard and _seq_of(heard[-1][0]) >= last[number % len(self.crowd.tokens)]
            for number, heard in enumerate(self.heard)
            if number % len(self.crowd.tokens) in last
        )

    def close(self) -> None:
        for ear in self.ears:
            ear.transport.abort()
        self._driver.kill()


def delays(sent: list[tuple[int, int, float]], heard: list[list[tuple[bytes, float]]], tokens: int) -> list[float]:
    """For each message and socket it was for: the seconds until it, or a later one, was heard there."""
    found: list[float] = []
    for number, frames in enumerate(heard):
        seqs = [_seq_of(frame) for frame, _now in frames]
        for place, seq, moment in sent:
            if number % tokens == place:
                index = bisect_left(seqs, seq)
                found.append(frames[index][1] - moment if index < len(frames) else float("inf"))
    return found


def _seq_of(frame: bytes) -> int:
    return int(json.loads(frame)["seq"])


async def _run(job: dict[str, Any]) -> list[list[list[float]]]:
    crowd = Crowd(**{**job, "sides": [Side(**side) for side in job["sides"]]})
    listening = [Listening(side, crowd) for side in crowd.sides]
    for side in listening:
        await side.start()
    found: list[list[list[float]]] = [[] for _ in listening]
    for turn in range(crowd.rounds):
        for place in range(len(listening)) if turn % 2 == 0 else reversed(range(len(listening))):
            found[place].append(await listening[place].round())
    for side in listening:
        side.close()
    return found


async def _hold(job: dict[str, Any]) -> None:
    crowd = Crowd(**{**job, "sides": [Side(**side) for side in job["sides"]]})
    listening = Listening(crowd.sides[0], crowd)
    await listening.open()
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def heard(crowd: Crowd, patience: float) -> list[list[list[float]]]:
    """Run a crowd in a process of its own: the delays of every round of every side."""
    process = await asyncio.create_subprocess_exec(
        str(PYTHON),
        "-m",
        "bench.speed.crowds",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complaint = await asyncio.wait_for(process.communicate(json.dumps(asdict(crowd)).encode()), patience)
    except TimeoutError:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"the crowd ended: {complaint.decode()[-400:]}")
    found: list[list[list[float]]] = json.loads(said)
    return found


def main() -> None:
    import uvloop

    many_files()
    job = json.loads(sys.stdin.readline())
    if job.pop("hold", False):
        uvloop.run(_hold(job))
    else:
        json.dump(uvloop.run(_run(job)), sys.stdout)


if __name__ == "__main__":
    main()
