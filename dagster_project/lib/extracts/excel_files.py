"""A sheet of an Excel workbook as a relation of text columns; pandas reads it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from dagster_project.lib.extracts.csv_header import Known
from dagster_project.lib.extracts.delimited import TextTable
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.furniture import Furniture
from dagster_project.lib.extracts.limits import (
    MAX_COLUMNS,
    MAX_FIELD_CHARACTERS,
    MAX_RAW_TEXT_CHARACTERS,
)
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.workbook_parts import (
    CellFaults,
    Sheet,
    damaged,
    look_at_cells,
    sheets_of,
)

# Rows are turned into text in groups, so that the texts of a large sheet never stand beside its cells.
_ROWS_PER_GROUP = 50_000

Row = list[str]


@dataclass(frozen=True)
class _FoundSheet:
    """The sheet that is read; `row` is the header's, from 1; `banner` rows with values before it."""

    sheet: Sheet
    faults: CellFaults
    names: tuple[str, ...]
    row: int
    banner: int
    known: int


@dataclass
class _Written:
    rows: int = 0
    lines_skipped: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def open_workbook(
    content: Path,
    *,
    scratch: Path,
    dialect: Dialect,
    file: str,
    known: Known,
    sheet: str | None = None,
    wanted: Sequence[str] = (),
) -> TextTable:
    """Finds the sheet and its header, and writes the rows as text.

    Texts stay as they are. Whole numbers have no decimals, others the dialect's decimal mark; dates and
    timestamps are ISO 8601, whatever the dialect says (`has_native_values`); booleans are true and false.
    The line of a row is its row in the sheet.

    Args:
        content: the .xlsx file.
        scratch: folder for the copy of this file alone.
        dialect: the profile's; encodings and delimiters do not matter.
        file: the name for errors.
        known: how many of a row's texts are column labels of the layout, 0 = it is no header.
        sheet: the sheet's name; None = the visible sheet with the most known labels.
        wanted: names of columns that must be there, for the remedy of a header that is not found.

    Raises:
        ExtractError: no workbook, no such sheet, no header, or too large.
    """
    found = _find(content, dialect, file=file, known=known, sheet=sheet, wanted=wanted)
    if len(found.names) > MAX_COLUMNS:
        raise ExtractError(
            file,
            f"the sheet {found.sheet.name} has {len(found.names)} columns,"
            f" the limit is {MAX_COLUMNS}",
            remedy="Remove the columns that the entity does not need.",
        )
    rows = _read(content, found.sheet, file=file, rows=None)
    # calamine ends where the values end; formulas without one may follow
    rows += [[] for _ in range(found.faults.rows - len(rows))]
    target, rejects = scratch / "sheet.parquet", scratch / "rejected_lines.json"
    writer = _Writer(found, dialect, known=known)
    written = writer.write(rows, target, rejects)
    return TextTable(
        relation=f"read_parquet({literal(target)})",
        names=found.names,
        has_line=True,
        line_offset=found.row + 1,
        rows=written.rows,
        is_careful=True,
        rejects=rejects if written.reasons else None,
        reasons=written.reasons,
        lines_skipped=written.lines_skipped + found.banner,
        encoding="utf-8",
        dialect=f"xlsx, sheet {found.sheet.name}",
        has_native_values=True,
    )


def _find(
    content: Path,
    dialect: Dialect,
    *,
    file: str,
    known: Known,
    sheet: str | None,
    wanted: Sequence[str],
) -> _FoundSheet:
    sheets = sheets_of(content, file=file)
    candidates = [
        candidate
        for candidate in sheets
        if (sheet is None and not candidate.is_hidden) or _same(candidate.name, sheet)
    ]
    if not candidates:
        names = ", ".join(candidate.name for candidate in sheets) or "none"
        problem = f"the workbook has no sheet {sheet}" if sheet else "every sheet is hidden"
        raise ExtractError(
            file, problem, remedy=f"Its sheets are: {names}. Show or rename the one to read."
        )
    found = [
        header
        for candidate in candidates
        if (header := _header_of(content, candidate, dialect, file=file, known=known))
    ]
    if not found:
        raise ExtractError(
            file, "the workbook is empty", remedy="Export it again, with its header row."
        )
    best = max(found, key=lambda header: header.known)
    if not best.known:
        raise _no_header(best, dialect, file=file, wanted=wanted)
    return best


