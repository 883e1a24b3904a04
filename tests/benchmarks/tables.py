"""The figures as tables of the README, one per theme, between its markers.

Belongs here: how figures are shown. What they mean is said in the README's own text.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmarks import goals, paper
from tests.benchmarks.figures import FLOORS, Book, Run

README = Path(__file__).with_name("README.md")
COPY = "DuckDB's copy"
SCRIPT = "DuckDB script"
CORE = "DuckDB script, core"
OTHERS = ("Polars", "pandas", "Spark", "bare floor")
REFRESHES = goals.REFRESHES
PACKAGES = (
    *("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations"),
    *("pandas", "polars", "pyspark"),
)
Row = tuple[str, ...]


def write_readme(book: Book, path: Path = README) -> None:
    """Replaces what lies between the README's markers."""
    text = path.read_text(encoding="utf-8")
    text = replaced(text, "figures", figures_section(book))
    text = replaced(text, "seconds", seconds_section(book))
    text = replaced(text, "paper", table(paper.rows(book)))
    path.write_text(text, encoding="utf-8")


def replaced(text: str, name: str, section: str) -> str:
    """The text with another section between the markers of that name.

    Raises:
        ValueError: the text has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"no markers {begin} and {end}; put them where the tables belong")
    return f"{before}{begin}\n\n{section}\n\n{end}{after}"


def figures_section(book: Book) -> str:
    """All tables of figures."""
    parts = [
        circumstances(),
        "### Goals\n\n" + table([("goal", "limit", "measured", "met"), *goals.rows(book)]),
        "### Refreshes by size\n\n" + table(refresh_rows(book)),
        "### Where the seconds go, by floor\n\n" + table(floor_rows(book)),
        "### The same work by hand\n\n" + table(script_rows(book)),
        "### History and simulation\n\n" + table(history_rows(book)),
        "### Landing alone\n\n" + table(landing_rows(book)),
        "### Small runs\n\n" + table(small_rows(book)),
    ]
    notes = [f"- {name}: {note}" for name, note in sorted(book.notes.items())]
    if notes:
        parts.append("Without a figure:\n\n" + "\n".join(notes))
    if book.stale:
        names = ", ".join(book.stale)
        parts.append(f"Not measured with the files as they are now: {names}.")
    return "\n\n".join(parts)


def seconds_section(book: Book) -> str:
    """Where the seconds of a small run go."""
    words = {"parts": "part of a refresh of the demo company", "imports": "package (its own code)"}
    return "\n\n".join(
        table([(words[name], "seconds"), *((part, f"{s:.2f}") for part, s in seconds.items())])
        for name, seconds in sorted(book.seconds.items(), reverse=True)
    )


def refresh_rows(book: Book) -> list[Row]:
    """Every refresh of generated lines, with its ratios and what it left on the disk."""
    header = (
        *("lines", "format", "refresh", "wall s", "CPU s", "peak memory MB"),
        *("of the script", "of the first load", "raw MB", "warehouse MB", "published MB"),
        *("most disk MB", "same result", "measured"),
    )
    rows = []
    for title in _titles(book):
        for what in REFRESHES:
            run = book.runs.get(f"{title}/{what}")
            if run is not None:
                rows.append(_refresh_row(book, title, what, run))
    return [header, *rows]


def floor_rows(book: Book) -> list[Row]:
    """Seconds by floor of every refresh that did something."""
    measured = [run for run in book.runs.values() if run.floors]
    known = ["start-up", *dict.fromkeys(FLOORS.values())]
    other = {name for run in measured for name in run.floors} - set(known)
    floors = [*known, *sorted(other)]
    rows = [
        (run.name, *(f"{run.floors.get(f, 0):.1f}" for f in floors), f"{run.measured.wall:.1f}")
        for run in sorted(measured, key=lambda run: _in_order(run.name))
    ]
    return [("refresh", *(f"{floor} s" for floor in floors), "whole s"), *rows]


def script_rows(book: Book) -> list[Row]:
    """The DuckDB script and the product's first load, and its core and the scripts of other engines."""
    header = (
        *("lines", "format", "script", "wall s", "CPU s", "peak memory MB"),
        *("of the DuckDB script", "of its core", "same result"),
    )
    rows = []
    for title in _titles(book):
        script, core = (book.wall(f"{title}/{what}") for what in (SCRIPT, CORE))
        for what in (SCRIPT, "first load", CORE, *OTHERS):
            run = book.runs.get(f"{title}/{what}")
            if run is not None:
                is_whole = what in {SCRIPT, "first load"}
                words = "(the product's first load)" if what == "first load" else what
                ratios = (
                    _ratio(run, script if is_whole else None),
                    _ratio(run, core if what in {CORE, *OTHERS} else None),
                )
                rows.append((*_size(title), words, *_cells(run), *ratios, _same(run)))
    return [header, *rows]


