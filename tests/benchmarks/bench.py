"""Measures the stages not measured yet with these files, prints the figures, and writes them into the README."""

from __future__ import annotations

import argparse
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markdown import Markdown

from tests.benchmarks.figures import Book, state_of
from tests.benchmarks.generate_lines import default_cache
from tests.benchmarks.landing import landing_stage, stream_stage
from tests.benchmarks.scale import (
    YARDSTICKS,
    floor_stage,
    history_stage,
    script_stage,
    size_stage,
)
from tests.benchmarks.stages import demo_stage, help_stage
from tests.benchmarks.startup import startup_stage
from tests.benchmarks.tables import figures_section, write_readme
from tests.benchmarks.volume import MILLION, Volume
from tests.benchmarks.workshop import PROJECT, Workshop

HERE = Path(__file__).parent
GENERATOR = tuple(
    HERE / f"{n}.py" for n in ("volume", "drawn_rows", "generate_lines", "deliveries")
)
PRODUCT = (PROJECT / "dagster_project", PROJECT / "dbt", PROJECT / "uv.lock")
BY_HAND = (YARDSTICKS, PROJECT / "uv.lock", *GENERATOR)

SCRATCH = "run"

log = logging.getLogger("tests.benchmarks")


@dataclass(frozen=True)
class Stage:
    """What is measured, and the files that its figures depend on."""

    measure: Callable[[Workshop], None]
    depends_on: tuple[Path, ...]


def stages() -> dict[str, Stage]:
    """All stages in their order, the short ones first."""
    found = {
        "help": Stage(help_stage, PRODUCT),
        "demo": Stage(demo_stage, PRODUCT),
        "startup": Stage(startup_stage, PRODUCT),
    }
    for millions in (1, 10, 100):
        volume = Volume(millions * MILLION)
        on = (*PRODUCT, *BY_HAND)
        found[f"{millions}m"] = Stage(size_stage(volume, "parquet"), on)
        if millions == 10:
            found["10m-csv"] = Stage(size_stage(volume, "csv"), on)
            found["10m-landing"] = Stage(landing_stage(volume), on)
            found["5gb-stream"] = Stage(stream_stage(volume), on)
            found["10m-floor"] = Stage(floor_stage(volume), BY_HAND)
        found[f"{millions}m-polars"] = Stage(
            script_stage("polars_script", "Polars", volume), BY_HAND
        )
        if millions == 10:
            # as many accounts as 100 million lines have
            found["25m-history"] = Stage(history_stage(Volume(25 * MILLION)), on)
        if millions < 100:
            pandas = script_stage("pandas_script", "pandas", volume)
            found[f"{millions}m-pandas"] = Stage(pandas, BY_HAND)
        found[f"{millions}m-spark"] = Stage(script_stage("spark_script", "Spark", volume), BY_HAND)
    return found


def main() -> int:
    """Runs the stages; 1 where one of them failed, whatever goals are met or missed."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("tests.benchmarks").setLevel(logging.INFO)
    options.cache.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(options.cache / ".lock", timeout=0):
            book = Book.read(options.cache / "book.json")
            failed = [name for name in options.only if not _measure(name, options, book)]
    except Timeout:
        log.error("another benchmark works in %s: wait, or give another --cache", options.cache)
        return 1
    Console(width=200).print(Markdown(figures_section(book)))
    return 1 if failed else 0


def _measure(name: str, options: argparse.Namespace, book: Book) -> bool:
    """Runs a stage unless it was run with the same files; an error is noted, and the others go on."""
    stage = stages()[name]
    state = _state(stage, options.repeats)
    if book.done.get(name) == state and not options.again:
        log.info("%s: measured before with the same files (--again measures anew)", name)
        return True
    book.done.pop(name, None)
    try:
        stage.measure(Workshop(options.cache, _scratch(options.cache), options.repeats, book))
    except Exception as error:
        log.error("%s: %s: %s", name, type(error).__name__, error)
        book.notes[name] = f"failed: {str(error).partition(chr(10))[0][:300]}"
    else:
        book.done[name] = state
        book.notes.pop(name, None)
    shutil.rmtree(options.cache / SCRATCH, ignore_errors=True)
    book.stale = [
        other
        for other, stage in stages().items()
        if book.done.get(other) != _state(stage, options.repeats)
    ]
    book.write()
    if options.cache == default_cache():
        write_readme(book)
    return name in book.done


def _scratch(cache: Path) -> Path:
    """An empty folder for one stage; what a killed run left there goes."""
    scratch = cache / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return scratch


def _state(stage: Stage, repeats: int) -> str:
    """What a stage's figures stand for: the files that they depend on, and how often it was repeated."""
    return state_of(stage.depends_on, (str(repeats),))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        type=lambda text: [_stage(name) for name in text.split(",") if name] or list(stages()),
        default=list(stages()),
        help=f"comma-separated, of {', '.join(stages())}",
    )
    parser.add_argument("--again", action="store_true", help="measure what was measured before too")
    parser.add_argument(
        "--cache",
        type=Path,
        default=default_cache(),
        help="input and figures; of another one than the default the figures are only printed",
    )
    parser.add_argument("--repeats", type=int, default=3, help="of the small stages")
    return parser.parse_args()


def _stage(name: str) -> str:
    if name not in stages():
        raise argparse.ArgumentTypeError(f"{name} is no stage; name one of {', '.join(stages())}")
    return name


if __name__ == "__main__":
    raise SystemExit(main())
