"""Writes a release's audience files: whole lists, differences to the last release, upserts.

What a destination holds once every file has reached it is kept beside the files (`sent/`): the next
release compares with it, not with the last list, which may have been too small to be sent.
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
    AudienceFile,
    AudienceManifest,
    below_minimum,
    written,
)

FETCHED_ROWS = 10_000
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
    query = f"select count(*) from ({job.queries.full(name)})"
    row = job.connection.execute(query).fetchone()
    rows = int(row[0]) if row else 0
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
    removed = queries.removed(name)
    if job.destination.differences == "changed":
        yield from _write(job, audience, kind="upsert", name=name, query=queries.upserted(name))
    elif audience.is_large_enough:
        yield from _write(job, audience, kind="full", name=name, query=queries.full(name))
        added = queries.added(name)
        yield from _write(job, audience, kind="add", name=f"{name}_add", query=added)
        yield from _write(job, audience, kind="remove", name=f"{name}_remove", query=removed)
    elif job.connection.execute(f"{removed} limit 1").fetchone():
        # Who must leave a list leaves it, also when it has become too small to be sent anew.
        yield from _write(job, audience, kind="remove", name=f"{name}_remove", query=removed)


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
    target = job.folder / "sent" / f"{job.destination.name}.parquet"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    job.queries.copy(" union all ".join(f"({state})" for state in states), target)
    target.chmod(PRIVATE)


def _state(job: _Job, audience: _Audience) -> str:
    if job.destination.differences == "changed":
        return job.queries.sent(audience.name)
    if audience.is_large_enough:
        return job.queries.current(audience.name)
    return job.queries.retained(audience.name)
