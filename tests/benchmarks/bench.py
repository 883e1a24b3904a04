"""Prints each figure as a ratio to a yardstick of the same run, and writes them into the README beside it."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.benchmarks.figures import Figure, keep, terminal_table, write_readme
from tests.benchmarks.generate_lines import MILLION, Volume, default_cache
from tests.benchmarks.measuring import StageError
from tests.benchmarks.stages import Workshop, demo_figures, floor_stage, help_figure, lines_stage

STAGES: dict[str, Callable[[Workshop], list[Figure]]] = {
    "help": help_figure,
    "demo": demo_figures,
    "lines-1m-parquet": lines_stage(Volume(MILLION), "parquet"),
    "lines-1m-csv": lines_stage(Volume(MILLION), "csv"),
    "lines-10m-parquet": lines_stage(Volume(10 * MILLION), "parquet"),
    "lines-10m-csv": lines_stage(Volume(10 * MILLION), "csv"),
    "floor": floor_stage(Volume(10 * MILLION)),
}

log = logging.getLogger("tests.benchmarks")


def main() -> int:
    """Runs the stages; 1 where one of them failed, whatever goals are met or missed."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("tests.benchmarks").setLevel(logging.INFO)
    options.cache.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    failed = False
    with tempfile.TemporaryDirectory(dir=options.cache, prefix="run-") as scratch:
        shop = Workshop(cache=options.cache, scratch=Path(scratch), repeats=options.repeats)
        for name in options.only:
            try:
                figures += STAGES[name](shop)
            except StageError as error:
                failed = True
                log.error("%s: %s", name, error)
    kept = keep(figures, options.cache / "figures.json")
    Console(width=200).print(terminal_table(figures))
    write_readme(kept)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        type=lambda text: [_stage(name) for name in text.split(",")],
        default=list(STAGES),
        help=f"comma-separated, of {', '.join(STAGES)}",
    )
    parser.add_argument("--cache", type=Path, default=default_cache(), help="generated input")
    parser.add_argument("--repeats", type=int, default=3, help="of the small stages")
    return parser.parse_args()


def _stage(name: str) -> str:
    if name not in STAGES:
        raise argparse.ArgumentTypeError(f"{name} is no stage; name one of {', '.join(STAGES)}")
    return name


if __name__ == "__main__":
    raise SystemExit(main())
