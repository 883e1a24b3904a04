"""One Parquet file of a mart, or of some of its rows, in key order."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.marts import Mart, MartError

ROW_GROUP_ROWS = 122_880


def relation_of(mart: Mart) -> str:
    """The mart's table in the warehouse."""
    return f"{identifier(mart.schema)}.{identifier(mart.name)}"


def unwritable(mart: Mart, error: Exception) -> MartError:
    """What DuckDB says of an absent mart or column, as an error that names the remedy."""
    reason = str(error).splitlines()[0]
    return MartError(f"mart {mart.name}: {reason}; build it and check its meta.key")


def write_sorted(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    path: Path,
    *,
    reader: duckdb.DuckDBPyConnection,
    where: str = "true",
) -> None:
    """Writes the rows that satisfy `where`, and sees that the key is unique among them.

    Args:
        connection: to the warehouse.
        mart: gives the table and the key.
        path: replaced if it is there.
        reader: reads the file; preserves insertion order.
        where: SQL condition.

    Raises:
        MartError: the mart or a key column is missing, or its key is null or repeated.
    """
    order = ", ".join(f"{identifier(column)} asc nulls first" for column in mart.key)
    try:
        connection.execute(
            f"copy (select * from {relation_of(mart)} where {where} order by {order}) "
            f"to {literal(path)} (format parquet, compression zstd, "
            f"row_group_size {ROW_GROUP_ROWS})"
        )
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise unwritable(mart, error) from None
    _check_key(reader, mart, path)


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