def history_rows(book: Book) -> list[Row]:
    """Everything anew with all months and with one, and another policy simulated beside it."""
    rows = [
        (name, *_cells(book.runs[name]))
        for title in _titles(book)
        for what in ("36 months of history", "one month of history", "simulate")
        if (name := f"{title}/{what}") in book.runs
    ]
    return [("run", "wall s", "CPU s", "peak memory MB"), *rows]


def landing_rows(book: Book) -> list[Row]:
    """The readers against DuckDB's own copy of the same files."""
    rows = [
        (*_size(title), what, *_cells(run), _ratio(run, book.wall(f"{title}/{COPY}")))
        for title in _titles(book)
        for what in (COPY, "landed", "landed before", "landed, cp1252 with decimal commas")
        if (run := book.runs.get(f"{title}/{what}")) is not None
    ]
    rows += [
        ("5 GB", "csv", name.partition("/")[2], *_cells(run), "-")
        for name, run in book.runs.items()
        if name.startswith("5gb/")
    ]
    header = ("lines", "format", "run", "wall s", "CPU s", "peak memory MB", "of the copy")
    return [header, *rows]


def small_rows(book: Book) -> list[Row]:
    """The command line's start and the demo company."""
    bare = book.wall("demo/bare dbt build")
    unit = book.wall("demo/bare dbt build without unit tests")
    rows = [
        (
            run.name,
            *_cells(run),
            *(_ratio(run, over) if name.startswith("demo/") else "-" for over in (bare, unit)),
        )
        for name, run in sorted(book.runs.items())
        if name.startswith(("demo/", "help/"))
    ]
    header = ("run", "wall s", "CPU s", "peak memory MB", "of bare dbt build")
    return [(*header, "of it without unit tests"), *rows]


def table(rows: Sequence[Row]) -> str:
    """A Markdown table, the first row its header."""
    lines = [rows[0], ("---",) * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def circumstances() -> str:
    """The machine and the versions."""
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"Written {datetime.now(UTC).date()}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}."
    )


def _version(package: str) -> str:
    """The installed version; Polars and Spark are there for `make bench` only."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _refresh_row(book: Book, title: str, what: str, run: Run) -> Row:
    parts = (f"{run.disk_mb.get(part, 0):,.0f}" for part in ("raw", "warehouse", "published"))
    return (
        *(*_size(title), what, *_cells(run)),
        *(_ratio(run, book.wall(f"{title}/{over}")) for over in (SCRIPT, "first load")),
        *parts,
        f"{max(run.measured.peak_disk_mb, run.disk_mb.get('all', 0)):,.0f}",
        *(_same(run), run.day),
    )


def _titles(book: Book) -> list[str]:
    """`<size>/<format>` of all generated lines, the small ones first."""
    titles = {name.rpartition("/")[0] for name in book.runs}
    return sorted((title for title in titles if re.match(r"\d+m/", title)), key=_in_order)


def _in_order(name: str) -> tuple[int, str, int]:
    size, _, rest = name.partition("/")
    what = name.rpartition("/")[2]
    lines = int(size[:-1]) if re.fullmatch(r"\d+m", size) else 0
    place = REFRESHES.index(what) if what in REFRESHES else len(REFRESHES)
    return lines, rest.partition("/")[0], place


def _size(title: str) -> Row:
    size, _, file_format = title.partition("/")
    return f"{size[:-1]} million", file_format


def _cells(run: Run) -> Iterable[str]:
    measured = run.measured
    return f"{measured.wall:,.2f}", f"{measured.cpu:,.2f}", f"{measured.peak_mb:,.0f}"


def _ratio(run: Run, wall: float | None) -> str:
    return "-" if wall is None else f"{run.measured.wall / wall:.2f}"


def _same(run: Run) -> str:
    return "checked" if run.same_as else "-"