def _same(name: str, other: str | None) -> bool:
    """Excel itself tells no sheets apart by case."""
    return other is not None and name.strip().casefold() == other.strip().casefold()


def _header_of(
    content: Path, sheet: Sheet, dialect: Dialect, *, file: str, known: Known
) -> _FoundSheet | None:
    """The row with the most known labels among the first rows that have values."""
    faults = look_at_cells(content, sheet, file=file)
    if not faults.rows:
        return None
    # empty rows may stand between the lines of a banner
    last = faults.first_row + 2 * dialect.banner_lines
    rows = _read(content, sheet, file=file, rows=last)
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    best: _FoundSheet | None = None
    for banner, (number, cells) in enumerate(filled[: dialect.banner_lines + 1]):
        texts = [_text(cell, dialect) for cell in cells]
        names = tuple(texts + [""] * (faults.columns - len(texts)))[: faults.columns]
        count = known(names)
        if best is None or count > best.known:
            best = _FoundSheet(sheet, faults, names, number, banner, count)
    return best


def _no_header(
    found: _FoundSheet, dialect: Dialect, *, file: str, wanted: Sequence[str]
) -> ExtractError:
    place = "first row"
    if dialect.banner_lines:
        place = f"first {dialect.banner_lines + 1} rows"
    names = f", {', '.join(wanted)} among them" if wanted else ""
    return ExtractError(
        file,
        "the header is in no known language: no row at the top of a visible sheet holds a column"
        " that the profile knows",
        remedy=f"The {place} of a sheet must hold the column names{names}.",
    )


def _read(content: Path, sheet: Sheet, *, file: str, rows: int | None) -> list[list[Any]]:
    # pandas takes half a second to import, which files of text need not pay
    import pandas as pd

    try:
        with pd.ExcelFile(content, engine="calamine") as book:
            frame = pd.read_excel(
                book,
                sheet_name=sheet.name,
                header=None,
                nrows=rows,
                dtype=object,
                keep_default_na=False,
                na_filter=False,
            )
    except Exception as error:  # calamine's errors have no common base
        raise damaged(file, error) from error
    columns = [frame[name].tolist() for name in frame.columns]
    return list(map(list, zip(*columns, strict=True)))


