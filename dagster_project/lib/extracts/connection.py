"""DuckDB as the reader of files: in memory, bounded, and without the network."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts import vocabulary
from dagster_project.lib.extracts.dialect_sql import country_names
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.values import MACROS


def connect(scratch: Path, *, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection that spills to `scratch`, keeps the order of rows, knows the vocabularies."""
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
        }
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    # of each `in` it makes a join: half the time to plan a mapping, and no row is read sooner
    connection.execute("set disabled_optimizers = 'in_clause'")
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
