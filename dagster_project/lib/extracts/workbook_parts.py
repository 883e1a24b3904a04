"""What a workbook's own XML says and its readers do not: sheets, their extent, cells at fault.

Calamine gives an empty text for an error, for a formula that was never computed, and fifteen to
seventeen digits of a longer number; pandas hands on what calamine gives.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.parsers import expat

from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.gzip_files import refuse_bomb
from dagster_project.lib.extracts.limits import (
    CHUNK_BYTES,
    MAX_SHEET_CELLS,
    MAX_WORKBOOK_BYTES,
    MIB,
)
from dagster_project.lib.extracts.zip_files import READ_METHODS

# A binary float keeps fifteen digits for sure.
_SURE_DIGITS = 15
_MAX_FORMULA_CHARACTERS = 200
# Excel's own
_MAX_ROWS = 1_048_576
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_READ_WHOLE = ("xl/sharedStrings.xml", "xl/styles.xml")
_OLE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Sheet:
    """A worksheet: its name, its part of the archive, whether a person sees it."""

    name: str
    part: str
    is_hidden: bool


@dataclass
class CellFaults:
    """What one sheet's cells hold; places are (row, column), both from 1.

    Attributes:
        rows: last row that has a value.
        columns: last column that has a value.
        first_row: first row that has a value.
        errors: text of the cells that hold an error, e.g. `#N/A`.
        formulas: formulas that have no stored value.
        long_numbers: whole numbers of more digits than a float keeps.
    """

    rows: int = 0
    columns: int = 0
    first_row: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    long_numbers: dict[tuple[int, int], str] = field(default_factory=dict)


def sheets_of(content: Path, *, file: str) -> list[Sheet]:
    """The workbook's worksheets in their order.

    Raises:
        ExtractError: no workbook of Office Open XML, a damaged one, or a decompression bomb.
    """
    _refuse_other(content, file)
    with _opened(content, file) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" not in names:
            raise ExtractError(
                file,
                "the file is a zip archive, but no Excel workbook (.xlsx)",
                remedy="Save it in Excel as 'Excel Workbook (*.xlsx)', or name it .zip.",
            )
        _refuse_size(archive, content, file)
        targets: dict[str, str] = {}
        found: list[tuple[str, str, bool]] = []

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                is_hidden = attributes.get("state", "visible") != "visible"
                found.append((attributes.get("name", ""), attributes.get("id", ""), is_hidden))

        if "xl/_rels/workbook.xml.rels" in names:
            _parse(archive, "xl/_rels/workbook.xml.rels", file, start=relation)
        _parse(archive, "xl/workbook.xml", file, start=sheet)
    parts = {key: _part(target) for key, target in targets.items()}
    return [
        Sheet(name, parts[key], is_hidden)
        for name, key, is_hidden in found
        if parts.get(key, "") in names and "chartsheets/" not in parts[key]
    ]


def look_at_cells(content: Path, sheet: Sheet, *, file: str) -> CellFaults:
    """Reads the sheet's XML once, in bounded memory.

    Raises:
        ExtractError: the part is damaged, or the sheet spans more cells than the limit.
    """
    looker = _CellLooker(file, sheet.name)
    with _opened(content, file) as archive:
        _parse(
            archive, sheet.part, file, start=looker.start, end=looker.end, text=looker.characters
        )
    return looker.faults


class _CellLooker:
    """Takes the parser's events; a cell is settled when it ends."""

    def __init__(self, file: str, sheet: str) -> None:
        self.faults = CellFaults()
        self._file, self._sheet = file, sheet
        self._row = self._column = 0
        self._kind = ""
        self._has_formula = self._has_value = False
        self._formula: list[str] = []
        self._value: list[str] = []
        self._taking: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "c":
                self._begin_cell(attributes)
            case "v":
                self._has_value = True
                self._taking = self._value
            case "f":
                self._has_formula = True
                self._taking = self._formula
            case "is":
                self._has_value = True
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0

    def characters(self, text: str) -> None:
        if self._taking is not None:
            self._taking.append(text)

    def end(self, name: str) -> None:
        if name in ("v", "f"):
            self._taking = None
        elif name == "c":
            self._end_cell()

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._kind = attributes.get("t", "n")
        self._has_formula = self._has_value = False
        self._formula, self._value = [], []
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        if found is None:
            self._column += 1
            return
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        self._column, self._row = column, int(found[2])
        if self._row > _MAX_ROWS:
            raise ValueError("no sheet has this row")

    def _end_cell(self) -> None:
        place = (self._row, self._column)
        value = "".join(self._value)
        faults = self.faults
        if self._has_formula and not value and not (self._kind == "str" and self._has_value):
            faults.formulas[place] = "=" + "".join(self._formula)[:_MAX_FORMULA_CHARACTERS]
        elif not self._has_value:
            return
        elif self._kind == "e":
            faults.errors[place] = value
        elif self._kind == "n" and len(value) > _SURE_DIGITS and value.lstrip("-").isdigit():
            faults.long_numbers[place] = value
        faults.rows = max(faults.rows, self._row)
        faults.columns = max(faults.columns, self._column)
        faults.first_row = faults.first_row or self._row
        if faults.rows * faults.columns > MAX_SHEET_CELLS:
            raise ExtractError(
                self._file,
                f"the sheet {self._sheet} spans more than {MAX_SHEET_CELLS:,} cells"
                f" ({faults.rows:,} rows of {faults.columns:,} columns)",
                remedy="Export it as CSV in UTF-8, or remove what stands far from the table.",
            )


