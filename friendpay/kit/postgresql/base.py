"""Django's backend with a health check that asks nobody (no `SELECT 1` before every request), and with statements that
are planned once.
"""

from select import POLLIN, poll
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as _DatabaseWrapper
from django.db.backends.postgresql.base import ServerSideCursor
from psycopg.types.datetime import TimestamptzLoader

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

    def get_connection_params(self) -> dict[str, Any]:
        """With psycopg's own reader of times, which is compiled: it takes a sixth of the time of Django's, which only
        says UTC of what is in UTC already.
        """
        params = super().get_connection_params()
        params["context"].register_loader("timestamptz", TimestamptzLoader)
        return params

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.connection.prepare_threshold is not None:
            with self.connection.cursor() as cursor:
                cursor.execute(PLANNED_ONCE)

    def create_cursor(self, name: str | None = None) -> Any:
        """As Django's, which looks besides whether each connection's loader of times is its own."""
        if name:
            server_side: Any = ServerSideCursor
            return server_side(self.connection, name=name, scrollable=False, withhold=self.connection.autocommit)
        return self.connection.cursor()

    def is_usable(self) -> bool:
        if (
            self.errors_occurred
            or self.connection is None
            or self.connection.closed
            or _has_news(self.connection.fileno())
        ):
            return bool(super().is_usable())
        return True


def _has_news(descriptor: int) -> bool:
    waiting = poll()
    waiting.register(descriptor, POLLIN)
    return bool(waiting.poll(0))
