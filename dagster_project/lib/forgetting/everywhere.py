"""Goes through every place of an output folder that may hold what is to be forgotten.

The record is written first and says that it is unfinished; each step finds by the record what it has to do, so
a call that was killed is made good by the next one, or by the next refresh. The raw zone comes last: what it
holds tells the steps before it whom to look for.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.lib.dashboard.folder import FOLDER, LOG, PICTURE
from dagster_project.lib.extracts.ledger import LedgerEntry, read_ledger
from dagster_project.lib.forgetting.delivered import is_held, not_reached, still_delivered
from dagster_project.lib.forgetting.found import Names, plain_names
from dagster_project.lib.forgetting.landed import counted, without_forgotten
from dagster_project.lib.forgetting.matcher import NOBODY, Matcher
from dagster_project.lib.forgetting.record import ForgottenRecord, read_record, write_record
from dagster_project.lib.forgetting.releases import (
    AUDIENCES,
    MARTS,
    Input,
    free_release,
    kept_releases,
)
from dagster_project.lib.forgetting.removals import write_removals
from dagster_project.lib.forgetting.tables import Counts
from dagster_project.lib.forgetting.texts import free_folder
from dagster_project.lib.release.live import RELEASES, read_live
from dagster_project.lib.release.publish import sweep
from dagster_project.lib.run_folder import remove_scratch
from dagster_project.settings import Settings

TABLES = (".duckdb", ".parquet")
NAMED_FILES = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """What was taken out of one place: rows or files that went, and rows or texts that changed."""

    place: str
    removed: int
    changed: int


@dataclass
class Forgotten:
    """What a call did, or would do.

    Attributes:
        places: where something was found.
        held: (destination, audience, last release) to which somebody was sent, or was about to be.
        removals: files written for the destinations.
        still_delivered: files of the landing folder that hold somebody forgotten, with their rows.
        not_reached: what lies elsewhere and says the same until the next refresh, and what only a person can judge.
    """

    places: list[Place] = field(default_factory=list)
    held: list[tuple[str, str, str]] = field(default_factory=list)
    removals: list[Path] = field(default_factory=list)
    still_delivered: list[tuple[str, int]] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)

    def add(self, place: str, removed: int = 0, changed: int = 0) -> None:
        """Notes a place where something was found."""
        if removed or changed:
            self.places.append(Place(place, removed, changed))

    def leave(self, place: str, files: Collection[str]) -> None:
        """Notes texts that may hold a name of theirs."""
        if files:
            first = ", ".join(sorted(files)[:NAMED_FILES])
            more = f" and {len(files) - NAMED_FILES} more" if len(files) > NAMED_FILES else ""
            self.not_reached.append(
                f"{place}: {first}{more} may name them: a short name, a word, or one that another account has too"
                " was left; look there"
            )


def forget_everywhere(
    record: ForgottenRecord,
    settings: Settings,
    *,
    is_new: bool,
    is_dry: bool = False,
    removals: Path | None = None,
) -> Forgotten:
    """Takes what the record tells out of every place; the caller holds the output folder's lock.

    Args:
        record: what is forgotten.
        settings: the folders.
        is_new: whether the record grew by this call, so that a warehouse may still hold it.
        is_dry: only counts.
        removals: a folder for files that take the person off the destinations.
    """
    done = Forgotten()
    matcher = Matcher(record)
    if not matcher.fingerprint:
        return done
    published, raw = settings.published, settings.raw
    names = plain_names(
        record, raw=raw, marts=[folder / MARTS for folder in kept_releases(published)]
    )
    is_pending = is_new or record.is_unfinished
    if not is_dry:
        live = read_live(published)
        if removals is not None and live is not None:
            kept = [folder / AUDIENCES for folder in kept_releases(published)]
            done.removals = write_removals(
                live.audiences, matcher, removals, kept=kept, list_ids=settings.list_ids
            )
        if is_pending:
            write_record(record.model_copy(update={"is_unfinished": True}), raw)
        _put_right(published)
    taken = {entry.delivery_id: counted(entry, raw, matcher) for entry in _pending(raw, matcher)}
    rows = {
        (entry.sha256, entry.system, entry.entity): entry.rows_read
        - (taken[entry.delivery_id].removed if entry.delivery_id in taken else 0)
        for entry in read_ledger(raw)
    }
    _free_texts(settings, matcher, names, done, is_dry=is_dry)
    _remove_drawn(settings.out / FOLDER, done, is_dry=is_dry)
    # it is made of the raw zone, and of names in the live release
    if record.is_unfinished or (is_new and (names.sure or names.unsure or any(taken.values()))):
        _remove_warehouse(settings, done, is_dry=is_dry)
    _free_releases(published, matcher, names, done, rows=rows, is_dry=is_dry)
    _free_raw(raw, matcher, done, taken, is_dry=is_dry)
    ahead = {delivery: sum(counts) for delivery, counts in taken.items()} if is_dry else {}
    done.still_delivered = still_delivered(settings, ahead)
    done.not_reached += not_reached(settings)
    if not is_dry and is_pending:
        write_record(record.model_copy(update={"is_unfinished": False}), raw)
    return done


def finish(settings: Settings) -> None:
    """Goes on where a killed call ended, before anything else is done with the output folder."""
    record = read_record(settings.raw)
    # a run of the web UI works on the warehouse; what it lands is filtered already
    if record.is_unfinished and not is_held(settings.warehouse):
        log.info("going on with a kam forget that did not end")
        forget_everywhere(record, settings, is_new=True)


def _free_texts(
    settings: Settings,
    matcher: Matcher,
    names: Names,
    done: Forgotten,
    *,
    is_dry: bool,
) -> None:
    for folder in (settings.runs, settings.dagster_home):
        if folder.is_dir():
            if not is_dry:
                _remove_scratch(folder)
            found = free_folder(folder, matcher, names.sure, is_dry=is_dry)
            done.add(f"{folder.name} (logs and records)", changed=sum(found.values()))
            if names.unsure:
                done.leave(
                    folder.name, free_folder(folder, NOBODY, names.unsure, is_dry=True).keys()
                )


def _remove_drawn(folder: Path, done: Forgotten, *, is_dry: bool) -> None:
    """A picture cannot be searched, and `make dashboard` makes both anew."""
    found = [path for path in (folder / PICTURE, folder / LOG) if path.is_file()]
    for path in found if not is_dry else ():
        path.unlink()
    done.add("dashboard (picture and log)", removed=len(found))


def _remove_scratch(folder: Path) -> None:
    """What a killed run left of its tables: nothing reads it again."""
    for run in folder.iterdir():
        remove_scratch(run)
    for ending in TABLES:
        for path in folder.rglob(f"*{ending}*"):
            if path.is_file():
                path.unlink()


def _remove_warehouse(settings: Settings, done: Forgotten, *, is_dry: bool) -> None:
    """The next run builds it anew; a database whose rows are deleted keeps their bytes in its free pages."""
    folders = {settings.warehouse.parent, settings.spark_warehouse, settings.hand_over}
    files = 0
    for folder in sorted(folders):
        found = sorted(folder.rglob("*")) if folder.is_dir() else []
        files += sum(1 for path in found if path.is_file())
        for path in folder.iterdir() if folder.is_dir() and not is_dry else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    done.add("warehouse (files; the next refresh builds it anew)", removed=files)


def _free_releases(
    published: Path,
    matcher: Matcher,
    names: Names,
    done: Forgotten,
    *,
    rows: Mapping[Input, int],
    is_dry: bool,
) -> None:
    last: dict[tuple[str, str], str] = {}
    live = read_live(published)
    for folder in kept_releases(published):
        # the gate compares the next run's rows with those of the live release
        inputs = rows if live is not None and folder == live.folder else {}
        freed = free_release(folder, matcher, names, inputs=inputs, is_dry=is_dry)
        for pair in sorted(freed.audiences.held):
            last.setdefault(pair, folder.name)
        release = f"release {folder.name}"
        for name, counts in freed.marts.items():
            done.add(f"{release}: mart {name}", counts.removed, counts.changed)
        for name, count in freed.audiences.rows.items():
            done.add(f"{release}: audiences/{name}", removed=count)
        for name, count in freed.texts.items():
            done.add(f"{release}: {name}", changed=count)
        done.leave(release, freed.unsure.keys())
    done.held = [(*pair, release) for pair, release in sorted(last.items())]
    if not is_dry:
        _put_right(published)


def _put_right(published: Path) -> None:
    """What killed calls and runs left goes; BI opens the live release's database, not the one of before."""
    if (published / RELEASES).is_dir():
        sweep(published, read_live(published))


