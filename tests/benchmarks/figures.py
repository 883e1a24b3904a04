"""The figures of the benchmark, kept by name as they come.

Belongs here: what a run is and how figures are kept. How they are measured lies in `stages.py` and `scale.py`, how
they are shown in `tables.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.measuring import Measured

# From Dagster's steps to the floors of the architecture; what is left of the wall clock is start-up.
FLOORS = {
    "extracts": "sources",
    "sources__run_inputs": "sources",
    "transform": "transform",
    "gate": "gate",
    "quality__gate": "gate",
    "exports": "exports and release",
    "exports__release": "exports and release",
}


@dataclass(frozen=True)
class Run:
    """One measured run, or the median of several.

    `name` is `<size>/<format>/<what>` where lines were generated, else `<theme>/<what>`. `floors`: seconds;
    `disk_mb`: what lay in the output folder afterwards. `same_as`: what its marts were compared with.
    """

    name: str
    measured: Measured
    floors: dict[str, float] = field(default_factory=dict)
    disk_mb: dict[str, float] = field(default_factory=dict)
    same_as: str = ""
    day: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())


@dataclass
class Book:
    """All figures that were kept, by name, and the stages that were done with which state of the files.

    `notes` says why a stage gave no figure. `seconds` are the parts of a small run, by table and part. `stale`,
    which is not kept: stages that were not measured with the files as they are now.
    """

    path: Path
    runs: dict[str, Run] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Book:
        """The book of earlier runs, empty where there was none."""
        if not path.is_file():
            return cls(path)
        kept = json.loads(path.read_bytes())
        runs = {
            run["name"]: Run(**run | {"measured": Measured(**run["measured"])})
            for run in kept.pop("runs")
        }
        return cls(path, runs, **kept)

    def add(self, *runs: Run) -> None:
        """Keeps runs; those of the same name are replaced."""
        self.runs |= {run.name: run for run in runs}
        self.write()

    def write(self) -> None:
        """Writes the file anew, whole."""
        kept = {name: getattr(self, name) for name in ("done", "notes", "seconds")}
        kept["runs"] = [asdict(run) for run in self.runs.values()]
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        os.replace(part, self.path)

    def wall(self, name: str) -> float | None:
        """Wall seconds of a run, None where it was not measured."""
        run = self.runs.get(name)
        return run.measured.wall if run else None


def floors_of(wall: float, steps: dict[str, float]) -> dict[str, float]:
    """Seconds by floor, of the whole process; a step that is not known here stands by its own name."""
    floors = {"start-up": wall - sum(steps.values())}
    for step, seconds in steps.items():
        floor = FLOORS.get(step, step)
        floors[floor] = floors.get(floor, 0.0) + seconds
    return floors


def state_of(paths: Iterable[Path], words: Sequence[str] = ()) -> str:
    """A hash of the files at and below the paths, by which a stage is known to be done."""
    digest = hashlib.sha256(" ".join(words).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if (
                file.suffix in {".py", ".sql", ".yml", ".csv", ".lock"}
                and "target" not in file.parts
            ):
                digest.update(file.relative_to(path.parent).as_posix().encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
