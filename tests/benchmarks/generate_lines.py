"""Makes invoice lines by the million, with the accounts, customers and rates that they need.

Belongs here: input of the benchmarks in the layout of the profile `generic`. Bad rows,
duplicates and ambiguous companies are the demo company's; here volume counts. Lines come as systems deliver
them, one file per month, drawn month by month so that memory does not grow with the volume. What is
delivered later on is made by `deliveries.py`.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from tests.benchmarks import drawn_rows
from tests.benchmarks.volume import (
    DEFAULT_SEED,
    MILLION,
    FileFormat,
    Volume,
    file_of,
    lines_of,
    months,
)

MEMORY_LIMIT = "1GB"
# Part of the folder's name: another way of drawing makes other folders.
EDITION = "v2"

log = logging.getLogger(__name__)


def default_cache() -> Path:
    """The folder of generated input where none is named."""
    return Path(tempfile.gettempdir()) / "account-tiering-benchmarks"


def landing_folder(volume: Volume, file_format: FileFormat, cache: Path) -> Path:
    """The landing folder of this volume and format, made on the first call.

    Args:
        volume: how many lines.
        file_format: of the invoice lines; the small extracts are CSV beside both.
        cache: folder of all generated input.
    """
    folder = cache / f"lines_{volume.lines}_{volume.seed}_{file_format}_{EDITION}"
    if not folder.is_dir():
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _generate(volume, file_format, part / "base")
        part.rename(folder)
    return folder / "base"


@contextmanager
def drawing(volume: Volume, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the macros that draw for this seed."""
    settings = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    with duckdb.connect(config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        drawn_rows.create_macros(connection, volume.seed)
        yield connection


def copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Writes the rows as Parquet or CSV, as the name says."""
    file_format = "parquet" if target.suffix == ".parquet" else "csv, header"
    connection.execute(f"copy ({query}) to '{target}' (format {file_format})")


def _generate(volume: Volume, file_format: FileFormat, landing: Path) -> None:
    log.info("generating %d invoice lines as %s", volume.lines, file_format)
    for system in ("crm", "erp"):
        (landing / system).mkdir(parents=True)
    with drawing(volume, landing.parent / "spill") as drawn:
        copy(drawn, drawn_rows.accounts(volume), landing / "crm" / "accounts.csv")
        copy(drawn, drawn_rows.customers(volume), landing / "erp" / "customers.csv")
        copy(drawn, drawn_rows.exchange_rates(), landing / "erp" / "exchange_rates.csv")

        def draw(month: date) -> None:
            query = drawn_rows.invoice_lines(volume, *lines_of(volume, month))
            copy(drawn.cursor(), query, landing / "erp" / file_of(month, file_format))

        # DuckDB counts a range in one thread, so that months go side by side
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(draw, months()))
    shutil.rmtree(landing.parent / "spill", ignore_errors=True)


def main() -> None:
    """Makes one landing folder and logs where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=MILLION)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--cache", type=Path, default=default_cache())
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    volume = Volume(lines=options.lines, seed=options.seed)
    log.info("%s", landing_folder(volume, options.format, options.cache))


if __name__ == "__main__":
    main()