def _pending(raw: Path, matcher: Matcher) -> list[LedgerEntry]:
    """Landed deliveries that were not gone through since the record grew."""
    return [
        entry
        for entry in read_ledger(raw)
        if entry.filtered_by != matcher.fingerprint
        and (raw / entry.entity / entry.landed).is_file()
    ]


def _free_raw(
    raw: Path,
    matcher: Matcher,
    done: Forgotten,
    taken: Mapping[int, Counts],
    *,
    is_dry: bool,
) -> None:
    for entry in _pending(raw, matcher):
        counts = taken[entry.delivery_id]
        done.add(f"raw zone: {entry.entity} of {entry.file}", counts.removed, counts.changed)
        if not is_dry:
            without_forgotten(entry, raw, matcher)
    if not raw.is_dir():
        return
    kept: set[Path] = set()
    for entry in read_ledger(raw):
        kept |= {raw / entry.entity / entry.landed, raw / "rejected" / (entry.rejected or "-")}
    # what a killed landing left, and what is made of the landed files and is made again from them
    made = [
        path
        for path in sorted(raw.rglob("*.parquet")) + sorted(raw.rglob(".*.part"))
        if path not in kept and path.name != "_empty.parquet"
    ]
    if any(taken.values()):
        done.add("raw zone (files made of it; the next refresh makes them anew)", removed=len(made))
    if is_dry:
        return
    for path in made:
        path.unlink(missing_ok=True)
    for path in sorted(raw.glob(".*.tmp")):
        path.unlink(missing_ok=True)
