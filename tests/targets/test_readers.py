"""Readers of all marts during fifty publications: no error, no missing file, never two releases mixed.

Fifty refreshes would take a quarter of an hour; what is repeated is what readers could notice: the
release's own writing and swapping, and its way to PostgreSQL and to an object store, on the golden
company's real marts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster_project.lib.targets.object_store import publish_to_object_store
from dagster_project.lib.targets.postgres import publish_to_postgres
from dagster_project.target_settings import ObjectStoreTarget, PostgresTarget
from tests.targets.releases import Releases

PUBLICATIONS = 50
# A reader that waits for a publication would wait for its loading of all marts, and hold its locks as long.
WAIT_SECONDS = 10
WIDENED = 20


@contextmanager
def reading(kind: str, place: str, stop: Path) -> Iterator[subprocess.Popen[str]]:
    """A reader that has looked once."""
    script = Path(__file__).with_name("reader.py")
    with subprocess.Popen(
        [sys.executable, str(script), kind, place, str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        try:
            assert reader.stdout is not None
            assert reader.stdout.readline().strip() == "ready", reader.communicate()[1]
            yield reader
        finally:
            stop.touch()


def rows_of(releases: Releases) -> dict[str, int]:
    """Rows of each mart."""
    counted = {}
    for mart in releases.marts:
        row = releases.connection.execute(f"select count(*) from marts.{mart.name}").fetchone()
        assert row is not None
        counted[mart.name] = int(row[0])
    return counted


def renumber(releases: Releases, number: int, *, rows: dict[str, int]) -> None:
    """Marks every row of every mart, and takes one of several out or in; once a column comes, too."""
    for mart in releases.marts:
        table = f"marts.{mart.name}"
        releases.change(f"update {table} set release_number = {number}")
        if rows[mart.name] < 2:
            continue
        if number % 2:
            releases.change(f"create or replace table kept_{mart.name} as from {table} limit 1")
            where = " and ".join(
                f"{table}.{column} is not distinct from kept.{column}" for column in mart.key
            )
            releases.change(f"delete from {table} using kept_{mart.name} as kept where {where}")
        elif number:
            releases.change(
                f"update kept_{mart.name} set release_number = {number}",
                f"insert into {table} by name from kept_{mart.name}",
            )
    if number == WIDENED:
        releases.change("alter table marts.tier_moves add column more varchar default 'more'")


def told_by(reader: subprocess.Popen[str]) -> dict[str, Any]:
    said, errors = reader.communicate(timeout=120)
    assert reader.returncode == 0, errors
    told: dict[str, Any] = json.loads(said)
    return told


def test_no_reader_ever_sees_two_releases_mixed(
    releases: Releases, url: str, tmp_path: Path
) -> None:
    store = ObjectStoreTarget(url=f"file://{tmp_path}/store")
    postgres, stop = PostgresTarget(), tmp_path / "stop"

    def publish() -> None:
        live = releases.publish(keep=3)
        publish_to_postgres(live, postgres, url)
        publish_to_object_store(live, store, keep_releases=3)

    for mart in releases.marts:
        releases.change(f"alter table marts.{mart.name} add column release_number integer")
    rows = rows_of(releases)
    renumber(releases, 0, rows=rows)
    publish()
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(reading(kind, place, stop))
            for name, kind, place in (
                ("Parquet by current.json", "pointer", str(releases.published)),
                ("marts.duckdb", "database", str(releases.published / "marts.duckdb")),
                ("object store", "pointer", str(tmp_path / "store")),
                ("PostgreSQL, one statement", "statement", url),
                ("PostgreSQL, one transaction", "transaction", url),
            )
        }
        for number in range(1, PUBLICATIONS + 1):
            renumber(releases, number, rows=rows)
            publish()
        stop.touch()
        said = {name: told_by(reader) for name, reader in readers.items()}
    filled = {name for name, count in rows.items() if count}
    for name, told in said.items():
        assert told["mixed"] == [], name
        assert told["marts"] == len(filled), name
        seen = sorted(map(int, told["whole"]))
        assert str(PUBLICATIONS) in told["whole"], "the last look is of the last release"
        assert len(seen) > 5, f"{name}: {told['looks']} looks saw {seen}"
        assert told["slowest"] < WAIT_SECONDS, name
