"""The command line that all hand-written scripts share, and what they agree on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """Where the delivered files lie, where results go (`raw/`, `marts/`), and the day that closes 36 months."""

    landing: Path
    out: Path
    as_of: date

    @property
    def first_month(self) -> date:
        """The first of the 36 months."""
        return self.as_of.replace(year=self.as_of.year - 3)

    def months(self) -> list[date]:
        """The 36 months, in order."""
        start = self.first_month
        return [date(start.year + n // 12, n % 12 + 1, 1) for n in range(36)]

    def delivered(self, entity: str) -> list[Path]:
        """The files of an entity, by name."""
        return sorted(self.landing.glob(f"*/{entity}*"))

    def make_folders(self) -> None:
        """Makes the output folders, which must not be there."""
        for folder in ("raw", "marts"):
            (self.out / folder).mkdir(parents=True)

    def raw(self, entity: str, delivered: Path | None = None) -> Path:
        """The typed copy of a delivered file; the entity's folder where none is named."""
        folder = self.out / "raw" / entity
        folder.mkdir(exist_ok=True)
        return folder / f"{delivered.stem}.parquet" if delivered else folder

    def mart(self, name: str) -> Path:
        """The file of a mart."""
        return self.out / "marts" / f"{name}.parquet"


def run_from_command_line(run: Callable[[Job], None], description: str | None) -> None:
    """Runs a script once, with the arguments that it was given."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    options = parser.parse_args()
    job = Job(options.landing, options.out, options.as_of)
    job.make_folders()
    run(job)
