"""What a connection may take: memory and threads as the warehouse's, and where it spills."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import duckdb

from dagster_project.lib.extracts.quoting import literal

SETTINGS = ("threads", "memory_limit")


def follow_limits(connection: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection) -> None:
    """Gives `other`, of an instance of its own, the limits of `connection`, and a folder to spill into beside its."""
    for setting in SETTINGS:
        other.execute(f"set {setting} = {literal(_current(connection, setting))}")
    if directory := _current(connection, "temp_directory"):
        other.execute(f"set temp_directory = {literal(_beside(directory))}")


def _beside(directory: str) -> str:
    """DuckDB names its files alike in each instance: two that spill into one folder overwrite each other's.

    It makes a folder whose parent is there, and removes it with the instance.
    """
    own = uuid4().hex
    return f"{directory}/{own}" if Path(directory).is_dir() else f"{directory}-{own}"


def _current(connection: duckdb.DuckDBPyConnection, setting: str) -> str:
    row = connection.execute(f"select current_setting('{setting}')").fetchone()
    return str(row[0]) if row and row[0] else ""
