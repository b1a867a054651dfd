"""Rows that cannot be worked on, whoever tries and however: the database itself says no."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def no_event_of(*public_ids: str) -> Iterator[None]:
    """No event can be written about these things."""
    listed = ", ".join(f"'{public_id}'" for public_id in public_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'a poisoned row'; END $$;
            CREATE TRIGGER poison BEFORE INSERT ON orders_event FOR EACH ROW
                WHEN (NEW.object_id IN ({listed})) EXECUTE FUNCTION poison()""")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER poison ON orders_event; DROP FUNCTION poison()")
