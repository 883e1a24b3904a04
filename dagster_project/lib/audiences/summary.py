"""What a release's audience files hold, one line per destination and audience."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dagster_project.lib.audiences.destinations import Destination
from dagster_project.lib.audiences.records import AudienceFile, AudienceManifest

Status = Literal["written", "upsert", "below_minimum", "withdrawn"]


class AudienceSummary(BaseModel):
    """One audience at one destination.

    `rows` are the members of the whole list, or of the upsert; `added` and `removed` are null where
    the destination gets no differences. A list is withdrawn where its audience is no more; where its Id is not
    known, `removed` are in no file.
    """

    model_config = ConfigDict(frozen=True)

    destination: str
    audience: str
    status: Status
    rows: int
    added: int | None
    removed: int | None
    left_out: dict[str, int]
    minimum_rows: int
    wider_audience: str | None
    files: tuple[str, ...]
    is_list_unknown: bool = False


def summarised(
    manifest: AudienceManifest, destinations: Sequence[Destination]
) -> list[AudienceSummary]:
    """The audiences of the destinations, in the order of the manifest."""
    wanted = {destination.name for destination in destinations}
    grouped: dict[tuple[str, str], list[AudienceFile]] = {}
    for entry in manifest.files:
        if entry.destination in wanted:
            grouped.setdefault((entry.destination, entry.audience), []).append(entry)
    return [_summary(entries) for entries in grouped.values()]


def _summary(entries: Sequence[AudienceFile]) -> AudienceSummary:
    first = entries[0]
    kinds = {entry.kind for entry in entries}
    return AudienceSummary(
        destination=first.destination,
        audience=first.audience,
        status=_status(entries),
        rows=_rows(entry for entry in entries if entry.kind in ("full", "upsert")),
        added=_rows(e for e in entries if e.kind == "add") if "add" in kinds else None,
        removed=_rows(e for e in entries if e.kind == "remove") if "remove" in kinds else None,
        left_out=first.left_out,
        minimum_rows=first.minimum_rows,
        wider_audience=first.wider_audience,
        files=tuple(entry.file for entry in entries if entry.file is not None),
        is_list_unknown=any(entry.status == "list_unknown" for entry in entries),
    )


def _status(entries: Sequence[AudienceFile]) -> Status:
    if any(entry.status == "below_minimum" for entry in entries):
        return "below_minimum"
    kinds = {entry.kind for entry in entries}
    if "upsert" in kinds:
        return "upsert"
    return "written" if "full" in kinds else "withdrawn"


def _rows(entries: Iterable[AudienceFile]) -> int:
    return sum(entry.rows for entry in entries)
