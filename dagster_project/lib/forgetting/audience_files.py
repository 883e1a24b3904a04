"""Takes what was forgotten out of a release's audience files, and says which destinations hold it.

Rows are found by what they say, in any column and in any form that a destination takes, and by the keys of
what was sent: so a new destination needs nothing here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.audiences.destinations import Destination, load_destinations
from dagster_project.lib.audiences.files import LINE_ENDS, PRIVATE, QUOTING
from dagster_project.lib.audiences.records import MANIFEST, SENT
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.release.content import columns_of

KEYS = ("account_key", "contact_key")
Row = tuple[str, ...]
Sent = dict[tuple[str, str], set[Row]]
"""Rows by destination and audience, as texts in the order of the destination's columns."""


@dataclass
class Freed:
    """What was taken out: rows by file, and (destination, audience) that hold it, or were to."""

    rows: dict[str, int] = field(default_factory=dict)
    held: set[tuple[str, str]] = field(default_factory=set)


def free_audiences(
    folder: Path, target: Path | None, matcher: Matcher, *, others: Iterable[Path] = ()
) -> Freed:
    """Writes the files that change into `target`; None only counts.

    Args:
        folder: `audiences` of a release.
        target: the same of the release that is to take its place.
        matcher: knows what is forgotten.
        others: the same folders of other releases: remove files hold what was sent then.
    """
    freed = Freed()
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return freed
    said: dict[str, Any] = json.loads(manifest.read_bytes())
    with duckdb.connect(config=tables.CONFIG) as connection:
        theirs = rows_in_files(sent_rows(connection, (*others, folder), matcher))
        for entry in said["files"]:
            if entry.get("file"):
                rows = theirs.get(entry["destination"], set())
                _free_file(folder, target, entry, rows=rows, matcher=matcher, freed=freed)
        for path in sorted((folder / SENT).rglob("*.parquet")):
            place = path.relative_to(folder)
            _free_sent(connection, folder, place, target, matcher=matcher, freed=freed)
    if target is not None and freed.rows:
        text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
        _write_private(target / MANIFEST, text.encode())
    return freed


def theirs(connection: duckdb.DuckDBPyConnection, relation: str, matcher: Matcher) -> str:
    """The condition of the rows that are about somebody forgotten; empty where there is none."""
    columns = columns_of(connection, relation)
    conditions = []
    for column, test in zip(KEYS, (matcher.account_key, matcher.contact_key), strict=True):
        if column in dict(columns) and (
            found := tables.fitting(connection, relation, column, test)
        ):
            conditions.append(tables.is_one_of(column, found))
    for name, cell in tables.text_cells(connection, relation, matcher, columns=columns).items():
        conditions.append(f"{identifier(name)} is distinct from ({cell})")
    return " or ".join(f"({condition})" for condition in conditions)


def sent_rows(
    connection: duckdb.DuckDBPyConnection, folders: Iterable[Path], matcher: Matcher
) -> Sent:
    """What destinations were sent of them in releases, given by their folders `audiences`."""
    found: Sent = {}
    for path in (path for folder in folders for path in sorted((folder / SENT).glob("*.parquet"))):
        for audience, *row in _sent_rows(connection, path, matcher):
            found.setdefault((path.stem, audience), set()).add(tuple(row))
    return found


def rows_in_files(sent: Sent) -> dict[str, set[Row]]:
    """By destination the rows of any file that are about who was sent these: they, and what clears them."""
    found: dict[str, set[Row]] = {}
    for (name, _), rows in sent.items():
        destination = load_destinations()[name]
        found.setdefault(name, set()).update(rows)
        if destination.differences == "changed":
            found[name].update(cleared(destination, row) for row in rows)
    return found


def cleared(destination: Destination, row: Row) -> Row:
    """The row that clears what an upsert wrote to a destination."""
    return tuple(
        cell if name in destination.kept_when_cleared else destination.cleared_cell(name)
        for name, cell in zip(destination.columns, row, strict=True)
    )


def rows_that_leave(
    folder: Path, matcher: Matcher, theirs: Mapping[str, Collection[Row]]
) -> Iterator[tuple[str, str, Row]]:
    """Of a release's files what takes them off a destination, or clears them there: destination, audience, row."""
    manifest = folder / MANIFEST
    said = json.loads(manifest.read_bytes())["files"] if manifest.is_file() else ()
    for entry in said:
        destination = load_destinations().get(entry["destination"])
        path = folder / (entry.get("file") or ".")
        if destination is None or entry["kind"] not in ("remove", "upsert") or not path.is_file():
            continue
        header, *rows = _read(path, destination)
        for row in rows:
            cells = _members_cells(header, row, destination)
            is_leaving = entry["kind"] == "remove" or cells == cleared(destination, cells)
            if is_leaving and _is_theirs(row, cells, theirs.get(destination.name, ()), matcher):
                yield destination.name, entry["audience"], cells


