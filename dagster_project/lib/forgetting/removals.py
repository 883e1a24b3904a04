"""Files that take somebody off the destinations, in the form of each: after this nothing here knows them any more."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import Destination, load_destinations
from dagster_project.lib.audiences.files import write_csv
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.audience_files import SENT, theirs
from dagster_project.lib.forgetting.matcher import Matcher


def write_removals(folder: Path, matcher: Matcher, target: Path) -> list[Path]:
    """Writes `<target>/<destination>/<audience>_remove.csv` of what the destinations hold and must not.

    Args:
        folder: `audiences` of the live release.
        matcher: knows what is forgotten.
        target: made if it is not there.
    """
    written: list[Path] = []
    destinations = load_destinations()
    with duckdb.connect(config=tables.CONFIG) as connection:
        for path in sorted((folder / SENT).glob("*.parquet")):
            destination = destinations.get(path.stem)
            condition = theirs(connection, tables.parquet(path), matcher)
            if destination is None or not condition:
                continue
            written += _removals_of(connection, path, condition, destination, target)
    return written


def _removals_of(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    condition: str,
    destination: Destination,
    target: Path,
) -> list[Path]:
    """Rows to remove; of a destination that takes changed rows, rows that clear what was written to it."""
    relation = tables.parquet(path)
    is_upsert = destination.differences == "changed"
    shown = ", ".join(
        f"{literal(destination.cleared_cells.get(name, destination.cleared))} as {identifier(name)}"
        if is_upsert and name not in destination.kept_when_cleared
        else identifier(name)
        for name in destination.columns
    )
    written = []
    for (audience,) in connection.execute(
        f"select distinct audience from {relation} where {condition} order by audience"
    ).fetchall():
        rows = connection.execute(
            f"select distinct {shown} from {relation} "
            f"where ({condition}) and audience = {literal(audience)} order by all"
        ).fetchall()
        folder = target / destination.name
        name = audience if is_upsert else f"{audience}_remove"
        for old in folder.glob(f"{name}*.csv"):
            old.unlink()
        files = write_csv(
            partial(iter, rows),
            destination=destination,
            folder=folder,
            name=name,
            audience=audience,
            kind="upsert" if is_upsert else "remove",
        )
        written += [file.path for file in files]
    return written
