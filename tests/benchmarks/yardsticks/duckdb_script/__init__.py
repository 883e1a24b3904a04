"""The yardstick: what a refresh computes on the benchmark's input, written by hand in DuckDB.

`python -m tests.benchmarks.yardsticks.duckdb_script` does the product's work, `...duckdb_script.core` the part of
it that the scripts of other engines do too. No framework, no rejected rows, no versions of a row, no identity
beyond the cross-reference, no checks, no release: what a refresh costs beyond the script is the price of those.

Belongs here: the rules of `method.md` once more, as briefly as they can be said for this input and the default
policy, one file per step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tests.benchmarks.yardsticks.arguments import Job

# the product's default, for both
MEMORY_LIMIT = "1GB"


@contextmanager
def working(job: Job) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database in memory, which spills beyond its limit: a file would be compressed first."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(job.out / "spill"),
    }
    with duckdb.connect(config=settings) as connection:
        yield connection


def write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Writes the rows of a query as Parquet."""
    connection.execute(f"copy ({query}) to '{target}' (format parquet)")
