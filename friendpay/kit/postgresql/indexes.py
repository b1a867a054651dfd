"""Indexes that no query needs, and that each row written would go into all the same: none is made, none is kept.

- Those that Django makes of each unique or indexed text besides, for `LIKE 'x%'`. Here texts are compared whole; what
  is searched for by its beginning (the desk's `istartswith`) has indexes of its own, over `upper(...)`.
- Those whose columns another index begins with, as a foreign key's often are: that one finds the rows as well. Where a
  model has such an index, its foreign key has `db_index=False`.
"""

from typing import Any

from django.db import transaction
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations import RunPython

_NEEDLESS = """
WITH found AS (
    SELECT indexrelid, indrelid::regclass::text AS of, relname AS name, relispartition, relkind, indrelid, indisunique,
        indpred IS NULL AS whole, indisvalid, indnatts = indnkeyatts AS alone, indnkeyatts AS width,
        concat(indkey, ' ') AS columns, concat(indclass, ' ') AS classes, concat(indcollation, ' ') AS collations,
        concat(indoption, ' ') AS directions,
        EXISTS (SELECT FROM pg_opclass WHERE oid = ANY(indclass) AND opcname ~ 'pattern_ops$') AS for_like
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE amname = 'btree' AND indexprs IS NULL AND relnamespace = current_schema()::regnamespace
)
SELECT it.name, it.of, it.relkind = 'I' FROM found it
WHERE starts_with(it.of, %s) AND NOT it.indisunique AND (it.for_like OR it.whole AND it.alone AND EXISTS (
    SELECT FROM found other
    WHERE other.indrelid = it.indrelid AND other.whole AND other.indisvalid AND NOT other.for_like
        AND starts_with(other.columns, it.columns) AND starts_with(other.classes, it.classes)
        AND starts_with(other.collations, it.collations) AND starts_with(other.directions, it.directions)
        AND (other.width > it.width
            OR other.width = it.width AND (other.indisunique OR other.indexrelid < it.indexrelid))
)) AND NOT (%s AND (it.relispartition OR it.name !~ '_[0-9a-f]{8}(_like)?$'))
ORDER BY it.of, it.name
"""


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, but for its indexes for LIKE."""

    def _create_like_index_sql(self, model: Any, field: Any) -> None:
        return None


def needless(cursor: CursorWrapper, app: str) -> list[tuple[str, str]]:
    """The needless ones of an app's tables: the index, and its table."""
    return [(name, of) for name, of, _divided in _find(cursor, app, ours=False)]


def drop_needless(app: str) -> RunPython:
    """A step of a migration that is not atomic: drops those of the app's tables that Django has made and named. What an
    operator made by hand stays. Nobody is stopped from reading or writing, but at a divided table for milliseconds;
    where somebody holds on to that for long it gives up, and can be made again. Backwards nothing is made: the version
    before finds its rows as well.
    """

    def drop(_apps: object, editor: Any) -> None:
        quoted = editor.quote_name
        with editor.connection.cursor() as cursor:
            for name, _of, divided in _find(cursor, app, ours=True):
                if not divided:
                    cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)}")
                    continue
                with transaction.atomic(editor.connection.alias):  # PostgreSQL has no CONCURRENTLY for it
                    cursor.execute("SET LOCAL lock_timeout = '900ms'")  # shorter than what it takes for a deadlock
                    cursor.execute(f"DROP INDEX IF EXISTS {quoted(name)}")

    return RunPython(drop, RunPython.noop)


def _find(cursor: CursorWrapper, app: str, *, ours: bool) -> list[tuple[str, str, bool]]:
    """Whether each is one of a divided table, which goes with its parts'. `ours` are those to drop one by one."""
    cursor.execute(_NEEDLESS, [f"{app}_", ours])
    found: list[tuple[str, str, bool]] = cursor.fetchall()
    return found
