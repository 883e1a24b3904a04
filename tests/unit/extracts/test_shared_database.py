"""Files of a landing share one DuckDB, and none sees what another one left there or broke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.extracts.connection import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path, memory_limit="200MB", threads=1)) as made:
        yield made


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ("create temp table lines as select 1 as x", "from lines"),
        ("create temp view layout as select 1 as x", "from layout"),
        ("create or replace temp macro as_number(x) as x + 1", "select as_number(1)"),
    ],
)
def test_a_file_leaves_nothing_to_the_next(database: Database, made: str, asked: str) -> None:
    with database.connection() as first:
        first.execute(made)
        assert first.execute(asked).fetchall()
    with database.connection() as second, pytest.raises(duckdb.CatalogException):
        second.execute(asked)


def test_each_file_reads_by_the_same_words_and_limits(database: Database) -> None:
    asked = """select written_out('1.5e3'), current_setting('TimeZone'),
        current_setting('memory_limit'), current_setting('disabled_optimizers')"""
    answers = []
    for _ in range(2):
        with database.connection() as connection:
            answers.append(connection.execute(asked).fetchall())
    assert answers[0] == answers[1] == [("1500", "UTC", "190.7 MiB", "in_clause")]


def test_after_a_file_that_could_not_be_read_comes_another_duckdb(database: Database) -> None:
    with pytest.raises(ValueError, match="broken"), database.connection() as connection:
        connection.execute("create table broken as select 1 as x")
        raise ValueError("broken")
    with database.connection() as next_one, pytest.raises(duckdb.CatalogException):
        next_one.execute("from broken")
