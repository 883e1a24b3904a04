"""Past the test machine: what more lines would need, from the slopes that were measured.

Belongs here: lines through two measured sizes and what they say further out. An extrapolation says nothing of
limits that no measured size has met; those stand in the README's text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from tests.benchmarks.figures import Book, Run
from tests.benchmarks.volume import MILLION, Volume

LARGE = 100 * MILLION
# as many accounts as the large one has, and fewer lines: what differs hangs on lines
SAME_ACCOUNTS = 25 * MILLION
FEWER_ACCOUNTS = 10 * MILLION
FURTHER = (500 * MILLION, 1_000 * MILLION, 10_000 * MILLION)
ACCOUNTS = 100_000
HOUR = 3_600.0


@dataclass(frozen=True)
class Slope:
    """`fixed + per_line * lines`, through two measured points; `least` is the larger of both values."""

    fixed: float
    per_line: float
    least: float

    @classmethod
    def through(cls, small: tuple[float, float], large: tuple[float, float]) -> Slope:
        """The line through (lines, value) of two sizes.

        Raises:
            ValueError: both have the same number of lines.
        """
        if small[0] == large[0]:
            raise ValueError("two points with the same number of lines make no slope")
        per_line = (large[1] - small[1]) / (large[0] - small[0])
        return cls(small[1] - per_line * small[0], per_line, max(small[1], large[1]))

    def at(self, lines: float) -> float:
        """The value at more lines than were measured: what did not grow between the two does not fall further out."""
        return max(self.fixed + self.per_line * lines, self.least)


def slope(book: Book, what: str, value: Callable[[Run], float]) -> Slope | None:
    """The slope of a figure of the Parquet runs over lines; None where it was measured at one size only.

    Of a first load both sizes have the same accounts. Of the others the small one has fewer, so that some of
    what hangs on accounts counts as lines.
    """
    large = _at(book, LARGE, what, value)
    small = _at(book, SAME_ACCOUNTS, what, value) or _at(book, FEWER_ACCOUNTS, what, value)
    return Slope.through(small, large) if small and large else None


def per_accounts(book: Book, what: str, value: Callable[[Run], float]) -> float | None:
    """What 100,000 more accounts add, from two sizes with other lines and other accounts, less the lines."""
    few, many = (_at(book, lines, what, value) for lines in (FEWER_ACCOUNTS, SAME_ACCOUNTS))
    line = slope(book, what, value)
    if few is None or many is None or line is None:
        return None
    added = many[1] - few[1] - line.per_line * (many[0] - few[0])
    return added / (_accounts(SAME_ACCOUNTS) - _accounts(FEWER_ACCOUNTS)) * ACCOUNTS


def _at(
    book: Book, lines: int, what: str, value: Callable[[Run], float]
) -> tuple[float, float] | None:
    run = book.runs.get(f"{lines // MILLION}m/parquet/{what}")
    return None if run is None else (float(lines), value(run))


def hours(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def gigabytes(megabytes: float) -> str:
    """Megabytes in GB, or in TB."""
    return f"{megabytes / 1e6:.1f} TB" if megabytes >= 1e6 else f"{megabytes / 1e3:.1f} GB"


def rows(book: Book) -> list[tuple[str, ...]]:
    """Header and rows of the table: measured slopes, and what they come to further out."""
    header = (
        "what",
        "per million lines",
        f"per {ACCOUNTS:,} accounts",
        *(_lines(lines) for lines in FURTHER),
    )
    wanted: list[tuple[str, str, Callable[[Run], float], Callable[[float], str]]] = [
        ("first load, wall clock on this machine", "first load", _wall, hours),
        ("first load, CPU", "first load", _cpu, hours),
        ("one changed month, wall clock", "one month", _wall, hours),
        ("one changed day, wall clock", "one day", _wall, hours),
        ("nothing new, wall clock", "nothing new", _wall, hours),
        ("first load, peak memory", "first load", lambda run: run.measured.peak_mb, gigabytes),
        ("disk: raw zone", "first load", _disk("raw"), gigabytes),
        ("disk: warehouse", "first load", _disk("warehouse"), gigabytes),
        ("disk: one release", "first load", _disk("published"), gigabytes),
        ("disk: most at once, spills included", "first load", _most_disk, gigabytes),
        ("DuckDB script, wall clock", "DuckDB script", _wall, hours),
        ("Spark script, CPU on two local cores", "Spark", _cpu, hours),
    ]
    found: list[tuple[str, ...]] = [header]
    for words, what, value, shown in wanted:
        line = slope(book, what, value)
        if line is None:
            found.append((words, "-", "-", *("not measured" for _ in FURTHER)))
            continue
        further = (shown(line.at(lines)) for lines in FURTHER)
        accounts = per_accounts(book, what, value)
        found.append(
            (
                words,
                _small(max(line.per_line, 0.0) * MILLION, shown),
                "-" if accounts is None else _small(max(accounts, 0.0), shown),
                *further,
            )
        )
    found.append(("accounts (customers and prospects)", "-", "-", *map(_many, FURTHER)))
    spark = slope(book, "Spark", _cpu)
    if spark is not None:
        cores = (str(ceil(spark.at(lines) / HOUR)) for lines in FURTHER)
        found.append(("Spark: cores for the script's work within one hour", "-", "-", *cores))
    return found


def _lines(lines: int) -> str:
    millions = lines // MILLION
    return f"{millions} million lines" if millions < 1_000 else f"{millions // 1_000} billion lines"


def _small(value: float, shown: Callable[[float], str]) -> str:
    return f"{value:.2f} s" if shown is hours else f"{value:.1f} MB"


def _accounts(lines: int) -> int:
    return Volume(lines).customers * 5 // 4


def _many(lines: int) -> str:
    return f"{_accounts(lines):,}"


def _wall(run: Run) -> float:
    return run.measured.wall


def _cpu(run: Run) -> float:
    return run.measured.cpu


def _disk(part: str) -> Callable[[Run], float]:
    return lambda run: run.disk_mb[part]


def _most_disk(run: Run) -> float:
    return max(run.measured.peak_disk_mb, run.disk_mb["all"])
