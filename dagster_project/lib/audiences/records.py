"""`audiences/manifest.json`: which files there are, what they hold, and what is not in them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dagster_project.lib.audiences.destinations import Destination, Kind
from dagster_project.lib.audiences.files import WrittenFile

SENT = "sent"
MANIFEST = "manifest.json"


class AudienceFile(BaseModel):
    """One file, or one that cannot be (`file` is null then).

    An audience may be too small to be written, and from a list whose Id is not known nobody can be removed: `rows`
    says how many should be. `rows` and `left_out` count members; who fits the audience and is not in it is left
    out, by reason. `wider_audience` is the next wider one that is large enough, if there is one.
    """

    model_config = ConfigDict(frozen=True)

    file: str | None
    destination: str
    audience: str
    kind: Kind
    status: Literal["written", "below_minimum", "list_unknown"]
    rows: int
    left_out: dict[str, int]
    minimum_rows: int
    minimum_met: bool
    wider_audience: str | None = None
    sha256: str | None = None
    size: int | None = None


class AudienceManifest(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True)

    files: tuple[AudienceFile, ...]

    def below_minimum(self) -> tuple[AudienceFile, ...]:
        """The audiences that were not written."""
        return tuple(entry for entry in self.files if entry.status == "below_minimum")


def written(
    destination: Destination,
    file: WrittenFile,
    *,
    audience: str,
    kind: Kind,
    left_out: dict[str, int],
    is_large_enough: bool,
) -> AudienceFile:
    """The record of a written file."""
    return AudienceFile(
        file=f"{destination.name}/{file.path.name}",
        destination=destination.name,
        audience=audience,
        kind=kind,
        status="written",
        rows=file.rows,
        left_out=left_out,
        minimum_rows=destination.minimum_rows,
        minimum_met=is_large_enough,
        sha256=file.sha256,
        size=file.size,
    )


def below_minimum(
    destination: Destination,
    *,
    audience: str,
    rows: int,
    left_out: dict[str, int],
    wider_audience: str | None,
) -> AudienceFile:
    """The record of an audience that the destination would not use."""
    return AudienceFile(
        file=None,
        destination=destination.name,
        audience=audience,
        kind="full",
        status="below_minimum",
        rows=rows,
        left_out=left_out,
        minimum_rows=destination.minimum_rows,
        minimum_met=False,
        wider_audience=wider_audience,
    )


def list_unknown(destination: Destination, *, audience: str, rows: int) -> AudienceFile:
    """The record of rows that must leave a list which no file can name."""
    return AudienceFile(
        file=None,
        destination=destination.name,
        audience=audience,
        kind="remove",
        status="list_unknown",
        rows=rows,
        left_out={},
        minimum_rows=destination.minimum_rows,
        minimum_met=False,
    )


def read_audience_manifest(folder: Path) -> AudienceManifest:
    """The manifest of a release's `audiences` folder."""
    return AudienceManifest.model_validate_json((folder / MANIFEST).read_bytes())
