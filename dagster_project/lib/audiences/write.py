"""Writes a release's audience files: whole lists, differences to the last release, upserts.

What a destination holds once every file has reached it is kept beside the files (`sent/`): the next
release compares with it, not with the last list, which may have been too small to be sent. Who did not load
the files of some releases gets the differences between two of these states.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import (
    AudienceError,
    Destination,
    Kind,
    chosen_destinations,
)
from dagster_project.lib.audiences.files import PRIVATE, Row, write_csv
from dagster_project.lib.audiences.queries import Queries
from dagster_project.lib.audiences.records import (
    MANIFEST,
    SENT,
    AudienceFile,
    AudienceManifest,
    below_minimum,
    list_unknown,
    written,
)
from dagster_project.lib.extracts.quoting import identifier, literal

FETCHED_ROWS = 10_000
HELD = "held"
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,80}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Audience:
    """One audience at one destination; `left_out` counts members by reason.

    One that is dropped has no line in the seed any more, and the destination still holds it.
    """

    name: str
    rows: int
    left_out: dict[str, int]
    is_large_enough: bool
    is_dropped: bool = False


@dataclass(frozen=True)
class _Job:
    """What the files of one destination are made with."""

    connection: duckdb.DuckDBPyConnection
    destination: Destination
    queries: Queries
    folder: Path


def write_audiences(
    connection: duckdb.DuckDBPyConnection,
    *,
    folder: Path,
    previous: Path | None,
    destinations: Sequence[Destination] | None = None,
) -> AudienceManifest:
    """Writes `<folder>/<destination>/<audience>.csv` and its differences, and `manifest.json`.

    Args:
        connection: to the warehouse with its schemas `exports` and `seeds`; it is only read.
        folder: the release's `audiences` folder; made if it is not there.
        previous: the same folder of the live release; None where there is none.
        destinations: as `chosen_destinations` gives them; None for all.

    Raises:
        AudienceError: an audience whose name is no file name, or a row that fits no file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wider = _wider_audiences(connection)
    entries: list[AudienceFile] = []
    for destination in chosen_destinations() if destinations is None else destinations:
        queries = Queries(connection, destination, previous)
        job = _Job(connection, destination, queries, folder)
        names = destination.audiences or tuple(wider)
        audiences = [_measured(job, name) for name in names] + _dropped(job, names)
        sizes = {audience.name: audience.rows for audience in audiences}
        for audience in audiences:
            if not audience.is_large_enough and not audience.is_dropped:
                offered = _wider_that_does(audience.name, wider, sizes, destination.minimum_rows)
                entries.append(_too_small(destination, audience, offered))
            entries.extend(_write_files(job, audience))
        _keep_sent(job, audiences)
    return _with_manifest(folder, entries)


def write_since(
    *, live: Path, earlier: Path, folder: Path, destinations: Sequence[Destination]
) -> AudienceManifest:
    """Writes what takes a destination that holds what it was sent by an earlier release to the live one.

    The state of the live release is what the destination is to hold: also of an audience that is too small for a
    whole list by now.

    Args:
        live: the live release's `audiences` folder.
        earlier: the same of the release whose files were loaded last.
        folder: made if it is not there; `<destination>/<audience>_add.csv` and so on, none without rows.
        destinations: as `chosen_destinations` gives them.

    Raises:
        AudienceError: the live release does not say what a destination holds.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries: list[AudienceFile] = []
    with duckdb.connect() as connection:
        connection.execute("create schema exports")
        for destination in destinations:
            _read_state(connection, live, destination)
            queries = Queries(connection, destination, earlier)
            job = _Job(connection, destination, queries, folder)
            names = connection.execute(queries.audiences_known()).fetchall()
            for (name,) in names:
                entries.extend(_write_differences(job, _Audience(name, 0, {}, True)))
    return _with_manifest(folder, entries)


def _read_state(
    connection: duckdb.DuckDBPyConnection, live: Path, destination: Destination
) -> None:
    """What the live release says the destination holds, in place of the export's tables."""
    tables = {destination.table: live / SENT / f"{destination.name}.parquet"}
    if destination.held is not None:
        tables[destination.held] = live / SENT / HELD / f"{destination.name}.parquet"
    for table, path in tables.items():
        if not path.is_file():
            raise AudienceError(
                f"the live release does not say what {destination.name} holds ({path.name} is absent); "
                "run kam refresh --full"
            )
        connection.execute(
            f"create or replace table exports.{identifier(table)} as from read_parquet({literal(path)})"
        )


def _with_manifest(folder: Path, entries: Sequence[AudienceFile]) -> AudienceManifest:
    manifest = AudienceManifest(files=tuple(entries))
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / MANIFEST).chmod(PRIVATE)
    return manifest


