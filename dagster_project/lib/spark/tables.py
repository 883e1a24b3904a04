"""What passes between Spark and the steps that work in DuckDB: run inputs in, tables out.

In: the raw zone's Parquet files are read where they lie; small run inputs become Parquet files of their own.
Out: a table of Parquet files is read where it lies; another (Delta, Iceberg, ...) is first written as Parquet.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import duckdb

from dagster_project.lib.extracts.entities import Entity, load_entities
from dagster_project.lib.extracts.ledger import read_entry
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.spark.connection import SparkConnection, SparkError

RAW = "raw"
TYPES = {"VARCHAR": "string", "TIMESTAMP": "timestamp_ntz", "INTEGER": "int"}
# What later steps read beside the marts, the exports and the seeds.
HANDED_OVER = frozenset(
    {
        "int_account_final_tiers",
        "int_account_windows",
        "int_accounts",
        "int_deliveries_counted",
        "int_overrides_dated",
    }
)


def hand_in(
    spark: SparkConnection,
    duck: duckdb.DuckDBPyConnection,
    *,
    names: Iterable[str],
    raw: Path,
    folder: Path,
) -> None:
    """(Re)creates Spark's schema `raw` from DuckDB's: the same relations with the same rows.

    Args:
        spark: where the models will be built.
        duck: the warehouse with the run's schema `raw`.
        names: relations of the schema.
        raw: the raw zone, which Spark must reach under the same path.
        folder: for the small run inputs; likewise.
    """
    spark.execute(f"create database if not exists {RAW}")
    entities = load_entities()
    for name in names:
        if name in entities:
            _hand_in_entity(spark, duck, entities[name], raw)
        else:
            _hand_in_rows(spark, duck, name, folder / RAW / name)


def _hand_in_rows(
    spark: SparkConnection, duck: duckdb.DuckDBPyConnection, name: str, folder: Path
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    duck.execute(
        f"copy (select * from {RAW}.{identifier(name)}) "
        f"to {literal(folder / 'part.parquet')} (format parquet, compression zstd)"
    )
    _create_table(spark, name, _columns(duck, f"{RAW}.{identifier(name)}"), folder)


def _hand_in_entity(
    spark: SparkConnection, duck: duckdb.DuckDBPyConnection, entity: Entity, raw: Path
) -> None:
    """A table over the entity's folder, and the view of today's files with their line numbers."""
    landed = f"{entity.name}_landed"
    empty = literal(raw / entity.name / "_empty.parquet")
    _create_table(spark, landed, _columns(duck, f"read_parquet({empty})"), raw / entity.name)
    columns = ", ".join(
        "coalesce(line_number, _metadata.row_index + line_offset) as line_number"
        if name == "line_number"
        else name
        for name, _ in _columns(duck, f"{RAW}.{identifier(entity.name)}")
    )
    files = ", ".join(map(literal, _todays_files(duck, entity.name, raw))) or "''"
    spark.execute(
        f"create or replace view {RAW}.{entity.name} as select {columns} from {RAW}.{landed} "
        f"where _metadata.file_name in ({files})"
    )


def _todays_files(duck: duckdb.DuckDBPyConnection, entity: str, raw: Path) -> list[str]:
    """Names of the raw files of what lies in the landing folder now, each content once."""
    delivered = duck.execute(
        f"select distinct delivery_id from {RAW}.deliveries where entity = ? and not is_replaced "
        "order by delivery_id",
        [entity],
    ).fetchall()
    entries = [read_entry(raw, int(delivery_id)) for (delivery_id,) in delivered]
    return [entry.landed for entry in entries if entry is not None]


def _create_table(
    spark: SparkConnection, name: str, columns: Sequence[tuple[str, str]], folder: Path
) -> None:
    typed = ", ".join(f"{column} {kind}" for column, kind in columns)
    spark.execute(f"drop table if exists {RAW}.{name}")
    spark.execute(
        f"create table {RAW}.{name} ({typed}) using parquet location {literal(folder.as_uri())}"
    )


def _columns(duck: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[str, str]]:
    """Names and Spark's types of a relation of DuckDB."""
    described = duck.execute(f"describe select * from {relation}").fetchall()
    return [(str(name), TYPES.get(str(kind), str(kind).lower())) for name, kind, *_ in described]


def hand_over(
    spark: SparkConnection,
    duck: duckdb.DuckDBPyConnection,
    *,
    built: Iterable[Mapping[str, Any]],
    folder: Path,
) -> None:
    """(Re)creates DuckDB's views of Spark's tables, in schemas of the same names.

    Args:
        spark: where the models were built.
        duck: the warehouse of the later steps.
        built: dbt's nodes that were built.
        folder: for tables that are no plain Parquet files, or lie where this machine does not reach.

    Raises:
        SparkError: Spark wrote to a folder that cannot be read here.
    """
    for node in built:
        schema, name = str(node["schema"]), str(node["alias"])
        if schema not in ("marts", "exports", "seeds") and name not in HANDED_OVER:
            continue
        files = _files_in_place(spark, schema, name) or _written(spark, schema, name, folder)
        duck.execute(f"create schema if not exists {identifier(schema)}")
        duck.execute(
            f"create or replace view {identifier(schema)}.{identifier(name)} as "
            f"select * from read_parquet({literal(files)})"
        )


def _files_in_place(spark: SparkConnection, schema: str, name: str) -> str:
    """The pattern of a table's files; empty where they are no Parquet files that this machine reaches."""
    told = {
        str(row[0]): str(row[1])
        for row in spark.execute(f"describe table extended {schema}.{name}").fetchall()
    }
    location = told.get("Location", "")
    if told.get("Provider", "").lower() != "parquet" or not location.startswith("file:"):
        return ""
    return _pattern(Path(url2pathname(urlsplit(location).path)))


def _written(spark: SparkConnection, schema: str, name: str, folder: Path) -> str:
    """The pattern of the files after Spark wrote the table to the folder."""
    target = folder / schema / name
    spark.execute(
        f"insert overwrite directory {literal(target.as_uri())} using parquet "
        f"select * from {schema}.{name}"
    )
    pattern = _pattern(target)
    if not pattern:
        raise SparkError(
            f"Spark wrote {schema}.{name} to {target}, which holds no Parquet file here; set "
            "spark.hand_over to a folder that Spark and this machine share"
        )
    return pattern


def _pattern(folder: Path) -> str:
    return str(folder / "*.parquet") if any(folder.glob("*.parquet")) else ""