def _refuse_other(content: Path, file: str) -> None:
    with content.open("rb") as stream:
        head = stream.read(4)
    if head == _OLE:
        raise ExtractError(
            file,
            "the workbook is protected by a password, or is an old one (.xls)",
            remedy="Save it in Excel as 'Excel Workbook (*.xlsx)' without a password.",
        )
    if not head.startswith(b"PK"):
        raise ExtractError(
            file,
            "the file is no Excel workbook",
            remedy="Save it in Excel as 'Excel Workbook (*.xlsx)', or name it by what it is.",
        )


def _refuse_size(archive: zipfile.ZipFile, content: Path, file: str) -> None:
    size = sum(info.file_size for info in archive.infolist())
    refuse_bomb(size, content.stat().st_size, file=file)
    if size > MAX_WORKBOOK_BYTES:
        raise ExtractError(
            file,
            f"the unpacked workbook passes the limit of {MAX_WORKBOOK_BYTES // MIB} MiB",
            remedy="Export it as CSV in UTF-8, or in parts.",
        )
    # a part that is larger than it says fails here, before a reader takes it whole
    for part in _READ_WHOLE:
        if part in archive.namelist():
            _parse(archive, part, file, start=lambda *_: None)


def _opened(content: Path, file: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(content)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise damaged(file, error) from error


def _part(target: str) -> str:
    """A part's name in the archive: targets are relative to xl/, or begin with a slash."""
    if target.startswith("/"):
        return target[1:]
    parts: list[str] = ["xl"]
    for step in PurePosixPath(target).parts:
        if step == "..":
            parts = parts[:-1]
        else:
            parts.append(step)
    return "/".join(parts)


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    file: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Runs the part through expat; names come without their namespaces."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: start(
        _local(name), {_local(key): value for key, value in attributes.items()}
    )
    if end is not None:
        parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    try:
        if archive.getinfo(part).compress_type not in READ_METHODS:
            raise NotImplementedError
        with archive.open(part) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except (zipfile.BadZipFile, EOFError, zlib.error, expat.ExpatError) as error:
        raise damaged(file, error) from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise damaged(file, error) from error


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("a document type is no part of a workbook")


def damaged(file: str, error: Exception) -> ExtractError:
    """The error of a workbook that cannot be read."""
    return ExtractError(
        file,
        f"the workbook is damaged or cut short ({type(error).__name__})",
        remedy="Copy or save the workbook again; the transfer may have been interrupted.",
    )
