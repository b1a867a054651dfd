"""Whether a pooler stands before PostgreSQL. What it takes is one session's today and another's in a moment."""

import psycopg


def is_between(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    """A pooler greets with a number of its own invention; PostgreSQL with its process's."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row != (connection.info.backend_pid,)
