"""Landing alone: clean CSV against DuckDB's own copy of it, and a French export of the same lines.

Run as a module it is the measured process: `python -m tests.benchmarks.landing --landing DIR --out DIR`.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import duckdb

from dagster_project.lib.landing import land_everything
from dagster_project.settings import load_settings
from tests.benchmarks.figures import Run
from tests.benchmarks.measuring import StageError, apart
from tests.benchmarks.scale import Site
from tests.benchmarks.volume import MILLION, Volume
from tests.benchmarks.workshop import Workshop

FRENCH = ("--profile", "erp=french_csv")
STREAM_BYTES = 5_000_000_000
CHUNK = 4 * 1024 * 1024
COPY = (
    "import duckdb, pathlib, sys\n"
    "connection = duckdb.connect(config={'memory_limit': '1GB'})\n"
    "for path in sorted(pathlib.Path(sys.argv[1]).glob('invoice_lines*.csv')):\n"
    "    connection.execute(f\"copy (select * from read_csv('{path}', all_varchar=true)) \"\n"
    "                       f\"to '{sys.argv[2]}/{path.stem}.parquet' (format parquet)\")\n"
)


def landing_stage(volume: Volume) -> Callable[[Workshop], None]:
    """The readers at one size: clean UTF-8, the same a second time, cp1252 with decimal commas."""

    def stage(shop: Workshop) -> None:
        site, title = Site(shop, volume, "csv"), f"{volume.lines // MILLION}m/csv"
        lines = shop.fresh("lines")
        (lines / "erp").mkdir(parents=True)
        for path in sorted((site.base / "erp").glob("invoice_lines*.csv")):
            (lines / "erp" / path.name).hardlink_to(path)
        copied, out = shop.fresh("copied"), shop.fresh("landed")
        copied.mkdir()
        name = f"{title}/DuckDB's copy"
        shop.book.add(
            Run(name, shop.run(name, sys.executable, "-c", COPY, lines / "erp", copied)),
            _landed(shop, lines, out, name=f"{title}/landed", rows=volume.lines),
            _landed(shop, lines, out, name=f"{title}/landed before", rows=volume.lines),
        )
        french = shop.fresh("french")
        apart(write_french, lines / "erp", french / "erp")
        run = _landed(
            shop,
            french,
            shop.fresh("landed_french"),
            *FRENCH,
            name=f"{title}/landed, cp1252 with decimal commas",
            rows=volume.lines,
        )
        shop.book.add(run)

    return stage


def stream_stage(volume: Volume) -> Callable[[Workshop], None]:
    """One file of 5 GB in the slower of the two dialects."""

    def stage(shop: Workshop) -> None:
        folder = shop.fresh("stream")
        site = Site(shop, volume, "csv")
        apart(write_stream, site.base / "erp", folder / "erp" / "invoice_lines.csv", STREAM_BYTES)
        name = "5gb/landed, one file in cp1252 with decimal commas"
        shop.book.add(_landed(shop, folder, shop.fresh("landed"), *FRENCH, name=name))

    return stage


def _landed(
    shop: Workshop, landing: Path, out: Path, *flags: str, name: str, rows: int | None = None
) -> Run:
    command = (sys.executable, "-m", "tests.benchmarks.landing", "--landing", landing, "--out", out)
    measured = shop.run(name, *command, *flags, writes=out)
    printed = shop.log_of(name).read_text(encoding="utf-8")
    if f"{'' if rows is None else rows} rows, 0 rejected" not in printed:
        raise StageError(f"{name}: not all lines were landed:\n{printed[-2000:]}")
    return Run(name, measured)


def write_french(folder: Path, target: Path) -> None:
    """The files of a folder as a French ERP writes them: cp1252, semicolons, decimal commas, dd/mm/yyyy."""
    target.mkdir(parents=True)
    for path in sorted(folder.glob("invoice_lines*.csv")):
        with (target / path.name).open("wb") as written:
            _append_french(path, written)


def write_stream(folder: Path, target: Path, size: int) -> None:
    """One French file of at least `size` bytes: the folder's lines again and again, under other numbers."""
    target.parent.mkdir(parents=True)
    sources = sorted(folder.glob("invoice_lines*.csv"))
    with target.open("wb") as written:
        for number in itertools.count():
            for path in sources:
                _append_french(path, written, number=number)
                if written.tell() >= size:
                    return


def _append_french(path: Path, written: BinaryIO, *, number: int = 0) -> None:
    part = Path(f"{written.name}.part")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (invoice_id || '-{number}' as invoice_id,"
            " strftime(invoice_date::date, '%d/%m/%Y') as invoice_date,"
            " replace(net_amount, '.', ',') as net_amount, replace(cost_amount, '.', ',') as cost_amount),"
            " 'Région Rhône' as unite_commerciale"
            f" from read_csv('{path}', all_varchar = true)) to '{part}'"
            f" (format csv, delimiter ';', header {written.tell() == 0})"
        )
    with part.open(encoding="utf-8", newline="") as text:
        while chunk := text.read(CHUNK):
            written.write(chunk.encode("cp1252"))
    part.unlink()


def main() -> None:
    """Lands a folder and says how many rows there were."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", default="")
    given = parser.parse_args()
    system, _, profile = given.profile.partition("=")
    flags = {
        "landing": given.landing,
        "out": given.out,
        "profiles": {system: profile} if profile else {},
    }
    scratch = given.out / "scratch"
    report = land_everything(load_settings(None, flags, environment={}), scratch=scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    sys.stdout.write(f"{report.rows_read} rows, {report.rows_rejected} rejected\n")


if __name__ == "__main__":
    main()
