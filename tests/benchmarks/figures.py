"""The figures of the benchmark: kept by name, shown as a table, written into the README.

Belongs here: what a figure is and how it is shown. How it is measured lies in `stages.py`.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from tests.benchmarks.measuring import Measured

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
PACKAGES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations", "pandas")
HEADER = (
    "figure",
    "against",
    "wall s",
    "CPU s",
    "yardstick wall s",
    "yardstick CPU s",
    "ratio wall",
    "ratio CPU",
    "peak MB",
    "goal",
    "met",
    "measured",
)
UNRATED = "-"


@dataclass(frozen=True)
class Figure:
    """One measured stage beside its yardstick.

    `goal_ratio` is the most that wall over wall may be, `goal_seconds` the most wall seconds,
    `goal_peak_mb` the most memory; None = no such goal.
    """

    name: str
    against: str
    measured: Measured
    yardstick: Measured
    goal_ratio: float | None = None
    goal_seconds: float | None = None
    goal_peak_mb: float | None = None
    day: str = ""

    @property
    def goal(self) -> str:
        """The goals in words."""
        goals = [
            f"ratio ≤ {self.goal_ratio}" if self.goal_ratio is not None else "",
            f"< {self.goal_seconds} s" if self.goal_seconds is not None else "",
            f"< {self.goal_peak_mb:.0f} MB" if self.goal_peak_mb is not None else "",
        ]
        return ", ".join(filter(None, goals)) or UNRATED

    @property
    def met(self) -> str:
        """`yes`, or what is missed; `-` without a goal."""
        ratio, peak = self.measured.wall / self.yardstick.wall, self.measured.peak_mb
        missed = [
            "ratio" if self.goal_ratio is not None and ratio > self.goal_ratio else "",
            "seconds"
            if self.goal_seconds is not None and self.measured.wall >= self.goal_seconds
            else "",
            "memory" if self.goal_peak_mb is not None and peak >= self.goal_peak_mb else "",
        ]
        if self.goal == UNRATED:
            return UNRATED
        return f"no: {', '.join(filter(None, missed))}" if any(missed) else "yes"

    def cells(self) -> tuple[str, ...]:
        """The row of the table, in the order of HEADER."""
        return (
            self.name,
            self.against,
            f"{self.measured.wall:.2f}",
            f"{self.measured.cpu:.2f}",
            f"{self.yardstick.wall:.2f}",
            f"{self.yardstick.cpu:.2f}",
            f"{self.measured.wall / self.yardstick.wall:.2f}",
            f"{self.measured.cpu / self.yardstick.cpu:.2f}",
            f"{self.measured.peak_mb:.0f}",
            self.goal,
            self.met,
            self.day,
        )


def keep(figures: Iterable[Figure], path: Path) -> list[Figure]:
    """Adds the figures to those of earlier runs in the file; a figure of the same name is replaced."""
    kept: dict[str, Figure] = {}
    if path.is_file():
        for record in json.loads(path.read_bytes()):
            record["measured"] = Measured(**record["measured"])
            record["yardstick"] = Measured(**record["yardstick"])
            kept[record["name"]] = Figure(**record)
    kept |= {figure.name: figure for figure in figures}
    path.write_text(json.dumps([asdict(figure) for figure in kept.values()]), encoding="utf-8")
    return list(kept.values())


def today() -> str:
    """The day of a measurement, UTC."""
    return datetime.now(UTC).date().isoformat()


def terminal_table(figures: Iterable[Figure]) -> Table:
    """The figures for a terminal."""
    table = Table(title="Benchmark", caption=_circumstances())
    for name in HEADER:
        is_number = name.split()[0] in ("wall", "CPU", "yardstick", "ratio", "peak")
        table.add_column(name, justify="right" if is_number else "left")
    for figure in figures:
        table.add_row(*figure.cells())
    return table


def write_readme(figures: Iterable[Figure], path: Path = README) -> None:
    """Replaces what lies between the README's markers."""
    rows = [HEADER, ("---",) * len(HEADER), *(figure.cells() for figure in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    text = f"{before}{BEGIN}\n\n{_circumstances()}\n\n{table}\n\n{END}{after}"
    path.write_text(text, encoding="utf-8")


def _circumstances() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{today()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}."
    )
