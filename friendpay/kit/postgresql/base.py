"""Django's backend with a health check that asks nobody (no `SELECT 1` before every request), and with statements that
are planned once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from select import POLLIN, POLLOUT, poll
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as _DatabaseWrapper
from django.db.backends.postgresql.base import ServerSideCursor
from django.db.transaction import TransactionManagementError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg.waiting import Ready, Wait

from friendpay.kit.postgresql.indexes import SchemaEditor
from friendpay.kit.postgresql.trips import Asked, Line

PLANNED_ONCE = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('random_page_cost', '1.1', false)"
)
"""Of prepared statements (`friendpay.kit.prepared`), all of which find their rows by a key. PostgreSQL would plan them
anew each time: planning a page's takes three times as long as carrying it out. A plan made while a table is new and
small lives on while it grows, so it has to be by the key then, too: at a disk's price for going elsewhere, which
PostgreSQL believes in (4), reading the whole table seemed cheaper.
"""


class DatabaseWrapper(_DatabaseWrapper):
    """A server that ended a connection has said so on it: where nothing can be read, nothing was said. After an error,
    or where there is something to read, it is asked as ever.
    """

    SchemaEditorClass = SchemaEditor
    line: Line
    _gathered: list[Asked] | None = None

    def ask(self, *asked: Asked) -> None:
        """Ask these, by one round trip, or by that of `together`. Django's errors, and its checks before."""
        self.validate_no_broken_transaction()
        if self._gathered is not None:
            self._gathered += asked
            return
        begin = b"" if self.autocommit else b"BEGIN"
        with self.wrap_database_errors:
            self._go(self.line.trip(asked, begin))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is asked within goes at the end of the block, by one round trip; none of it where the block fails."""
        if self._gathered is not None:
            yield
            return
        self._gathered = gathered = list[Asked]()
        try:
            yield
        finally:
            self._gathered = None
        if gathered:
            self.ask(*gathered)

    @property
    def gathers(self) -> bool:
        return self._gathered is not None

    def get_connection_params(self) -> dict[str, Any]:
        """With psycopg's own reader of times, which is compiled: it takes a sixth of the time of Django's, which only
        says UTC of what is in UTC already.
        """
        params = super().get_connection_params()
        params["context"].register_loader("timestamptz", TimestamptzLoader)
        return params

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._answer = poll()
        self._answer.register(self.connection.fileno(), POLLIN)
        self.line = Line(self.connection, plans=self.connection.prepare_threshold is not None)
        if self.connection.prepare_threshold is not None:
            with self.connection.cursor() as cursor:
                cursor.execute(PLANNED_ONCE)

    def _go(self, trip: PQGen[None]) -> None:
        """Through a trip, waiting for the connection's socket. One that is broken off ends the connection."""
        try:
            wants = next(trip)
            while True:
                if wants == Wait.R:
                    self._answer.poll()
                    wants = trip.send(Ready.R)
                else:  # more than fits into the socket at once
                    wants = trip.send(ready(self.connection.fileno()))
        except StopIteration:
            pass
        except BaseException:
            self.line.abandon()
            raise

    def _commit(self) -> None:
        """As Django's, past psycopg's way to do it."""
        if self.queries_logged:
            super()._commit()  # type: ignore[misc]  # which Django has
        elif self.connection is not None:
            with self.wrap_database_errors:
                self._go(self.line.commit())

    def _set_autocommit(self, autocommit: bool) -> None:
        """Between two transactions it is but a word for psycopg's own statements."""
        if self.connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self.connection._autocommit = autocommit
        else:
            super()._set_autocommit(autocommit)  # type: ignore[misc]

    def create_cursor(self, name: str | None = None) -> Any:
        """As Django's, which looks besides whether each connection's loader of times is its own. What is asked by it
        would come before what waits for the end of a block of `together`.
        """
        if self._gathered:
            raise TransactionManagementError("asked out of turn")
        if name:
            server_side: Any = ServerSideCursor
            return server_side(self.connection, name=name, scrollable=False, withhold=self.connection.autocommit)
        return self.connection.cursor()

    def is_usable(self) -> bool:
        if (
            self.errors_occurred
            or self.connection is None
            or self.connection.closed
            or has_news(self.connection.fileno())
        ):
            return bool(super().is_usable())
        return True


def has_news(descriptor: int) -> bool:
    """Whether there is something to read, or the other side has ended it."""
    waiting = poll()
    waiting.register(descriptor, POLLIN)
    return bool(waiting.poll(0))


def ready(descriptor: int) -> Ready:
    """For what a socket is ready once it is for anything; its end can be read."""
    waiting = poll()
    waiting.register(descriptor, POLLIN | POLLOUT)
    [(_descriptor, events)] = waiting.poll()
    return Ready((Ready.R if events & ~POLLOUT else 0) | (Ready.W if events & POLLOUT else 0))