class _Writer:
    """Writes a sheet's rows as text, and sets apart those whose cells have no value to read."""

    def __init__(self, found: _FoundSheet, dialect: Dialect, *, known: Known) -> None:
        self._found, self._dialect = found, dialect
        self._furniture = Furniture(dialect.skip_lines, dialect.footer_lines)
        self._separator = dialect.delimiters[0]
        self._known = [known([name]) > 0 for name in found.names]
        self._faulty: dict[int, list[tuple[int, str, str]]] = {}
        for (row, column), text in found.faults.errors.items():
            self._faulty.setdefault(row, []).append((column, "cell_error", text))
        for (row, column), text in found.faults.formulas.items():
            # beside the table, or in a column that nobody reads, it costs no row
            if self._known[column - 1]:
                found_here = self._faulty.setdefault(row, [])
                found_here.append((column, "formula_without_value", text))
        self._long: dict[int, list[tuple[int, str]]] = {}
        for (row, column), text in found.faults.long_numbers.items():
            self._long.setdefault(row, []).append((column, text))
        self._has_ended = False

    def write(self, rows: list[list[Any]], target: Path, rejects: Path) -> _Written:
        """Takes all rows of the sheet, the header among them."""
        written = _Written()
        names = [f"s{index}" for index in range(len(self._found.names) + 1)]
        # pyarrow takes 0.2 s to import, and only workbooks need it here
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.string()) for name in names])
        with (
            pq.ParquetWriter(target, schema) as parquet,
            rejects.open("w", encoding="ascii") as rejected,
        ):
            for first in range(
                self._found.row, max(len(rows), self._found.row + 1), _ROWS_PER_GROUP
            ):
                group = self._good_rows(
                    rows[first : first + _ROWS_PER_GROUP], first, written, rejected
                )
                columns = zip(*group, strict=True) if group else ([] for _ in names)
                arrays = [pa.array(list(column), pa.string()) for column in columns]
                parquet.write_table(pa.table(arrays, schema=schema))
        return written

    def _good_rows(
        self, rows: list[list[Any]], first: int, written: _Written, rejected: Any
    ) -> list[list[str | None]]:
        good: list[list[str | None]] = []
        for number, cells in enumerate(rows, first + 1):
            texts = self._texts(number, cells)
            if not any(map(str.strip, texts)):
                continue
            if self._is_furniture(texts):
                written.lines_skipped += 1
                continue
            rule = self._fault(number, texts)
            if rule is None:
                good.append([str(number), *(text or None for text in texts)])
                continue
            written.reasons[rule] += 1
            line = "\t".join(texts)[:MAX_RAW_TEXT_CHARACTERS]
            row = {"line_number": number, "rule": rule, "raw_line": line}
            rejected.write(json.dumps(row) + "\n")
        written.rows += len(good)
        return good

    def _texts(self, number: int, cells: list[Any]) -> Row:
        texts = [_text(cell, self._dialect) for cell in cells]
        width = len(self._found.names)
        texts = texts[:width] + [""] * (width - len(texts))
        for column, text in self._long.get(number, ()):
            texts[column - 1] = text
        for column, _, text in self._faulty.get(number, ()):
            texts[column - 1] = text
        return texts

    def _fault(self, number: int, texts: Row) -> str | None:
        if self._has_ended:
            return "ragged_line"
        for column, rule, _ in sorted(self._faulty.get(number, ())):
            if self._known[column - 1]:
                return rule
        if any(len(text) > MAX_FIELD_CHARACTERS for text in texts):
            return "field_too_long"
        return None

    def _is_furniture(self, texts: Row) -> bool:
        if self._dialect.repeated_headers and tuple(texts) == self._found.names:
            return True
        if self._furniture.is_empty:
            return False
        line = self._separator.join(texts).encode()
        if self._furniture.is_footer(line):
            self._has_ended = True
            return True
        return self._furniture.is_skipped(line)


def _text(value: Any, dialect: Dialect) -> str:
    """A cell as text."""
    kind = type(value)
    if kind is str:
        return _line_breaks(value) if "\r" in value or "_x" in value else str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return _signed(str(value), dialect)
    if kind is float:
        return _signed(format(Decimal(repr(value)), "f").replace(".", dialect.decimal), dialect)
    return _TEXTS_OF_TIMES[kind](value) if kind in _TEXTS_OF_TIMES else str(value)


def _line_breaks(text: str) -> str:
    return text.replace("_x000D_", "\r").replace("\r\n", "\n").replace("\r", "\n")


def _signed(text: str, dialect: Dialect) -> str:
    """A negative number as the dialect marks it."""
    if not text.startswith("-") or "leading" in dialect.negatives:
        return text
    return f"{text[1:]}-" if "trailing" in dialect.negatives else f"({text[1:]})"


def _moment(value: dt.datetime) -> str:
    if value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat(sep=" ", timespec="auto")


def _duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign = "-" if seconds < 0 else ""
    minutes, second = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


_TEXTS_OF_TIMES: dict[type, Callable[[Any], str]] = {
    dt.datetime: _moment,
    dt.date: dt.date.isoformat,
    dt.time: lambda value: value.isoformat(timespec="seconds"),
    dt.timedelta: _duration,
}
