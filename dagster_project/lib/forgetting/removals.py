"""Files that take somebody off the destinations, in the form of each: after this nothing here knows them any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import (
    Destination,
    chosen_destinations,
    with_list_ids,
)
from dagster_project.lib.audiences.files import write_csv
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.audience_files import (
    Row,
    cleared,
    rows_in_files,
    rows_that_leave,
    sent_rows,
)
from dagster_project.lib.forgetting.matcher import Matcher


def write_removals(
    folder: Path,
    matcher: Matcher,
    target: Path,
    *,
    kept: Sequence[Path] = (),
    list_ids: Mapping[str, Mapping[str, int]] | None = None,
) -> list[Path]:
    """Writes `<target>/<destination>/<audience>_remove.csv` of what the destinations hold and must not.

    A destination may also hold who left it in a release whose files nobody loaded yet: their rows go along.

    Args:
        folder: `audiences` of the live release.
        matcher: knows what is forgotten.
        target: made if it is not there.
        kept: the same folders of all kept releases.
        list_ids: the setting; no file can name a list whose Id is not known, and none is written for it.
    """
    destinations = {d.name: d for d in with_list_ids(chosen_destinations(), list_ids or {})}
    with duckdb.connect(config=tables.CONFIG) as connection:
        leaving = {
            (name, audience): {
                cleared(destinations[name], row) if _is_upsert(destinations[name]) else row
                for row in rows
            }
            for (name, audience), rows in sent_rows(connection, [folder], matcher).items()
        }
        theirs = rows_in_files(sent_rows(connection, {folder, *kept}, matcher))
    for path in {folder, *kept}:
        for name, audience, row in rows_that_leave(path, matcher, theirs):
            leaving.setdefault((name, audience), set()).add(row)
    return [
        file
        for (name, audience), rows in sorted(leaving.items())
        if destinations[name].list_id(audience) is not None
        for file in _write(sorted(rows), audience, destinations[name], target)
    ]


def _is_upsert(destination: Destination) -> bool:
    return destination.differences == "changed"


def _write(
    rows: Sequence[Row], audience: str, destination: Destination, target: Path
) -> list[Path]:
    """Rows to remove; of a destination that takes changed rows, rows that clear what was written to it."""
    is_upsert = _is_upsert(destination)
    folder = target / destination.name
    name = audience if is_upsert else f"{audience}_remove"
    for old in folder.glob(f"{name}*.csv"):
        old.unlink()
    files = write_csv(
        lambda: rows,
        destination=destination,
        folder=folder,
        name=name,
        audience=audience,
        kind="upsert" if is_upsert else "remove",
    )
    return [file.path for file in files]
