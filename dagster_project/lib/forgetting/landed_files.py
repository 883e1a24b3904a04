"""The landed files of an entity, and what stands in two of their columns."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts.ledger import LedgerEntry, read_ledger
from dagster_project.lib.forgetting import tables

NAME_COLUMNS = {
    "accounts": ("account_id", "account_name"),
    "customers": ("customer_id", "customer_name"),
}


def of_entity(raw: Path, entity: str) -> list[LedgerEntry]:
    return [
        entry
        for entry in read_ledger(raw)
        if entry.entity == entity and landed_path(entry, raw).is_file()
    ]


def pairs(
    connection: duckdb.DuckDBPyConnection, path: Path, key: str, name: str
) -> list[tuple[str, str]]:
    return connection.execute(
        f"select distinct {key}, {name} from {tables.parquet(path)} where {name} is not null"
    ).fetchall()


def landed_path(entry: LedgerEntry, raw: Path) -> Path:
    return raw / entry.entity / entry.landed
