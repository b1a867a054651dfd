"""What the doctor looks at within: configuration, database, migrations, months, Valkey, broker, clocks, workers."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.core import checks, mail
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis

from friendpay.doctor.finding import MENDS, Finding, State
from friendpay.kit import limits, months, pooler
from friendpay.kit.clock import now
from orders.webhooks import outbox
from payments import heartbeats
from payments.wallets import registry

_WANTED = {  # else PostgreSQL loses what it acknowledged, or writes half a page, when the machine dies
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}


def configuration() -> Iterator[Finding]:
    """Django's own checks, for a deployment, and what friendpay can do without but an operator should know of."""
    about, wrong, warning = "configuration", State.WRONG, State.WARNING
    found = [one for one in checks.run_checks(include_deployment_checks=not settings.DEMO) if not one.is_silenced()]
    for one in found:
        state = wrong if one.is_serious() else warning
        yield Finding(about, state, f"{one.id}: {' '.join(str(one.msg).split())}", str(one.hint or MENDS[about]))
    if settings.DEMO:
        yield Finding(about, warning, "this is a demo, which lets everybody in", "Take FRIENDPAY_DEMO away.")
        return
    for name, missing in (
        ("METRICS_TOKEN", "nobody can read /metrics, so nobody is told when something stands still"),
        ("ADMINS", "nobody is mailed when the books are wrong"),
        ("EMAIL_HOST", "nobody is sent any mail"),
    ):
        if not getattr(settings, name):
            mend = {"ADMINS": "OPERATOR_EMAILS"}.get(name, name)
            yield Finding(about, warning, missing, f"Set {mend}.")
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        says = f"no static files in {settings.STATIC_ROOT}: pages come without style"
        yield Finding(about, wrong, says, "Run manage.py collectstatic --no-input.")
    if not found:
        yield Finding(about, State.OK, f"fits; PUBLIC_URL is {settings.PUBLIC_URL}")


def database() -> Iterator[Finding]:
    """That it can be written to and keeps what it acknowledged, and has connections enough for one process."""
    about = "database"
    with _connected(settings.DATABASE_URL) as asked:
        told: dict[str, str] = dict(asked.execute("SELECT name, setting FROM pg_settings").fetchall())
        is_standby = (asked.execute("SELECT pg_is_in_recovery()").fetchone() or (None,))[0]
    version = int(told["server_version_num"]) // 10_000
    if version < limits.OLDEST_POSTGRESQL:
        yield Finding(
            about, State.WRONG, f"PostgreSQL {version} is too old", f"Use {limits.OLDEST_POSTGRESQL} or newer."
        )
    if is_standby:
        says = "this is a standby, which takes no writes"
        yield Finding(about, State.WRONG, says, "Name the primary in DATABASE_URL, or promote this one.")
    if told["server_encoding"] != "UTF8":
        yield Finding(about, State.WRONG, "its encoding is not UTF8", "Make the database anew with ENCODING 'UTF8'.")
    for name, wanted in _WANTED.items():
        # `remote_apply`, and `remote_write` with a standby, wait for more
        if told[name] != wanted and not told[name].startswith("remote_"):
            says = f"{name} is {told[name]}: money that was acknowledged can be lost with the machine"
            yield Finding(about, State.WRONG, says, f"Set {name} = {wanted} in postgresql.conf and reload.")
    if told["archive_mode"] == "off":
        says = "archive_mode is off: a disk that dies takes all since the last backup with it"
        yield Finding(about, State.WARNING, says, "Archive the WAL (docs/operate.md, Backups).")
    needs = settings.WEB_THREADS + settings.PAYER_THREADS * len(registry.NAMES) + 5
    has = int(told["max_connections"])
    if needs > has / 2:
        says = f"{has} connections at most, and one web process may take {needs}"
        yield Finding(about, State.WARNING, says, "Raise max_connections (docs/production.md).")
    yield Finding(about, State.OK, f"PostgreSQL {told['server_version']} answers, {has} connections at most")


def pooled() -> Iterator[Finding]:
    """That what lasts as long as a session, and only that, goes past a pooler, and into the same database."""
    about, wrong = "pooler", State.WRONG
    with _connected(settings.DATABASE_URL) as asked, _connected(settings.DIRECT_DATABASE_URL) as direct:
        is_between, is_between_direct = pooler.is_between(asked), pooler.is_between(direct)
        same = asked.execute(_WHICH).fetchone() == direct.execute(_WHICH).fetchone()
    if not same:
        says = "DIRECT_DATABASE_URL leads to another database than DATABASE_URL"
        yield Finding(about, wrong, says, MENDS[about])
    elif is_between_direct:
        name = "DATABASE_URL" if settings.DIRECT_DATABASE_URL == settings.DATABASE_URL else "DIRECT_DATABASE_URL"
        says = f"{name} leads through a pooler, which keeps neither a session's lock nor its prepared statements"
        yield Finding(about, wrong, says, "Set DIRECT_DATABASE_URL to PostgreSQL itself (docs/production.md).")
    elif not is_between and settings.DIRECT_DATABASE_URL != settings.DATABASE_URL:
        says = "DATABASE_URL leads to PostgreSQL itself: every statement is planned each time for nothing"
        yield Finding(about, State.WARNING, says, "Take DIRECT_DATABASE_URL away.")
    else:
        way = "through a pooler, and past it for what lasts" if is_between else "to PostgreSQL itself"
        yield Finding(about, State.OK, f"friendpay goes {way}")