def _sent_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, matcher: Matcher
) -> Iterator[Row]:
    """Audience and what a file of the destination says of them, as texts in the order of its columns."""
    destination = load_destinations().get(path.stem)
    relation = tables.parquet(path)
    condition = theirs(connection, relation, matcher)
    if destination is None or not condition:
        return
    held = {name for name, _ in columns_of(connection, relation)}
    header = ", ".join(
        f"coalesce({identifier(name)}::varchar, '')" if name in held else "''"
        for name in destination.columns
    )
    yield from connection.execute(
        f"select audience, {header} from {relation} where {condition}"
    ).fetchall()


def _free_sent(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    place: Path,
    target: Path | None,
    *,
    matcher: Matcher,
    freed: Freed,
) -> None:
    relation = tables.parquet(folder / place)
    condition = theirs(connection, relation, matcher)
    if not condition:
        return
    # keys that a destination has were not all sent to it: they stand in no audience
    audience = "audience" if "audience" in dict(columns_of(connection, relation)) else "null"
    found = connection.execute(
        f"select {audience} as audience, count(*) from {relation} where {condition} group by all"
    ).fetchall()
    freed.held |= {(place.stem, audience) for audience, _ in found if audience is not None}
    if not found:
        return
    freed.rows[str(place)] = sum(count for _, count in found)
    if target is not None:
        new = target / place
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection.execute(
            f"copy (select * from {relation} where not coalesce({condition}, false)) "
            f"to {literal(new)} (format parquet, compression zstd)"
        )
        new.chmod(PRIVATE)


def _free_file(
    folder: Path,
    target: Path | None,
    entry: dict[str, Any],
    *,
    rows: set[Row],
    matcher: Matcher,
    freed: Freed,
) -> None:
    path = folder / entry["file"]
    if not path.is_file():
        return
    destination = load_destinations().get(entry["destination"])
    form: Mapping[str, Any] = {
        "delimiter": destination.delimiter if destination else ",",
        "quoting": QUOTING[destination.quoting] if destination else csv.QUOTE_MINIMAL,
        "lineterminator": LINE_ENDS[destination.line_end] if destination else "\r\n",
    }
    read = _read(path, destination)
    kept = [
        row
        for number, row in enumerate(read)
        if not number
        or not _is_theirs(row, _members_cells(read[0], row, destination), rows, matcher)
    ]
    gone = len(read) - len(kept)
    if not gone:
        return
    if gone == entry["rows"]:
        # without members a file has no leading rows either
        kept = kept[:1]
    freed.rows[entry["file"]] = gone
    freed.held.add((entry["destination"], entry["audience"]))
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **form).writerows(kept)
    text = buffer.getvalue().encode(_encoding(destination))
    entry["rows"] -= gone
    entry["sha256"] = hashlib.sha256(text).hexdigest()
    entry["size"] = len(text)
    if entry["kind"] == "full":
        entry["minimum_met"] = entry["rows"] >= entry["minimum_rows"]
    if target is not None:
        (target / entry["file"]).parent.mkdir(parents=True, exist_ok=True)
        _write_private(target / entry["file"], text)


def _read(path: Path, destination: Destination | None) -> list[Row]:
    """The lines of a file, the header first."""
    with path.open(encoding=_encoding(destination), newline="") as stream:
        delimiter = destination.delimiter if destination else ","
        return [tuple(row) for row in csv.reader(stream, delimiter=delimiter)]


def _encoding(destination: Destination | None) -> str:
    return destination.encoding if destination else "utf-8"


def _members_cells(header: Row, row: Row, destination: Destination | None) -> Row:
    """Without the cells that are the same in all rows of a file: they say nothing of a member."""
    filled = destination.filled if destination else {}
    return tuple(cell for name, cell in zip(header, row, strict=False) if name not in filled)


def _is_theirs(row: Row, cells: Row, rows: Collection[Row], matcher: Matcher) -> bool:
    return cells in rows or any(
        matcher.account_key(cell) or matcher.contact_key(cell) or matcher.replaced(cell) != cell
        for cell in row
        if cell
    )


def _write_private(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(text)
