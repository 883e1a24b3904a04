"""What systems deliver after the first load: one day, one month again, late credit notes.

Belongs here: the files of each change, and the landing folder that would hold the same truth without
versions. The hand-written scripts read that one, so that results can be compared after a change too.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tests.benchmarks.drawn_rows import invoice_lines
from tests.benchmarks.generate_lines import copy, drawing, landing_folder
from tests.benchmarks.volume import AS_OF, FIRST_DAY, FileFormat, Volume, file_of, lines_of, months

CHANGES = ("day", "month", "late")
NEW_SHARE_OF_A_DAY = 0.8
CHANGED_SHARE_OF_A_MONTH = 0.02
LATE_SHARE_OF_A_MONTH = 0.005
LATE_MONTHS_AGO = 20


@dataclass(frozen=True)
class Delivery:
    """Files of one change: as they are `delivered`, and what they come to (`as_if`); below both `erp/`."""

    delivered: Path
    as_if: Path


def delivery(change: str, volume: Volume, file_format: FileFormat, cache: Path) -> Delivery:
    """The files of a change (a name of CHANGES), made on the first call, each on top of those before it."""
    base = landing_folder(volume, file_format, cache)
    folder = base.parent / change
    if not folder.is_dir():
        part = folder.with_name(f".{change}.part")
        shutil.rmtree(part, ignore_errors=True)
        for kind in ("delivered", "as_if"):
            (part / kind / "erp").mkdir(parents=True)
        make = {"day": _make_day, "month": _make_month, "late": _make_late}[change]
        with drawing(volume, part / "spill") as connection:
            make(connection, volume, file_format, part)
        shutil.rmtree(part / "spill", ignore_errors=True)
        part.rename(folder)
    return Delivery(folder / "delivered", folder / "as_if")


def lay(source: Path, landing: Path) -> None:
    """Puts the files of a folder into the landing folder, over those of the same name, without copying them."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        target = landing / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        os.link(file, target)


def last_month() -> date:
    """The last closed month."""
    return list(months())[-1]


def late_month() -> date:
    """The month that the late credit notes are dated in."""
    return list(months())[-LATE_MONTHS_AGO]


def _make_day(
    connection: duckdb.DuckDBPyConnection, volume: Volume, file_format: FileFormat, part: Path
) -> None:
    """New lines of the last closed day, and corrections of lines of its month."""
    lines = volume.lines // (AS_OF - FIRST_DAY).days
    new = max(round(lines * NEW_SHARE_OF_A_DAY) // 10, 1) * 10
    first, last = lines_of(volume, last_month())
    corrected = (lines - new) / (last - first)
    month = part.parent / "base" / "erp" / file_of(last_month(), file_format)
    last_day = f"date '{AS_OF}' - 1"
    day = part / "delivered" / "erp" / f"invoice_lines_{last_month():%Y_%m}_31.{file_format}"
    fresh = invoice_lines(volume, volume.lines, volume.lines + new, invoice_date=last_day)
    copy(
        connection,
        f"select * from ({fresh}) union all by name ({_changed(month, corrected, 0.9)}"
        f" where {_drawn(corrected)})",
        day,
    )
    copy(
        connection,
        f"select * from '{month}' anti join '{day}' using (invoice_id, line_id)"
        f" union all by name select * from '{day}'",
        part / "as_if" / "erp" / month.name,
    )


def _make_month(
    connection: duckdb.DuckDBPyConnection, volume: Volume, file_format: FileFormat, part: Path
) -> None:
    """The last closed month once more, with some other amounts: the same keys, so that it supersedes."""
    name = file_of(last_month(), file_format)
    month = part.parent / "day" / "as_if" / "erp" / name
    again = part / "delivered" / "erp" / f"{Path(name).stem}_closed.{file_format}"
    copy(connection, _changed(month, CHANGED_SHARE_OF_A_MONTH, 1.1), again)
    os.link(again, part / "as_if" / "erp" / name)


def _make_late(
    connection: duckdb.DuckDBPyConnection, volume: Volume, file_format: FileFormat, part: Path
) -> None:
    """Credit notes of today that are dated in an old month."""
    first, last = lines_of(volume, late_month())
    count = max(round((last - first) * LATE_SHARE_OF_A_MONTH) // 10, 1) * 10
    # behind every number that another delivery uses
    start = 2 * volume.lines
    # one date per document: dates follow the tens
    dated = f"date '{late_month()}' + (n // 10 % 28)::integer"
    late = part / "delivered" / "erp" / f"invoice_lines_{late_month():%Y_%m}_late.{file_format}"
    copy(
        connection,
        invoice_lines(volume, start, start + count, invoice_date=dated, credit_share=1.0),
        late,
    )
    os.link(late, part / "as_if" / "erp" / late.name)


def _changed(month: Path, share: float, factor: float) -> str:
    """The rows of a file, the amounts of the drawn ones by the factor."""
    return (
        "select * replace (case when "
        f"{_drawn(share)} then (net_amount * {factor})::decimal(18, 2) else net_amount end"
        f" as net_amount) from '{month}'"
    )


def _drawn(share: float) -> str:
    return f"uniform(invoice_id || '/' || line_id, 'changed') < {share}"
