"""Publishes a release: written aside, renamed whole, then made live in one step.

    releases/.<time>.<pid>.part/ being written; locked, so that a later run sweeps only the dead
    releases/<release_id>/       whole, not live yet
    marts.duckdb, current.json   replaced last, in this order

A run that fails takes back what it replaced. One that is killed between the last two leaves
`marts.duckdb` one whole, checked release ahead of `current.json`, until the next run's sweep puts
it back.
"""

from __future__ import annotations

import fcntl
import filecmp
import json
import logging
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from dagster_project.lib.release.durable import copy_beside, part_of, sync, sync_tree, text_beside
from dagster_project.lib.release.live import (
    CURRENT,
    DATABASE,
    MANIFEST,
    RELEASE_ID,
    RELEASES,
    LiveRelease,
    read_live,
)
from dagster_project.lib.release.manifest import Manifest

STAMP = "%Y%m%dT%H%M%SZ"

logger = logging.getLogger(__name__)


@dataclass
class Draft:
    """A release being written; as a context manager it removes what was not published."""

    published: Path
    folder: Path
    stamp: str
    previous: LiveRelease | None
    lock: int

    @property
    def marts(self) -> Path:
        """Folder of the marts' Parquet files."""
        return self.folder / "marts"

    @property
    def database(self) -> Path:
        """The database file of the marts."""
        return self.folder / DATABASE

    @property
    def audiences(self) -> Path:
        """Folder of the audience files."""
        return self.folder / "audiences"

    def release_id(self, content: str) -> str:
        """The id of this release, given eight hex digits of its content."""
        return f"{self.stamp}-{content}"

    def discard(self) -> None:
        """Removes the draft, unless it was published; may be called again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()


def begin_release(published: Path, *, run_at: datetime) -> Draft:
    """Sweeps what killed runs left, and makes the folder of a new release.

    Args:
        published: the folder that readers know; made if it is not there.
        run_at: the run's time (UTC if naive); ids sort by it, and never before the live one's.

    Raises:
        LiveReleaseError: what is published is damaged; nothing is swept or made.
    """
    releases = published / RELEASES
    releases.mkdir(parents=True, exist_ok=True)
    live = read_live(published)
    sweep(published, live)
    stamp = _stamp(run_at, _releases(published))
    folder = releases / f".{stamp}.{os.getpid()}.part"
    folder.mkdir(mode=0o755)
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    draft = Draft(published, folder, stamp, live, lock)
    draft.marts.mkdir()
    return draft


def publish(draft: Draft, manifest: Manifest, *, keep_releases: int) -> LiveRelease:
    """Makes the draft live, whole or not at all.

    Args:
        draft: with all its files written.
        manifest: what `manifest.json` is to say; its ids are those of the draft.
        keep_releases: releases to keep, the live one included; at least 1.
    """
    published, current = draft.published, draft.published / CURRENT
    database = published / DATABASE
    folder = published / RELEASES / manifest.release_id
    try:
        (draft.folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        sync_tree(draft.folder)
        os.rename(draft.folder, folder)
        sync(folder.parent)
        copy = copy_beside(folder / DATABASE, database)
        pointer = text_beside(current, _current(manifest))
        os.replace(copy, database)
        os.replace(pointer, current)
        sync(published)
    except BaseException:
        _take_back(published, folder, draft.previous)
        raise
    finally:
        draft.discard()
    logger.info("release %s is live", manifest.release_id)
    _prune(published, manifest.release_id, keep_releases)
    return LiveRelease(folder, manifest)


def sweep(published: Path, live: LiveRelease | None) -> None:
    """Removes what killed runs left: drafts, releases never live, a database ahead of them."""
    for part in published.glob(".*.part"):
        part.unlink(missing_ok=True)
    for folder in (published / RELEASES).glob(".*.part"):
        if not _is_held(folder):
            logger.info("removed %s, left by a run that was killed", folder.name)
            shutil.rmtree(folder, ignore_errors=True)
    if live is None:
        return
    for folder in _releases(published):
        if folder.name > live.release_id:
            shutil.rmtree(folder, ignore_errors=True)
    _restore_database(published, live)


def _take_back(published: Path, folder: Path, previous: LiveRelease | None) -> None:
    """Puts the published files back as they were; the release that failed goes."""
    current, database = published / CURRENT, published / DATABASE
    if previous is None:
        current.unlink(missing_ok=True)
        database.unlink(missing_ok=True)
    else:
        os.replace(text_beside(current, _current(previous.manifest)), current)
        _restore_database(published, previous)
    for path in (current, database):
        part_of(path).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _restore_database(published: Path, live: LiveRelease) -> None:
    database = published / DATABASE
    if not (database.is_file() and filecmp.cmp(live.database, database, shallow=True)):
        os.replace(copy_beside(live.database, database), database)
        sync(published)


def _current(manifest: Manifest) -> str:
    said = {
        "release_id": manifest.release_id,
        "path": f"{RELEASES}/{manifest.release_id}",
        "as_of": manifest.as_of.isoformat(),
    }
    return json.dumps(said, indent=2) + "\n"


def _stamp(run_at: datetime, releases: list[Path]) -> str:
    moment = run_at.astimezone(UTC) if run_at.tzinfo else run_at
    if releases:
        last = datetime.strptime(releases[-1].name.partition("-")[0], STAMP)
        # Two runs in a second, or a clock set back: ids keep the order of publication.
        moment = max(moment.replace(tzinfo=None), last + timedelta(seconds=1))
    return moment.strftime(STAMP)


def _releases(published: Path) -> list[Path]:
    """Folders of whole releases, the oldest first."""
    found = (published / RELEASES).iterdir()
    return sorted(path for path in found if path.is_dir() and re.match(RELEASE_ID, path.name))


def _prune(published: Path, live: str, keep: int) -> None:
    older = [folder for folder in _releases(published) if folder.name < live]
    for folder in older[: max(0, len(older) - max(0, keep - 1))]:
        logger.info("removed release %s, beyond the %d kept", folder.name, keep)
        shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    """Whether a living run holds the draft; the system frees the lock of a dead one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
