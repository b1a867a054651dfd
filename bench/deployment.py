"""friendpay, running somewhere: its database with its clock, and its commands.

The database's clock can be made to run fast and to jump: all of friendpay tells the time by it, so that holds end,
links expire and unanswered questions are asked again within a minute instead of hours.
"""

import random
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench.faultproxy import Streams

ROOT = Path(__file__).resolve().parent.parent

_DUE = """
    SELECT (SELECT count(*) FROM payments_payment WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_refund WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_dispute WHERE closed_at IS NULL AND next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_providerevent WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM payments_paymentrequest
            WHERE status = 'open' AND expires_at <= clock_timestamp() AND amount_held = 0)
        + (SELECT count(*) FROM sandbox_notice WHERE next_attempt_at <= clock_timestamp())
        + (SELECT count(*) FROM orders_event WHERE sequence IS NULL)
        + (SELECT count(*) FROM orders_webhookdelivery WHERE next_attempt_at <= clock_timestamp())
"""
_UNDECIDED = {
    "payment": "SELECT public_id FROM payments_payment WHERE status IN ('created', 'pending')",
    "refund": "SELECT public_id FROM payments_refund WHERE status <> 'succeeded'",
    "payment request": "SELECT public_id FROM payments_paymentrequest WHERE status = 'open'",
    "notification": "SELECT event_id FROM payments_providerevent WHERE applied_at IS NULL",
    "notice of the wallet": "SELECT event_id FROM sandbox_notice WHERE next_attempt_at IS NOT NULL",
    "event": "SELECT public_id FROM orders_event WHERE sequence IS NULL",
    "webhook": "SELECT public_id FROM orders_webhookdelivery WHERE status <> 'delivered'",
}


class Deployment:
    """What is told to its processes is `environment`. Everything here may be called while parts of it are down."""

    def __init__(self, key: str, environment: Mapping[str, str]) -> None:
        self.key, self.environment, self.address = key, dict(environment), environment["PUBLIC_URL"]
        self._clock = datetime.now(UTC), datetime.now(UTC), 1  # the town's time, the real one then, how fast it runs

    shop: tuple[str, int] = ("127.0.0.1", 0)  # where the shop's server listens
    kills: dict[str, int]

    async def dial(self, home: int) -> Streams:
        """A connection to the door, from an address of this person's own."""
        raise NotImplementedError

    def is_up(self) -> bool:
        """Whether everything that belongs to it runs."""
        raise NotImplementedError

    def kill(self, victim: str, chance: random.Random) -> bool:
        """Something ends at once; False where there was nothing."""
        raise NotImplementedError

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """To the database, waiting for it while it is down."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def now(self) -> datetime:
        """What the database's clock says."""
        town, real, rate = self._clock
        return town + (datetime.now(UTC) - real) * rate

    def run_clock(self, rate: int, *, ahead: int = 0) -> None:
        """From now on the database's clock runs `rate` times as fast, `ahead` seconds later than it was."""
        with self.connect() as database:
            now, real = database.execute("SELECT clock_timestamp(), pg_catalog.clock_timestamp()").fetchone() or ()
            database.execute(f"""
                CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
                    SELECT timestamptz '{now}' + interval '{ahead} seconds'
                        + (pg_catalog.clock_timestamp() - timestamptz '{real}') * {rate}
                $$""")
            self._clock = now + timedelta(seconds=ahead), real, rate
            if database.execute("SHOW search_path").fetchone() != ("public, pg_catalog",):
                database.execute("ALTER DATABASE friendpay SET search_path = public, pg_catalog")
                database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def rest(self, seconds: float) -> float | None:
        """Wait until nothing is due; says how long that took, or None when something is due still."""
        began = time.monotonic()
        with self.connect() as database:
            while time.monotonic() < began + seconds:
                if database.execute(_DUE).fetchone() == (0,):
                    return time.monotonic() - began
                time.sleep(0.2)
        return None

    def undecided(self) -> list[str]:
        """Whatever is not final."""
        with self.connect() as database:
            return [f"{what} {row[0]}" for what, sql in _UNDECIDED.items() for row in database.execute(sql)]

    def open_account(self, provider: str, base_url: str, config: dict[str, str]) -> str:
        """Give the demo merchant an account at a wallet that stands there; its public id."""
        made = f"make_stand_in({provider!r}, base_url={base_url!r}, config={config!r})"
        code = f"from payments.management.commands.seed_demo import make_stand_in; print({made}.public_id)"
        return self.manage("shell", "--no-imports", "-c", code).stdout.strip()

    def compare_bills(self) -> None:
        """Now, and not when the half hour comes round."""
        compare = "from payments.settlement import bill_days; bill_days.compare_due()"
        compared = self.manage("shell", "--no-imports", "-c", compare)
        assert compared.returncode == 0, compared.stderr

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One of manage.py's commands, on this database."""
        command = [str(ROOT / ".venv/bin/python"), "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
