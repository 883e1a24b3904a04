"""Writes the marts as Parquet, in key order, the same bytes on any number of threads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.content import content_sha256
from dagster_project.lib.release.marts import Mart, MartError

ROW_GROUP_ROWS = 122_880

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MartFile:
    """A written mart; `sha256` is of its content in key order, not of the file's bytes."""

    name: str
    rows: int
    sha256: str
    path: Path


def write_marts(
    connection: duckdb.DuckDBPyConnection, *, marts: Sequence[Mart], folder: Path
) -> list[MartFile]:
    """Writes `<folder>/<mart>.parquet` for each mart, sorted by its key.

    The key must be unique: ties would leave the order of rows to the engine, and with it the bytes.

    Args:
        connection: to the warehouse; nothing is written to it.
        marts: the marts, each a table or view `<schema>.<name>`.
        folder: made if it is not there.

    Raises:
        MartError: a mart is missing, lacks a key column, or its key is null or repeated.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[MartFile] = []
    with duckdb.connect(config={"preserve_insertion_order": True}) as reader:
        _follow_limits(connection, reader)
        for mart in marts:
            path = folder / f"{mart.name}.parquet"
            _copy(connection, mart, path)
            _check_key(reader, mart, path)
            rows, sha256 = content_sha256(reader, path)
            written.append(MartFile(mart.name, rows, sha256, path))
            logger.debug("mart %s: %d rows", mart.name, rows)
    return written


def _copy(connection: duckdb.DuckDBPyConnection, mart: Mart, path: Path) -> None:
    order = ", ".join(f"{identifier(column)} asc nulls first" for column in mart.key)
    relation = f"{identifier(mart.schema)}.{identifier(mart.name)}"
    try:
        connection.execute(
            f"copy (select * from {relation} order by {order}) to {literal(path)} "
            f"(format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})"
        )
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        reason = str(error).splitlines()[0]
        raise MartError(f"mart {mart.name}: {reason}; build it and check its meta.key") from None


def _check_key(reader: duckdb.DuckDBPyConnection, mart: Mart, path: Path) -> None:
    """Equal keys lie beside each other in a sorted file: one pass, no hash table."""
    key = ", ".join(identifier(column) for column in mart.key)
    null = " or ".join(f"{identifier(column)} is null" for column in mart.key)
    same = " and ".join(
        f"{identifier(column)} = lag({identifier(column)}) over ()" for column in mart.key
    )
    found = reader.execute(
        f"select count(*) filter (where {null}), count(*) filter (where is_same) "
        f"from (select {key}, {same} as is_same from read_parquet({literal(path)}))"
    ).fetchone()
    if found and any(found):
        raise MartError(
            f"mart {mart.name}: key ({', '.join(mart.key)}) is null in {found[0]} rows, "
            f"repeated in {found[1]}; correct the model or its meta.key"
        )


def _follow_limits(
    connection: duckdb.DuckDBPyConnection, reader: duckdb.DuckDBPyConnection
) -> None:
    for setting in ("threads", "memory_limit", "temp_directory"):
        row = connection.execute(f"select current_setting('{setting}')").fetchone()
        if row and row[0]:
            reader.execute(f"set {setting} = {literal(str(row[0]))}")
