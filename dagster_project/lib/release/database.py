"""`marts.duckdb`: the marts of one release as tables of one file, which BI tools open read-only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.marts import Mart

# The oldest format that the client writes: any DuckDB since 1.1, and what embeds it, opens it.
STORAGE_VERSION = "v1.0.0"


def write_database(
    *, marts: Sequence[Mart], folder: Path, target: Path, memory_limit: str = "1GB"
) -> None:
    """Writes `target` from the Parquet files in `folder`: one schema, rows in key order, comments.

    Args:
        marts: the marts, whose descriptions become comments of tables and columns.
        folder: holds `<mart>.parquet` for each mart.
        target: the database file; replaced if it is there.
        memory_limit: as DuckDB writes it, such as `1GB`.
    """
    target.unlink(missing_ok=True)
    with duckdb.connect(config={"memory_limit": memory_limit}) as connection:
        connection.execute(
            f"attach {literal(target)} as release (storage_version '{STORAGE_VERSION}')"
        )
        connection.execute("begin")
        for mart in marts:
            table = f"release.main.{identifier(mart.name)}"
            source = f"read_parquet({literal(folder / f'{mart.name}.parquet')})"
            connection.execute(f"create table {table} as select * from {source}")
            _comment(connection, mart, table)
        connection.execute("commit")
        connection.execute("detach release")


def _comment(connection: duckdb.DuckDBPyConnection, mart: Mart, table: str) -> None:
    if mart.description:
        connection.execute(f"comment on table {table} is {literal(mart.description)}")
    present = {str(row[0]) for row in connection.execute(f"describe {table}").fetchall()}
    for column, description in mart.columns.items():
        if column in present:
            name = f"{table}.{identifier(column)}"
            connection.execute(f"comment on column {name} is {literal(description)}")
