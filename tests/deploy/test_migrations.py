"""A migration is made while the version before it still serves: none takes away or demands what that one does not know.

Checked by django-migration-linter, over the statements PostgreSQL is given.
"""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements
from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser

ROOT = Path(__file__).resolve().parents[2]
BEFORE = {"orders": "0026", "payments": "0034", "sandbox": "0002"}
"""The last ones from before the first release, when nothing was served meanwhile: the rule is for all that follow."""

REASONS: dict[tuple[str, str], dict[str, str]] = {
    ("orders", "0028_deliveries_by_month"): {
        "RENAME_TABLE": "the table has its name again, columns and all, in the same transaction: as the parent of what"
        " was there, held by test_the_tables_that_are_there_become_the_first_ones_and_back",
    }
}
"""What the linter says of a new one and why it is safe all the same: by app and migration, code and reason."""


def names(app: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / app / "migrations").glob("[0-9]*.py"))


def faults(app: str, name: str) -> set[str]:
    """What the version before would not survive."""
    told = call_command("sqlmigrate", app, name, no_color=True, stdout=StringIO())
    statements = [line for line in str(told).splitlines() if line and not line.startswith("--")]
    errors, _ignored, _warnings = analyse_sql_statements(PostgresqlAnalyser, statements)
    return {issue.code for issue in errors}


@pytest.mark.django_db(transaction=True)  # some are made outside of one
def test_a_new_migration_is_safe_while_the_version_before_it_runs() -> None:
    found = {
        (app, name): faults(app, name) - set(REASONS.get((app, name), {}))
        for app, last in BEFORE.items()
        for name in names(app)
        if name[: len(last)] > last
    }
    assert {one: codes for one, codes in found.items() if codes} == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("app", "name", "code"),
    [
        ("payments", "0026_shares", "NOT_NULL"),  # which the version before does not fill in
        ("payments", "0028_ledger_check", None),
    ],
)
def test_what_the_version_before_would_not_survive_is_found(app: str, name: str, code: str | None) -> None:
    assert faults(app, name) >= ({code} if code else set())
    assert bool(faults(app, name)) == bool(code)
