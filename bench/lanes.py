"""Lanes for `mutants.py`: a child at a time, on a copy of the test database of its own; and what a test runs."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from django.db import connection, connections
from psycopg import sql

from bench.mistakes import Mistake


@dataclass
class Seen:
    """What one test runs, of the modules chosen."""

    seconds: float
    passed: bool
    lines: dict[str, set[int]]


@dataclass
class Lane:
    """A child at a time, and the database it works on."""

    database: str
    answer: Path
    child: int = 0
    ends: float = 0.0
    mistake: Mistake | None = None


@contextmanager
def lines_run(files: set[str]) -> Iterator[dict[str, set[int]]]:
    """The lines of these files that are run meanwhile, by any thread begun meanwhile."""
    lines: dict[str, set[int]] = {}

    def line(frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            lines.setdefault(frame.f_code.co_filename, set()).add(frame.f_lineno)
        return line

    def call(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if frame.f_code.co_filename in files else None

    threading.settrace(call)
    sys.settrace(call)
    try:
        yield lines
    finally:
        sys.settrace(None)
        threading.settrace(None)


def copy_database(name: str) -> None:
    """Make one as the tests' own is, which nobody is connected to now."""
    drop_database(name)
    connections.close_all()
    template = connection.settings_dict["NAME"]
    _say(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    _say(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _say(words: sql.Composed) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(words)
