"""Readers of all marts during fifty publications: no error, no missing file, never two releases mixed.

What is repeated here is what readers could notice, the release's own writing and swapping and its way to
PostgreSQL and to an object store, on the golden company's marts with every row changed: whole refreshes are in
`test_readers_of_refreshes.py`.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib.targets.object_store import publish_to_object_store
from dagster_project.lib.targets.postgres import publish_to_postgres
from dagster_project.target_settings import ObjectStoreTarget, PostgresTarget
from tests.targets.readers import Readers
from tests.targets.releases import Releases

PUBLICATIONS = 50
WIDENED = 20
COUNTED = "select release_number::text, count(*) from {0} group by release_number"


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


def test_no_reader_ever_sees_two_releases_mixed(
    releases: Releases, url: str, tmp_path: Path
) -> None:
    store = ObjectStoreTarget(url=f"file://{tmp_path}/store")
    readers = Readers(
        {mart.name: COUNTED for mart in releases.marts},
        published=releases.published,
        store=tmp_path / "store",
        url=url,
        folder=tmp_path,
    )

    def publish() -> None:
        live = releases.publish(keep=3)
        publish_to_postgres(live, PostgresTarget(), url)
        publish_to_object_store(live, store, keep_releases=3)
        readers.note_live()

    for mart in releases.marts:
        releases.change(f"alter table marts.{mart.name} add column release_number integer")
    rows = rows_of(releases)
    renumber(releases, 0, rows=rows)
    publish()
    with readers.at_work():
        for number in range(1, PUBLICATIONS + 1):
            renumber(releases, number, rows=rows)
            publish()
