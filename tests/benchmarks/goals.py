"""What the figures are held against.

Belongs here: each goal as data. A goal of the issue is changed there first.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.figures import Book


@dataclass(frozen=True)
class Ratio:
    """Wall clock of a run over that of others (summed)."""

    words: str
    run: str
    over: tuple[str, ...]
    limit: float

    def value(self, book: Book) -> float | None:
        """The ratio, None where one of the runs is missing."""
        wall, others = book.wall(self.run), [book.wall(name) for name in self.over]
        known = [seconds for seconds in others if seconds is not None]
        return wall / sum(known) if wall is not None and len(known) == len(others) else None


RATIOS = (
    Ratio(
        "first load over DuckDB script, 10 million lines (Parquet)",
        "10m/parquet/first load",
        ("10m/parquet/DuckDB script",),
        4.0,
    ),
    Ratio(
        "first load over DuckDB script, 10 million lines (CSV)",
        "10m/csv/first load",
        ("10m/csv/DuckDB script",),
        4.0,
    ),
    Ratio(
        "first load over DuckDB script, 100 million lines",
        "100m/parquet/first load",
        ("100m/parquet/DuckDB script",),
        2.5,
    ),
    Ratio(
        "one changed month over first load, 100 million lines",
        "100m/parquet/one month",
        ("100m/parquet/first load",),
        0.10,
    ),
    Ratio(
        "nothing new over reading and hashing the files and a demo run with nothing new, 100 million lines",
        "100m/parquet/nothing new",
        ("100m/parquet/hash of the files", "demo/nothing new"),
        1.0,
    ),
    Ratio(
        "first load of 100 million lines over that of 10 million",
        "100m/parquet/first load",
        ("10m/parquet/first load",),
        11.0,
    ),
    Ratio(
        "36 months of history over one month, 100,000 customers, everything anew",
        "25m/parquet/36 months of history",
        ("25m/parquet/one month of history",),
        3.0,
    ),
    Ratio(
        "`kam simulate` over the first load, 10 million lines",
        "10m/parquet/simulate",
        ("10m/parquet/first load",),
        0.10,
    ),
    Ratio(
        "landing 10 million clean CSV lines over DuckDB's own copy",
        "10m/csv/landed",
        ("10m/csv/DuckDB's copy",),
        2.5,
    ),
    Ratio(
        "the same in cp1252 with decimal commas",
        "10m/csv/landed, cp1252 with decimal commas",
        ("10m/csv/DuckDB's copy",),
        4.0,
    ),
    Ratio("demo refresh over bare `dbt build`", "demo/refresh", ("demo/bare dbt build",), 2.0),
)
REFRESHES = (
    *("first load", "nothing new", "one day", "one month", "late credit notes"),
    *("36 months of history", "one month of history"),
)


def rows(book: Book) -> list[tuple[str, str, str, str]]:
    """(goal, limit, measured, met) for every goal, measured or not."""
    found = []
    for goal in RATIOS:
        value = goal.value(book)
        met = "not measured" if value is None else "yes" if value <= goal.limit else "no"
        shown = "-" if value is None else f"{value:.2f}"
        found.append((goal.words, f"≤ {goal.limit:g}", shown, met))
    refreshes = [n for n in book.runs if n.rpartition("/")[2] in REFRESHES or n == "demo/refresh"]
    landings = [name for name in book.runs if name.startswith("10m/csv/landed")]
    streams = [name for name in book.runs if name.startswith("5gb/landed")]
    for words, names, limit in (
        ("every refresh", refreshes, 3.0),
        ("every landing of 10 million lines", landings, 1.5),
        ("landing one CSV file of 5 GB", streams, 2.0),
    ):
        peaks = {name: book.runs[name].measured.peak_mb / 1_000 for name in names}
        most = max(peaks, key=lambda name: peaks[name], default="")
        measured, met = "-", "not measured"
        if most:
            measured = f"{peaks[most]:.2f} GB ({most})"
            met = "yes" if peaks[most] < limit else "no"
        found.append((f"peak memory of {words}", f"< {limit:g} GB", measured, met))
    seconds = book.wall("help/kam --help")
    if seconds is not None:
        met = "yes" if seconds < 0.5 else "no"
        found.append(("`kam --help`", "< 0.5 s", f"{seconds:.2f} s", met))
    return found