_WHICH = "SELECT system_identifier, current_database() FROM pg_control_system()"


def _connected(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(url, autocommit=True, connect_timeout=limits.DOCTOR_SECONDS)


def migrations() -> Iterator[Finding]:
    """That the tables are those of this code."""
    about = "migrations"
    executor = MigrationExecutor(connection)
    loader = executor.loader
    if plan := executor.migration_plan(loader.graph.leaf_nodes()):
        names = ", ".join(f"{one.app_label} {one.name}" for one, _backwards in plan[:5])
        yield Finding(about, State.WRONG, f"{len(plan)} to be made: {names}", MENDS[about])
    elif later := sorted(set(loader.applied_migrations) - set(loader.disk_migrations)):
        says = f"the database is of a later version: {', '.join(f'{app} {name}' for app, name in later[:5])}"
        yield Finding(about, State.WARNING, says, "Run that version's code here too.")
    else:
        yield Finding(about, State.OK, "all made")


def monthly() -> Iterator[Finding]:
    """That what is divided by month has the tables of this month and the next. Nothing is lost where it has not."""
    about = "months"
    if coming := months.ahead(outbox.BY_MONTH, now()):
        yield Finding(about, State.OK, f"this month and {coming} to come have their tables")
    else:
        says = "this month or the next has no tables of its own: deliveries go to those of an older one"
        yield Finding(about, State.WARNING, says, MENDS[about])


def valkey() -> Iterator[Finding]:
    """That each of them takes and gives back a value: one that is full only reads."""
    for client in _valkeys():
        client.set("doctor", "1", ex=limits.KNOCK_SECONDS)
        about = client.info("server")
        version = about.get("valkey_version") or about.get("redis_version")
        yield Finding("Valkey", State.OK, f"{about.get('server_name', 'redis')} {version} answers and takes writes")


def _valkeys() -> Iterator[Redis]:
    for url in settings.REDIS_URLS:
        with Redis.from_url(
            url, socket_timeout=limits.DOCTOR_SECONDS, socket_connect_timeout=limits.DOCTOR_SECONDS
        ) as client:
            yield client


def broker() -> Iterator[Finding]:
    """That tasks can be sent."""
    with current_app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, timeout=limits.DOCTOR_SECONDS)
        yield Finding("broker", State.OK, f"{link.transport.driver_name or link.transport_cls} answers")


def clock() -> Iterator[Finding]:
    """Friendpay goes by PostgreSQL's clock. This machine's and Valkey's should agree: logs and ends of counters do."""

    def of_database() -> float:
        with _connected(settings.DATABASE_URL) as asked:
            began = time.time()
            row = asked.execute("SELECT extract(epoch FROM pg_catalog.clock_timestamp())").fetchone() or (0,)
            return float(row[0]) - (began + time.time()) / 2

    def of_valkey(client: Redis) -> float:
        began = time.time()
        seconds, microseconds = client.time()
        return seconds + microseconds / 1e6 - (began + time.time()) / 2

    yield apart("the database's", of_database())
    for client in _valkeys():
        yield apart("Valkey's", of_valkey(client))


def apart(whose: str, seconds: float, *, exact: float = 1.0) -> Finding:
    """How far a clock is from this machine's. `exact`: what it can be told to."""
    ahead = "ahead of" if seconds > 0 else "behind"
    says = f"{whose} clock is {abs(seconds):.1f} s {ahead} this machine's"
    if abs(seconds) <= exact:
        return Finding("clock", State.OK, f"{whose} clock agrees with this machine's")
    return Finding(
        "clock", State.WARNING if abs(seconds) < limits.CLOCKS_APART_SECONDS else State.WRONG, says, MENDS["clock"]
    )


def background() -> Iterator[Finding]:
    """That workers and scheduler live."""
    about = "background work"
    if late := heartbeats.late():
        yield Finding(about, State.WRONG, f"nothing was seen for a minute of: {', '.join(late)}", MENDS[about])
    else:
        yield Finding(about, State.OK, f"seen within a minute: {', '.join(heartbeats.QUEUES)}")


def post() -> Iterator[Finding]:
    """That the mail server lets us in. Nothing is sent."""
    if settings.EMAIL_HOST:
        with mail.get_connection():
            yield Finding("mail", State.OK, f"{settings.EMAIL_HOST} lets us in")
