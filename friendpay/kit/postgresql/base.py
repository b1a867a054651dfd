"""Django's backend with a health check that asks nobody (no `SELECT 1` before every request)."""

from select import POLLIN, poll

from django.db.backends.postgresql.base import DatabaseWrapper as _DatabaseWrapper


class DatabaseWrapper(_DatabaseWrapper):
    """A server that ended a connection has said so on it: where nothing can be read, nothing was said. After an error,
    or where there is something to read, it is asked as ever.
    """

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
