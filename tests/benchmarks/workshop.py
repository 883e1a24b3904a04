"""Where the stages work: generated input, scratch folders, measured processes.

Belongs here: what all stages use. What a stage measures lies in `stages.py` and `scale.py`.
"""

from __future__ import annotations

import logging
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Book, Run, floors_of
from tests.benchmarks.measuring import MEGABYTE, Measured, StageError, bytes_below, measure
from tests.benchmarks.volume import AS_OF

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """Where generated input is kept, where runs write, and how often the small ones are repeated."""

    cache: Path
    scratch: Path
    repeats: int
    book: Book

    def fresh(self, name: str) -> Path:
        """A path below the scratch folder at which nothing lies."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def run(
        self, name: str, *command: str | Path, writes: Path | None = None, **environment: str
    ) -> Measured:
        """Measures one process; its output is in `<name>.log`."""
        result = measure(
            command,
            folder=PROJECT,
            log=self.log_of(name),
            environment=environment,
            writes=writes,
        )
        log.info(
            "%-40s %8.2f s wall %8.2f s CPU %6.0f MB",
            name,
            result.wall,
            result.cpu,
            result.peak_mb,
        )
        return result

    def log_of(self, name: str) -> Path:
        """The file with what a run printed."""
        return self.scratch / f"{name.replace('/', ' ')}.log"

    def refresh(
        self, landing: Path, out: Path, *flags: str | Path, name: str, is_idle: bool = False
    ) -> Run:
        """One `kam refresh` with its floors and what it leaves on the disk.

        Raises:
            StageError: it failed, or did something where nothing was new, or nothing where something was.
        """
        command = (BIN / "kam", "refresh", "--landing", landing, "--out", out, *flags)
        measured = self.run(name, *command, writes=out)
        printed = self.log_of(name).read_text(encoding="utf-8")
        if ("nothing to do" in printed) != is_idle:
            words = "did not say" if is_idle else "said"
            raise StageError(f"{name} {words} `nothing to do`:\n{printed}")
        floors = {} if is_idle else floors_of(measured.wall, _steps(out / "runs"))
        return Run(name, measured, floors=floors, disk_mb=_disk(out))

    def script(self, script: str, landing: Path, out: Path, *, name: str) -> Run:
        """One hand-written script (a module of `yardsticks/`) on a landing folder."""
        measured = self.run(
            name,
            *(sys.executable, "-m", f"tests.benchmarks.yardsticks.{script}"),
            *("--landing", landing, "--out", out, "--as-of", AS_OF.isoformat()),
            writes=out,
        )
        return Run(name, measured, disk_mb={"all": bytes_below(out) / MEGABYTE})


def _steps(runs: Path) -> dict[str, float]:
    """Seconds of each Dagster step of the last run."""
    from dagster_project.lib.run_folder import last_runs

    return last_runs(runs, 1)[0].steps


def _disk(out: Path) -> dict[str, float]:
    parts = {name: bytes_below(out / name) for name in ("raw", "warehouse", "published")}
    parts["all"] = bytes_below(out)
    return {name: size / MEGABYTE for name, size in parts.items()}
