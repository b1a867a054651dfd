"""Whether the answers about a request can have been given by one register that is written in order (linearizability).

A request's `seq` only grows, and each `seq` is one state. So it is enough that nobody who asks after another was told
of a `seq` is told of an earlier one, and that nobody is told two states of the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from bench.ends import Told

_PUSHED = "hear"  # what a socket says was true before it was said; it may come later than the answer to a question


def stale(told: Iterable[Told]) -> Iterator[str]:
    """Answers that are older than what somebody, whoever it was, had been told before the question was asked."""
    by_request: dict[str, list[Told]] = defaultdict(list)
    for fact in told:
        if "seq" in fact and "ended" in fact:
            by_request[fact["request"]].append(fact)
    for request, facts in by_request.items():
        known = sorted(facts, key=lambda fact: fact["ended"])
        latest, heard = 0, 0
        for asked in sorted((fact for fact in facts if fact["did"] != _PUSHED), key=lambda fact: fact["began"]):
            while heard < len(known) and known[heard]["ended"] < asked["began"]:
                latest = max(latest, known[heard]["seq"])
                heard += 1
            if asked["seq"] < latest:
                yield f"{asked['who']} was told {asked['seq']} of {request} at {asked['began']}, after {latest}"


def differing(told: Iterable[Told]) -> Iterator[str]:
    """States of which two were told for the same `seq` of a request. One whose time is over is told as expired before
    that is written, so from open to expired no `seq` is needed.
    """
    states: dict[tuple[str, int], str] = {}
    for fact in told:
        if "seq" in fact:
            key = fact["request"], fact["seq"]
            if {states.setdefault(key, fact["state"]), fact["state"]} not in ({fact["state"]}, {"open", "expired"}):
                yield f"{key[0]} at {key[1]}: {states[key]}, and to {fact['who']}: {fact['state']}"
