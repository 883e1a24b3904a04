"""The marts of one release, as views of one connection that needs little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.release.live import LiveRelease

Row = dict[str, Any]
LIMITS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "512MB", "threads": 1}


class Marts:
    """Rows of a release's marts; a mart that the release lacks has none."""

    def __init__(self, release: LiveRelease, connection: duckdb.DuckDBPyConnection) -> None:
        self.release, self._connection = release, connection
        self.names = {mart.name for mart in release.manifest.marts}
        for name in sorted(self.names):
            file = literal(release.mart(name))
            connection.execute(
                f"create view {identifier(name)} as select * from read_parquet({file})"
            )

    def rows(self, query: str, **parameters: Any) -> list[Row]:
        """What a query finds."""
        found = self._connection.execute(query, parameters or None)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, query: str, **parameters: Any) -> Row:
        """The one row of a sum."""
        return self.rows(query, **parameters)[0]


@contextmanager
def marts_of(release: LiveRelease, *, spill: Path) -> Iterator[Marts]:
    """Opens the marts; what does not fit into memory goes to the folder `spill`."""
    with duckdb.connect(config=LIMITS | {"temp_directory": str(spill)}) as connection:
        yield Marts(release, connection)
