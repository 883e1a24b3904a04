"""The live release, as readers see it: `current.json` names it, all else follows from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.lib.release.manifest import Manifest

CURRENT = "current.json"
RELEASES = "releases"
DATABASE = "marts.duckdb"
MANIFEST = "manifest.json"
REPORT = "report.html"
RELEASE_ID = r"^\d{8}T\d{6}Z-[0-9a-f]{8}$"


class LiveReleaseError(Exception):
    """What is published cannot be read; one line with the file and the remedy."""


class Current(BaseModel):
    """`current.json`; paths are relative to the folder that holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    release_id: str = Field(pattern=RELEASE_ID)
    path: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class LiveRelease:
    """A published release, resolved once: it stays whole while a next one is published."""

    folder: Path
    manifest: Manifest

    @property
    def release_id(self) -> str:
        """Sortable: the run's time, then eight hex digits of the content."""
        return self.manifest.release_id

    @property
    def database(self) -> Path:
        """The release's own `marts.duckdb`."""
        return self.folder / DATABASE

    @property
    def audiences(self) -> Path:
        """The folder of audience files; absent where the release has none."""
        return self.folder / "audiences"

    @property
    def report(self) -> Path:
        """The report for people; absent where an older project made the release."""
        return self.folder / REPORT

    def mart(self, name: str) -> Path:
        """The Parquet file of a mart, whether it is there or not."""
        return self.folder / "marts" / f"{name}.parquet"


def read_live(published: Path) -> LiveRelease | None:
    """The live release, or None before the first publication.

    Raises:
        LiveReleaseError: `current.json` or what it names is damaged or missing.
    """
    path = published / CURRENT
    remedy = f"name a kept folder of {RELEASES}/ in it, or remove {path} to start anew"
    try:
        current = Current.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise LiveReleaseError(f"{path}: not readable ({_reason(error)}); {remedy}") from None
    folder = published / RELEASES / current.release_id
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise LiveReleaseError(
            f"{path}: its release {current.release_id} is not readable ({_reason(error)}); {remedy}"
        ) from None
    return LiveRelease(folder, manifest)


def _reason(error: OSError | ValidationError) -> str:
    if isinstance(error, ValidationError):
        found = error.errors()[0]
        where = ".".join(str(part) for part in found["loc"])
        return f"{where}: {found['msg']}" if where else str(found["msg"])
    return f"{error.strerror}: {Path(str(error.filename)).name}"
