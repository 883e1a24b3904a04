"""DuckDB as the reader of files: in memory, bounded, and without the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.lib.extracts import vocabulary
from dagster_project.lib.extracts.dialect_sql import country_names
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.values import MACROS


class Database:
    """One DuckDB for the files of a landing, opened with the first: that takes longer than reading a small file.

    Each file has a connection of its own and leaves nothing behind. After one that could not be read the next
    gets another DuckDB: an error of its own may have broken it.
    """

    def __init__(self, scratch: Path, *, memory_limit: str, threads: int) -> None:
        self._scratch = scratch
        self._limits = (memory_limit, threads)
        self._opened: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of `connect`."""
        if self._opened is None:
            memory_limit, threads = self._limits
            self._opened = connect(self._scratch, memory_limit=memory_limit, threads=threads)
        try:
            with self._opened.cursor() as connection:
                yield connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes what was opened."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def connect(scratch: Path, *, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection that spills to `scratch`, keeps the order of rows, knows the vocabularies; so do its cursors."""
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
            # of each `in` it makes a join: half the time to plan a mapping, and no row is read sooner
            "disabled_optimizers": "in_clause",
        }
    )
    connection.execute("set global TimeZone = 'UTC'")
    for macro in MACROS:
        connection.execute(macro)
    for name, words in (
        ("currency_code", vocabulary.currencies()),
        ("country_code", vocabulary.countries()),
        ("country_name", country_names()),
        ("document_type", vocabulary.document_types()),
    ):
        connection.execute(f"create type {name} as enum ({', '.join(map(literal, words))})")
    return connection
