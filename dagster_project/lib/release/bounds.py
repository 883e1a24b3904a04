"""What a connection may take: memory and threads as the warehouse's, and where it spills."""

from __future__ import annotations

import duckdb

from dagster_project.lib.extracts.quoting import literal

SETTINGS = ("threads", "memory_limit", "temp_directory")


def follow_limits(connection: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection) -> None:
    """Gives `other` the limits of `connection`."""
    for setting in SETTINGS:
        row = connection.execute(f"select current_setting('{setting}')").fetchone()
        if row and row[0]:
            other.execute(f"set {setting} = {literal(str(row[0]))}")