def _wider_audiences(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """Each audience of the seed with the next wider one."""
    rows = connection.execute(
        "select audience, max(wider_audience) from seeds.audiences group by all order by audience"
    ).fetchall()
    for name, _ in rows:
        if not FILE_NAME.fullmatch(name):
            raise AudienceError(
                f"audience {name!r}: its name becomes a file's name; use letters, digits, + - _ in "
                "dbt/seeds/audiences.csv"
            )
    return dict(rows)


def _wider_that_does(
    name: str, wider: dict[str, str | None], sizes: dict[str, int], minimum: int
) -> str | None:
    seen = {name}
    candidate = wider.get(name)
    while candidate is not None and candidate not in seen:
        if sizes.get(candidate, 0) >= minimum:
            return candidate
        seen.add(candidate)
        candidate = wider.get(candidate)
    return None


def _measured(job: _Job, name: str) -> _Audience:
    rows = _count(job, job.queries.full(name))
    left_out = dict(job.connection.execute(job.queries.left_out(name)).fetchall())
    return _Audience(name, rows, left_out, rows >= job.destination.minimum_rows)


def _dropped(job: _Job, names: Sequence[str]) -> list[_Audience]:
    sent = job.connection.execute(job.queries.audiences_sent()).fetchall()
    return [
        _Audience(name, 0, {}, is_large_enough=False, is_dropped=True)
        for (name,) in sent
        if name not in names
    ]


def _too_small(destination: Destination, audience: _Audience, offered: str | None) -> AudienceFile:
    return below_minimum(
        destination,
        audience=audience.name,
        rows=audience.rows,
        left_out=audience.left_out,
        wider_audience=offered,
    )


def _write_files(job: _Job, audience: _Audience) -> Iterator[AudienceFile]:
    name, queries = audience.name, job.queries
    if job.destination.differences == "changed":
        yield from _write(job, audience, kind="upsert", name=name, query=queries.upserted(name))
    elif audience.is_large_enough:
        yield from _write(job, audience, kind="full", name=name, query=queries.full(name))
        if job.destination.list_id(name) is None:
            yield list_unknown(
                job.destination, audience=name, rows=_count(job, queries.removed(name))
            )
            return
        added, removed = queries.added(name), queries.removed(name)
        yield from _write(job, audience, kind="add", name=f"{name}_add", query=added)
        yield from _write(job, audience, kind="remove", name=f"{name}_remove", query=removed)
    else:
        # Who must leave a list leaves it, also when it has become too small to be sent anew.
        yield from _write_differences(job, audience, added=queries.added_again(name))


def _write_differences(
    job: _Job, audience: _Audience, *, added: str | None = None
) -> Iterator[AudienceFile]:
    """The files that have rows; `added` in place of all that the destination lacks."""
    name, queries = audience.name, job.queries
    found: dict[Kind, tuple[str, str]] = {
        "remove": (f"{name}_remove", queries.removed(name)),
        "add": (f"{name}_add", queries.added(name) if added is None else added),
    }
    if job.destination.differences == "changed":
        found = {"upsert": (name, queries.upserted(name))}
    elif job.destination.list_id(name) is None:
        if rows := _count(job, found["remove"][1]):
            yield list_unknown(job.destination, audience=name, rows=rows)
        return
    for kind, (file, query) in found.items():
        if _count(job, query):
            yield from _write(job, audience, kind=kind, name=file, query=query)


def _count(job: _Job, query: str) -> int:
    row = job.connection.execute(f"select count(*) from ({query})").fetchone()
    return int(row[0]) if row else 0


def _write(
    job: _Job, audience: _Audience, *, kind: Kind, name: str, query: str
) -> Iterator[AudienceFile]:
    def rows() -> Iterator[Row]:
        result = job.connection.cursor().execute(query)
        while fetched := result.fetchmany(FETCHED_ROWS):
            yield from fetched

    target = job.folder / job.destination.name
    parts = write_csv(
        rows,
        destination=job.destination,
        folder=target,
        name=name,
        audience=audience.name,
        kind=kind,
    )
    for part in parts:
        logger.debug("%s/%s: %d rows", job.destination.name, part.path.name, part.rows)
        yield written(
            job.destination,
            part,
            audience=audience.name,
            kind=kind,
            left_out=audience.left_out,
            is_large_enough=audience.is_large_enough,
        )


def _keep_sent(job: _Job, audiences: Sequence[_Audience]) -> None:
    states = [_state(job, audience) for audience in audiences]
    target = job.folder / SENT / f"{job.destination.name}.parquet"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    job.queries.copy(" union all ".join(f"({state})" for state in states), target)
    target.chmod(PRIVATE)
    if job.destination.held is not None:
        held = target.parent / HELD / target.name
        held.parent.mkdir(mode=0o700, exist_ok=True)
        job.queries.copy_held(held)
        held.chmod(PRIVATE)


def _state(job: _Job, audience: _Audience) -> str:
    if job.destination.differences == "changed":
        return job.queries.sent(audience.name)
    if audience.is_large_enough:
        return job.queries.current(audience.name)
    if job.destination.list_id(audience.name) is None:
        return job.queries.before(audience.name)
    return job.queries.retained(audience.name)
