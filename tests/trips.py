"""How often an operation asks the database: statements, transactions and savepoints, told apart, as the connection sees
them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from pytest_django import DjangoCaptureOnCommitCallbacks

from friendpay.kit.postgresql.base import DatabaseWrapper

Run = Callable[..., Any]


@dataclass
class Trips:
    """What was asked. A transaction's BEGIN and COMMIT, and a savepoint's two, are trips of their own."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0
    savepoints: int = 0
    depth: int = 0
    paused: bool = False
    in_pipeline: bool = False

    def __str__(self) -> str:
        parts = f"{len(self.statements)} statements, {self.transactions} transactions, {self.savepoints} savepoints"
        return "\n".join([parts, *(f"{number:3} {sql[:300]}" for number, sql in enumerate(self.statements, 1))])

    @property
    def count(self) -> int:
        return len(self.statements) + 2 * self.transactions + 2 * self.savepoints

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What is done within is somebody else's, such as the sandbox wallet's, which shares the database."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def __call__(self, run: Run, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django asks this to execute. A test's own transaction is around all, so ours are savepoints within it."""
        before, self.in_pipeline = self.in_pipeline, is_pipelined()
        if self.paused:
            return run(sql, params, many, context)
        if sql.startswith("SAVEPOINT"):
            self.depth += 1
            if self.depth == 1:
                self.transactions += 1
            else:
                self.savepoints += 1
        elif sql.startswith(("RELEASE SAVEPOINT", "ROLLBACK TO")):
            self.depth -= sql.startswith("RELEASE")
        elif not (before and self.in_pipeline):  # the first of those that go together stands for all of them
            self.statements.append(sql)
        return run(sql, params, many, context)


def is_pipelined() -> bool:
    """Whether what is asked now goes with what is asked before and after it."""
    return cast(DatabaseWrapper, connections[DEFAULT_DB_ALIAS]).gathers


@contextmanager
def counted(capture: DjangoCaptureOnCommitCallbacks) -> Iterator[Trips]:
    """The trips of what is done within, and of what is to be done after its commit."""
    trips = Trips()
    with connection.execute_wrapper(trips), capture(execute=True):
        yield trips
