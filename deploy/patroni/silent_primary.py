#!/usr/bin/env python3
"""Replace a PostgreSQL primary whose machine has gone silent sooner than Patroni's smallest `ttl` of 20 seconds.

    silent_primary.py --name db1 --etcd http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379 --silence 7

Run one beside every Patroni (with etcd's API v3), under the name that Patroni has there. Each asks the primary's
Patroni twice a second. Once most members have heard nothing for `--silence` seconds, the primary's lease in etcd is
revoked, which etcd would do by itself at the end of the `ttl`; from there on all is Patroni's.

What never happens: one machine decides alone; a machine that does not reach etcd's majority decides anything. Two
conditions: `--silence` is at least `loop_wait` + 2 x `retry_timeout`, the time after which a primary that cannot reach
etcd has stepped down by itself; and `synchronous_mode_strict` is on, so that whatever a silent primary still believes,
it acknowledges nothing.
"""

import argparse
import base64
import json
import logging
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_ASK_EVERY = 0.5  # seconds
_PATIENCE = 1.0  # seconds for one answer
_SAID_FOR = 3  # seconds that one member's word counts, unless it is said again
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
log = logging.getLogger("silent_primary")


class Etcd:
    """etcd's JSON gateway. Reads and writes are those of the majority; without one, OSError."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    def get(self, prefix: str) -> list[dict[str, str]]:
        """Every key that begins so, with its value and the lease it hangs on ("0" for none)."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        answer = self._call("kv/range", {"key": _coded(prefix), "range_end": _coded(end)})
        return [
            {"key": _plain(row["key"]), "value": _plain(row.get("value", "")), "lease": row.get("lease", "0")}
            for row in answer.get("kvs", [])
        ]

    def say(self, key: str, value: str, seconds: int) -> None:
        """Write what is forgotten after so many seconds."""
        lease = self._call("lease/grant", {"TTL": str(seconds)})["ID"]
        self._call("kv/put", {"key": _coded(key), "value": _coded(value), "lease": lease})

    def revoke(self, lease: str) -> None:
        self._call("lease/revoke", {"ID": lease})

    def _call(self, method: str, body: dict[str, str]) -> dict[str, Any]:
        failed: OSError = OSError("no address of etcd was given")
        for _address in tuple(self._addresses):
            request = urllib.request.Request(f"{self._addresses[0]}/v3/{method}", json.dumps(body).encode())
            try:
                with _open(request, timeout=_PATIENCE) as answer:
                    return dict(json.load(answer))
            except OSError as problem:
                failed = problem
                self._addresses.append(self._addresses.pop(0))  # the next call need not wait for it again
        raise failed


@dataclass
class Watch:
    """What one member knows of the primary. `look` is called again and again, with a clock that only goes forward."""

    etcd: Etcd
    name: str
    scope: str
    silence: float
    lease: str = ""
    heard: float = 0.0

    @property
    def _patroni(self) -> str:
        return f"/service/{self.scope}/"

    def look(self, now: float) -> bool:
        """Ask the primary once, and say so where it has been silent. True where its lease was revoked. OSError where
        etcd has no majority that answers here; silence then counts anew.
        """
        try:
            known = {row["key"].removeprefix(self._patroni): row for row in self.etcd.get(self._patroni)}
        except OSError:
            self.lease = ""
            raise
        leader = known.get("leader")
        if leader is None or leader["value"] == self.name:
            self.lease = ""
            return False
        if leader["lease"] != self.lease:
            self.lease, self.heard = leader["lease"], now
        members = {key: row["value"] for key, row in known.items() if key.startswith("members/")}
        if answers(members.get(f"members/{leader['value']}", "{}")):
            self.heard = now
        if now - self.heard < self.silence:
            return False
        words = f"/friendpay/silent/{self.scope}/"
        self.etcd.say(f"{words}{self.name}", self.lease, _SAID_FOR)
        agreed = [row for row in self.etcd.get(words) if row["value"] == self.lease]
        log.warning("%s is silent: %s of %s members say so", leader["value"], len(agreed), len(members))
        if 2 * len(agreed) <= len(members):
            return False
        self.etcd.revoke(self.lease)
        log.warning("%s has lost its lease; Patroni chooses another primary", leader["value"])
        return True


def answers(member: str) -> bool:
    """Whether the Patroni of this member, as it describes itself in etcd, is alive."""
    with suppress(OSError, ValueError, KeyError):
        address = json.loads(member)["api_url"].rsplit("/", 1)[0]
        with _open(f"{address}/liveness", timeout=_PATIENCE) as answer:
            return bool(answer.status == 200)
    return False


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plain(text: str) -> str:
    return base64.b64decode(text).decode()


def main() -> int:
    parser = argparse.ArgumentParser(description="Replace a primary that has gone silent.")
    parser.add_argument("--name", required=True, help="this member's name in Patroni")
    parser.add_argument("--etcd", required=True, help="etcd's addresses, with commas between them")
    parser.add_argument("--scope", default="friendpay", help="Patroni's scope (default: friendpay)")
    parser.add_argument("--silence", type=float, required=True, help="seconds: loop_wait + 2 x retry_timeout or more")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stdout)
    watch = Watch(Etcd(chosen.etcd.split(",")), chosen.name, chosen.scope, chosen.silence)
    while True:
        try:
            watch.look(time.monotonic())
        except OSError as problem:
            log.info("etcd has no majority that answers here: %s", problem)
        time.sleep(_ASK_EVERY)


if __name__ == "__main__":
    sys.exit(main())
