"""Round trips to PostgreSQL: statements that belong together go out at once, with the beginning of their transaction,
and their answers come back at once. Each statement is planned once for its connection.

It is what psycopg's cursors and pipelines do, at the level below them (`psycopg.pq`): a third of their work for one
statement, a tenth for several with the beginning of a transaction.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

from friendpay.kit import limits

_GONE = ("26000", "0A000")
"""What PostgreSQL says of a plan it does not have any more, and of one whose rows have other columns since."""
_MARK = re.compile(r"%(?:\((\w+)\)s|(s|%))")

Params = Sequence[Any] | dict[str, Any]


class _Plan(NamedTuple):
    """Which one: its text, and of which types its values are."""

    text: bytes
    types: tuple[int, ...]


class _Dropped(NamedTuple):
    """A plan to be forgotten."""

    plan: _Plan
    name: bytes


class Asked:
    """A statement; and once its trip is over, the rows that came, and how many it found or changed. Before, it has
    neither: whoever took an answer that is not there for an empty one would be wrong about money.
    """

    __slots__ = ("count", "rows", "text", "values")
    count: int
    rows: list[tuple[Any, ...]]

    def __init__(self, sql: str, params: Params = (), *, numbered: bool = False) -> None:
        """Values stand in `sql` as Django has them (`%s`, `%(name)s`), or as PostgreSQL has them (`$1`): `numbered`."""
        self.text, names = (sql.encode(), ()) if numbered else _numbered(sql)
        self.values = [params[name] for name in names] if isinstance(params, dict) else params


class _Packed(NamedTuple):
    """A statement as it goes over the wire."""

    plan: _Plan
    values: Sequence[Any]
    formats: Sequence[Any]


class Line:
    """A connection's planned statements, and the trips over it. Behind a pooler it `plans` none: the session that knows
    a plan may be another one's by then.
    """

    def __init__(self, connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]", *, plans: bool) -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._plans = plans
        self._names: OrderedDict[_Plan, bytes] = OrderedDict()  # the last one used is the last
        self._planned = 0

    def trip(self, asked: Sequence[Asked], begin: bytes = b"") -> PQGen[None]:
        """Ask these in this order, after `begin` where no transaction has begun. Whoever goes through it waits for the
        socket as it says. Raises the psycopg.Error of the first that failed: neither it nor those after it were carried
        out, and outside of a transaction those before it are undone.
        """
        packed = [self._packed(each) for each in asked]
        if begin and self._pgconn.transaction_status != TransactionStatus.IDLE:
            begin = b""
        if len(packed) > 1 or begin or (self._plans and packed[0].plan not in self._names):
            results = yield from self._together(packed, begin)
        else:
            self._send(packed[0])
            results = yield from self._answers()
        for each, result in zip(asked, results, strict=True):
            self._right(result)
            each.count, each.rows = result.command_tuples or 0, []
            if result.status == ExecStatus.TUPLES_OK:
                self._transformer.set_pgresult(result)
                each.rows = self._transformer.load_rows(0, result.ntuples, tuple)

    def commit(self) -> PQGen[None]:
        """End the transaction, if one has begun. Raises psycopg.Error."""
        if self._pgconn.transaction_status != TransactionStatus.IDLE:
            self._pgconn.send_query(b"COMMIT")
            for result in (yield from self._answers()):
                self._right(result)

    def abandon(self) -> None:
        """Nobody waits any more for what was asked: its answers must not be taken for the next one's."""
        pgconn = self._pgconn
        if pgconn.transaction_status == TransactionStatus.ACTIVE or pgconn.pipeline_status != PipelineStatus.OFF:
            pgconn.finish()

    def _together(self, packed: Sequence[_Packed], begin: bytes) -> PQGen[list[PGresult]]:
        """What came of each; plans are made by the way."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        sent: list[_Packed | _Dropped | _Plan | None] = []
        if begin:
            pgconn.send_query_params(begin, None)
            sent.append(None)
        for each in packed:
            if self._plans and each.plan not in self._names:
                sent += self._planning(each.plan)
            self._send(each)
            sent.append(each)
        pgconn.pipeline_sync()
        results = yield from self._answers()
        pgconn.exit_pipeline_mode()
        told = list(zip(sent, results, strict=True))
        for what, result in reversed(told):  # what was not done any more is undone
            if isinstance(what, _Plan) and result.status != ExecStatus.COMMAND_OK:
                del self._names[what]
            if isinstance(what, _Dropped) and result.status != ExecStatus.COMMAND_OK:
                self._names[what.plan] = what.name
                self._names.move_to_end(what.plan, last=False)
        for _what, result in told:
            self._right(result)
        return [result for what, result in told if isinstance(what, _Packed)]

    def _answers(self) -> PQGen[list[PGresult]]:
        """To all that was sent, in its order."""
        pgconn, ends_with_sync = self._pgconn, self._pgconn.pipeline_status != PipelineStatus.OFF
        while pgconn.flush():
            if (yield Wait.RW) & Ready.R:
                pgconn.consume_input()
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                yield Wait.R
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                if not ends_with_sync:
                    return results
                if pgconn.status == ConnStatus.BAD:
                    raise psycopg.OperationalError(pgconn.get_error_message())
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)

    def _planning(self, plan: _Plan) -> "list[_Dropped | _Plan]":
        """Have it planned, and the plan forgotten that was used the longest time ago; what is sent for that."""
        sent: list[_Dropped | _Plan] = []
        if len(self._names) >= limits.PLANS_KEPT:
            dropped = _Dropped(*self._names.popitem(last=False))
            self._pgconn.send_query_params(b"DEALLOCATE " + dropped.name, None)
            sent.append(dropped)
        self._planned += 1
        self._names[plan] = name = b"plan_%d" % self._planned
        self._pgconn.send_prepare(name, plan.text, plan.types)
        return [*sent, plan]

    def _packed(self, asked: Asked) -> _Packed:
        values = asked.values
        if not values:
            return _Packed(_Plan(asked.text, ()), (), ())
        transformer = self._transformer
        sent = transformer.dump_sequence(values, (PyFormat.AUTO,) * len(values))
        return _Packed(_Plan(asked.text, tuple(transformer.types or ())), sent, transformer.formats or ())

    def _send(self, packed: _Packed) -> None:
        plan, values, formats = packed
        if self._plans:
            self._names.move_to_end(plan)
            self._pgconn.send_query_prepared(self._names[plan], values, formats)
        else:
            self._pgconn.send_query_params(plan.text, values, plan.types, formats)

    def _right(self, result: PGresult) -> None:
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return
        error = error_from_result(result)
        if error.sqlstate in _GONE:
            self._names.clear()
        raise error


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """With PostgreSQL's own marks, and which value each of them is, where they have names."""
    names: list[str] = []

    def mark(found: re.Match[str]) -> str:
        name, kind = found.groups()
        if kind == "%":
            return "%"
        if not name or name not in names:
            names.append(name or "")
        return f"${names.index(name) + 1 if name else len(names)}"

    return _MARK.sub(mark, sql).encode(), tuple(names)
