"""`marts.duckdb`: the marts of one release as tables of one file, which BI tools open read-only."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.bounds import follow_limits
from dagster_project.lib.release.kept_tables import UnknownTablesError, keep_tables
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parts import Slice

# The oldest format that the client writes: any DuckDB since 1.1, and what embeds it, opens it.
STORAGE_VERSION = "v1.0.0"

logger = logging.getLogger(__name__)


def write_database(
    *,
    marts: Sequence[Mart],
    folder: Path,
    target: Path,
    like: duckdb.DuckDBPyConnection | None = None,
    previous: Path | None = None,
    parts: Mapping[str, Sequence[Slice]] | None = None,
) -> None:
    """Writes `target` from the Parquet files in `folder`: one schema, rows in key order, comments.

    Args:
        marts: the marts, whose descriptions become comments of tables and columns.
        folder: holds `<mart>.parquet` for each mart.
        target: the database file; replaced if it is there.
        like: the connection whose limits are followed.
        previous: the database of an earlier release, written by the same versions: of marts in
            `parts` it gives the rows that did not change. One that is of no use is left aside.
        parts: the slices of each mart that is written by part.
    """
    if previous is not None and parts:
        try:
            shutil.copyfile(previous, target)
            _write(marts, folder, target, like=like, parts=parts)
            return
        except (OSError, duckdb.Error, UnknownTablesError) as error:
            logger.warning("%s is of no use (%s); all is written anew", previous, error)
    for path in (target, target.with_name(f"{target.name}.wal")):
        path.unlink(missing_ok=True)
    _write(marts, folder, target, like=like, parts={})


def _write(
    marts: Sequence[Mart],
    folder: Path,
    target: Path,
    *,
    like: duckdb.DuckDBPyConnection | None,
    parts: Mapping[str, Sequence[Slice]],
) -> None:
    """Writes into a new file, or into one whose tables of `parts` are worth keeping."""
    with duckdb.connect() as connection:
        if like is not None:
            follow_limits(like, connection)
        connection.execute(
            f"attach {literal(target)} as release (storage_version '{STORAGE_VERSION}')"
        )
        sources = {
            mart.name: f"read_parquet({literal(folder / f'{mart.name}.parquet')})" for mart in marts
        }
        (threads,) = connection.sql("select current_setting('threads')").fetchall()[0]
        absent = keep_tables(connection, marts, sources=sources, parts=parts) if parts else {}

        def fill(together: Sequence[Mart]) -> None:
            with connection.cursor() as cursor:
                cursor.execute("begin")
                for mart in together:
                    _fill(cursor, mart, sources[mart.name], absent.get(mart.name))
                cursor.execute("commit")

        fill([mart for mart in marts if not mart.parts])
        # Several threads at one table merge row groups as small as a part again: 5.2 s of CPU against 2.9.
        connection.execute("set threads = 1")
        with ThreadPoolExecutor(max_workers=threads) as pool:
            list(pool.map(fill, [[mart] for mart in marts if mart.parts]))
        connection.execute("detach release")


def _fill(
    connection: duckdb.DuckDBPyConnection, mart: Mart, source: str, absent: Sequence[Slice] | None
) -> None:
    """Makes the mart's table, or adds the slices that a kept one lacks."""
    table = f"release.main.{identifier(mart.name)}"
    if absent is None:
        connection.execute(f"create table {table} as select * from {source}")
    elif absent:
        wanted = " or ".join(one.condition for one in absent)
        connection.execute(f"insert into {table} select * from {source} where {wanted}")
    _comment(connection, mart, table)


def _comment(connection: duckdb.DuckDBPyConnection, mart: Mart, table: str) -> None:
    if mart.description:
        connection.execute(f"comment on table {table} is {literal(mart.description)}")
    present = {str(row[0]) for row in connection.execute(f"describe {table}").fetchall()}
    for column, description in mart.columns.items():
        if column in present:
            name = f"{table}.{identifier(column)}"
            connection.execute(f"comment on column {name} is {literal(description)}")
