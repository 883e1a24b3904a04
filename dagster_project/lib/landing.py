"""Lands every extract of a landing folder and says what came of each file."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel

from dagster_project.lib.extracts.connection import Database
from dagster_project.lib.extracts.discover import (
    DeliveredFile,
    Discovery,
    find_deliveries,
    joined_with,
)
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.errors import ExtractError, FileChangedError
from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.extracts.land import Means, land
from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.extracts.writing import empty_parquet
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.release.live import read_live
from dagster_project.lib.schema_drift import last_delivered, schema_changes
from dagster_project.settings import Settings

REQUIRED_ENTITIES = ("accounts", "customers", "invoice_lines")

log = logging.getLogger(__name__)


class LandedFile(BaseModel):
    """A file of the landing folder and its entry in the ledger."""

    file: str
    entry: LedgerEntry


class LandingReport(BaseModel):
    """What a landing folder held: landed files in the order of delivery, and what was not landed and why.

    `schema_changes`: a line per file with other columns than the delivery before it, once it is new.
    """

    files: list[LandedFile]
    left: list[str]
    ignored: list[str]
    errors: list[str]
    schema_changes: list[str] = []

    @property
    def rows_read(self) -> int:
        """Rows of all files."""
        return sum(file.entry.rows_read for file in self.files)

    @property
    def rows_rejected(self) -> int:
        """Rows that the readers rejected."""
        return sum(file.entry.rows_rejected for file in self.files)

    def extracts(self) -> list[tuple[str, int, int]]:
        """(system/entity, rows read, rows rejected): all files of an entity that count are one extract."""
        counts: dict[str, tuple[int, int]] = {}
        entries = [file.entry for file in self.files]
        for entry, place in zip(entries, places_of(entries), strict=True):
            if place.is_replaced:
                continue
            name = f"{entry.system}/{entry.entity}"
            read, rejected = counts.get(name, (0, 0))
            counts[name] = (read + entry.rows_read, rejected + entry.rows_rejected)
        return [(name, *counts[name]) for name in sorted(counts)]


def land_everything(settings: Settings, *, scratch: Path) -> LandingReport:
    """Lands all files; a file that cannot be read is an error of the report, and the others are landed."""
    for entity in load_entities().values():
        empty_parquet(entity, settings.raw)
    try:
        found = find_deliveries(
            settings.landing, profiles=settings.profiles, own_profiles=settings.own_profiles
        )
    except ExtractError as error:
        return LandingReport(files=[], left=[], ignored=[], errors=[str(error)])
    report = LandingReport(
        files=[],
        left=list(found.left),
        ignored=[f"{name}: {reason}" for name, reason in found.ignored],
        errors=[str(error) for error in found.errors],
    )
    memory_limit, threads = settings.memory_limit, settings.threads
    with closing(Database(scratch, memory_limit=memory_limit, threads=threads)) as database:
        means = Means(
            raw=settings.raw,
            scratch=scratch,
            database=database,
            forgotten=Matcher(read_record(settings.raw)),
        )
        _land_all(found, report, means)
    if means.known:
        log.info("landed before, and not read again: %d files", len(means.known))
    report.errors.extend(_absent_entities(found, settings.landing))
    report.schema_changes.extend(_schema_changes(report, settings))
    return report


def _land_all(found: Discovery, report: LandingReport, means: Means) -> None:
    """Rows that others are joined with first; the report is in the order of delivery."""
    landed: dict[DeliveredFile, LedgerEntry] = {}
    for delivered in sorted(found.files, key=lambda file: file.mapping is not None):
        partners = joined_with(delivered, found.files)
        joined = [landed[other] for other in partners if other in landed]
        entry = _land_one(delivered, joined, report=report, means=means)
        if entry is not None:
            # the ledger knows a content by its first name; what it is a part of, today's name says
            today = ("layout", "extract", "scope")
            landed[delivered] = entry.model_copy(
                update={name: getattr(delivered, name) for name in today}
            )
    report.files.extend(
        LandedFile(file=file.relative_path, entry=landed[file])
        for file in found.files
        if file in landed
    )


def _schema_changes(report: LandingReport, settings: Settings) -> list[str]:
    live = read_live(settings.published)
    changes = schema_changes(
        [(file.file, file.entry) for file in report.files],
        published=last_delivered(live.manifest.inputs, settings.raw) if live else (),
    )
    for text in changes:
        log.warning("%s", text)
    return changes


def _land_one(
    delivered: DeliveredFile,
    joined: list[LedgerEntry],
    *,
    report: LandingReport,
    means: Means,
) -> LedgerEntry | None:
    try:
        entry = land(delivered, means, joined=joined)
    except FileChangedError as error:
        log.warning("%s", error)
        if delivered.relative_path not in report.left:
            report.left.append(delivered.relative_path)
        return None
    except ExtractError as error:
        if str(error) not in report.errors:
            report.errors.append(str(error))
        return None
    if entry.delivery_id in means.known:
        return entry
    left_out = ", ".join(f"{rows} {reason}" for reason, rows in entry.rows_left_out.items())
    log.info(
        "landed %s%s: %s rows read, %s rejected%s",
        delivered.relative_path,
        "" if delivered.source_profile.canonical else f" as {delivered.entity}",
        entry.rows_read,
        entry.rows_rejected,
        f", left out: {left_out}" if left_out else "",
    )
    return entry


def _absent_entities(found: Discovery, landing: Path) -> list[str]:
    return [
        f"{landing}: no extract of {entity}\nPut one as <system>/{entity}.csv; accounts, customers "
        "and invoice_lines must be there."
        for entity in REQUIRED_ENTITIES
        if entity not in found.expected
    ]
