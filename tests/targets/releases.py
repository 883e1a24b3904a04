"""Releases of the golden company's real marts, made one after the other by the release's own functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.live import LiveRelease, read_live
from dagster_project.lib.release.manifest import content_id, mart_records
from dagster_project.lib.release.marts import Mart, read_marts
from dagster_project.lib.release.parquet import write_marts
from dagster_project.lib.release.publish import begin_release, publish
from dagster_project.lib.warehouse.dbt_project import parsed_folder

RUN_AT = datetime(2026, 11, 24, 15, 22, 33, tzinfo=UTC)


class Releases:
    """Publishes the marts of a release anew, changed by SQL."""

    def __init__(self, origin: LiveRelease, published: Path) -> None:
        """Reads the marts of `origin`; what is published goes to `published`."""
        self.published = published
        self._origin = origin
        named = {record.name for record in origin.manifest.marts}
        read = read_marts(parsed_folder() / "manifest.json")
        self.marts = tuple(replace(mart, parts="") for mart in read if mart.name in named)
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute("create schema marts")
        for mart in self.marts:
            self.connection.execute(
                f"create table marts.{mart.name} as from '{origin.mart(mart.name)}'"
            )

    def change(self, *statements: str) -> None:
        """Changes the tables `marts.<mart>`."""
        for statement in statements:
            self.connection.execute(statement)

    def publish(self, *, keep: int = 30, marts: Sequence[Mart] | None = None) -> LiveRelease:
        """Makes the marts as they are now the live release."""
        marts = self.marts if marts is None else marts
        with begin_release(self.published, run_at=RUN_AT) as draft:
            files = write_marts(self.connection, marts=marts, folder=draft.marts)
            write_database(marts=marts, folder=draft.marts, target=draft.database)
            draft.audiences.mkdir()
            (draft.audiences / "contacts.csv").write_text("email\nsomebody@example.com\n")
            (draft.folder / "report.html").write_text("<title>Tiers</title>\n")
            was = self._origin.manifest
            content = content_id(as_of=was.as_of, policy_sha256=was.policy_sha256, files=files)
            manifest = was.model_copy(
                update={
                    "release_id": draft.release_id(content),
                    "previous_release_id": draft.previous.release_id if draft.previous else None,
                    "marts": mart_records(marts, files),
                }
            )
            return publish(draft, manifest, keep_releases=keep)

    @property
    def live(self) -> LiveRelease:
        """The live release."""
        live = read_live(self.published)
        assert live is not None
        return live
