"""What changed in the columns of the extracts since the last delivery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.ledger import LedgerEntry, read_ledger
from dagster_project.lib.release.manifest import InputFile


@dataclass(frozen=True)
class Columns:
    """What a delivered file held: columns that its layout knows, and others."""

    known: frozenset[str]
    extra: frozenset[str]


def columns_of(entry: LedgerEntry) -> Columns:
    """The columns of a landed file, as its layout names them."""
    return Columns(frozenset(entry.found_columns), frozenset(entry.extra_columns))


def last_delivered(inputs: Sequence[InputFile], raw: Path) -> list[tuple[str, LedgerEntry]]:
    """The files of the live release that the ledger still knows, in their order."""
    known = {(e.sha256, e.system, e.entity, e.profile): e for e in read_ledger(raw)}
    keys = [(d.file, (d.sha256, d.system, d.entity, d.profile)) for d in inputs]
    return [(file, known[key]) for file, key in keys if key in known]


def schema_changes(
    files: Iterable[tuple[str, LedgerEntry]], *, published: Iterable[tuple[str, LedgerEntry]] = ()
) -> list[str]:
    """One line per file that brings other columns than the delivery before it; each is said once.

    Args:
        files: (file, entry) of the landing folder, in the order of delivery.
        published: those of the live release; what they brought was said when they were new.
    """
    told = list(published)
    said = {(file, entry.sha256, entry.entity) for file, entry in told}
    last = {_scope(entry): columns_of(entry) for _, entry in told}
    lines: list[str] = []
    for file, entry in files:
        now = columns_of(entry)
        if (file, entry.sha256, entry.entity) not in said:
            lines.extend(f"{file}: {text}" for text in _compared(now, last.get(_scope(entry))))
        last[_scope(entry)] = now
    return lines


def _scope(entry: LedgerEntry) -> tuple[str, str, str]:
    return entry.system, entry.entity, entry.layout


def _compared(now: Columns, before: Columns | None) -> list[str]:
    new = sorted(now.extra - before.extra if before else now.extra)
    gone = sorted((before.known | before.extra) - (now.known | now.extra)) if before else []
    lines = []
    if new:
        lines.append(f"new columns, kept in the raw zone and not used: {', '.join(new)}")
    if gone:
        renamed = "; were they renamed to the new ones?" if new else ""
        lines.append(f"columns absent since the last delivery: {', '.join(gone)}{renamed}")
    return lines
