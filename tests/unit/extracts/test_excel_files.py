"""Workbooks: which sheet, which row is the header, what each kind of cell becomes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.extracts import workbook_parts
from dagster_project.lib.extracts.delimited import TextTable
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.excel_files import open_workbook
from tests.unit.extracts.workbooks import (
    DATE,
    DURATION,
    TIME,
    TIMESTAMP,
    number,
    row,
    table,
    text,
    write_workbook,
)

HEADER = ("code", "nom", "montant")
NO_VALUE = "><f>B1*2</f><v></v></c>"


def known(names: Sequence[str]) -> int:
    return sum(name.strip().lower() in HEADER for name in names)


def opened(
    path: Path, dialect: Dialect | None = None, *, sheet: str | None = None
) -> tuple[TextTable, list[tuple[Any, ...]]]:
    found = open_workbook(
        path, scratch=path.parent, dialect=dialect or Dialect(), file="erp/x.xlsx", known=known,
        sheet=sheet, wanted=["code"],
    )  # fmt: skip
    rows = duckdb.execute(f"select * from {found.relation}").fetchall()
    assert len(rows) == found.rows
    return found, rows


def rejects(found: TextTable) -> list[tuple[int, str, str]]:
    assert found.rejects is not None
    lines = [json.loads(line) for line in found.rejects.read_text().splitlines()]
    return [(line["line_number"], line["rule"], line["raw_line"]) for line in lines]


def one(folder: Path, *cells: str, dialect: Dialect | None = None) -> list[Any]:
    """The texts of cells, each in a row of its own below the header."""
    rows = "".join(row(line, text("x"), cell) for line, cell in enumerate(cells, 2))
    path = write_workbook(folder / "content", {"S": table(HEADER) + rows})
    return [found[2] for found in opened(path, dialect)[1]]


def test_each_kind_of_cell_becomes_exact_text(tmp_path: Path) -> None:
    cells = {
        text("00123"): "00123",
        text(" NA "): " NA ",
        text("a_x000D_\nb"): "a\nb",
        number("45296"): "45296",
        number("1E+16"): "10000000000000000",
        number("123456789012345678"): "123456789012345678",
        number("0.0000001"): "0.0000001",
        number("-1234.56"): "-1234.56",
        number("45296", DATE): "2024-01-05",
        number("45296.573", TIMESTAMP): "2024-01-05 13:45:07.200000",
        number("0.5", TIME): "12:00:00",
        number("1.5", DURATION): "36:00:00",
        ' t="b"><v>1</v></c>': "true",
        ' t="b"><v>0</v></c>': "false",
        ' t="str"><f>IF(A1,"")</f><v></v></c>': None,
        ' t="str"><f>A1</f><v>x</v></c>': "x",
        "><f>1+1</f><v>2</v></c>": "2",
        "": None,
    }
    assert one(tmp_path, *cells) == list(cells.values())


def test_numbers_take_the_marks_of_the_dialect_so_that_no_dot_is_read_as_thousands(
    tmp_path: Path,
) -> None:
    dialect = Dialect(decimal=",", thousands=(".",), negatives=("trailing",))
    cells = (number("1.234"), number("-2.5"), number("-7"))
    assert one(tmp_path, *cells, dialect=dialect) == ["1,234", "2,5-", "7-"]
    brackets = Dialect(negatives=("brackets",))
    assert one(tmp_path, number("-2.5"), dialect=brackets) == ["(2.5)"]


def test_the_table_says_where_rows_stand_and_that_values_are_native(tmp_path: Path) -> None:
    sheet = table(HEADER, first=3) + row(5, text("1"), text("Ann"), number("2")) + row(
        7, text("2"), "", "", "", text("note")
    )  # fmt: skip
    found, rows = opened(write_workbook(tmp_path / "content", {"Ventes": sheet}))
    assert rows == [("5", "1", "Ann", "2", None, None), ("7", "2", None, None, None, "note")]
    assert (found.names, found.has_line) == ((*HEADER, "", ""), True)
    assert (found.has_native_values, found.is_careful, found.line_offset) == (True, True, 4)
    assert (found.encoding, found.dialect) == ("utf-8", "xlsx, sheet Ventes")


def test_the_visible_sheet_with_most_known_labels_is_read(tmp_path: Path) -> None:
    sheets = {
        "Notice": table(("nom",), ("x",)),
        "Données": table(HEADER, ("1", "b", "c")),
        "Caché": table(HEADER, ("2", "b", "c")),
    }
    path = write_workbook(tmp_path / "content", sheets, hidden=["Caché"])
    assert opened(path)[1] == [("2", "1", "b", "c")]
    assert opened(path, sheet="caché ")[1] == [("2", "2", "b", "c")]
    with pytest.raises(ExtractError, match="has no sheet Other\nIts sheets are: Notice, Données"):
        opened(path, sheet="Other")
    hidden = write_workbook(tmp_path / "content", {"A": table(HEADER)}, hidden=["A"])
    with pytest.raises(ExtractError, match="every sheet is hidden\nIts sheets are: A"):
        opened(hidden)


def test_banner_furniture_and_repeated_headers_are_skipped(tmp_path: Path) -> None:
    dialect = Dialect(
        banner_lines=3, repeated_headers=True, skip_lines=("^Page",), footer_lines=("^Total,",)
    )
    sheet = table(("Société X",), ("nom",), first=2) + table(
        HEADER, ("1", "a", "2"), ("Page 2",), HEADER, ("2", "b", "3"), ("Total", "", "5"), ("3",),
        first=6,
    )  # fmt: skip
    found, rows = opened(write_workbook(tmp_path / "content", {"S": sheet}), dialect)
    assert rows == [("7", "1", "a", "2"), ("10", "2", "b", "3")]
    assert found.lines_skipped == 5
    assert rejects(found) == [(12, "ragged_line", "3\t\t")]


def test_errors_and_formulas_without_value_reject_their_rows(tmp_path: Path) -> None:
    sheet = (
        row(1, text("code"), text("nom"), text("montant"), text("help"))
        + row(2, text("1"), text("a"), ' t="e"><v>#N/A</v></c>')
        + row(3, text("2"), text("b"), NO_VALUE)
        + row(4, text("3"), text("c"), number("1"), NO_VALUE)
        + row(5, text("4"), text("d"), number("1"), ' t="e"><v>#REF!</v></c>')
        + row(6, "", "", "", NO_VALUE)
        + row(7, "><f>B7</f></c>")
    )
    found, rows = opened(write_workbook(tmp_path / "content", {"S": sheet}))
    assert rejects(found) == [
        (2, "cell_error", "1\ta\t#N/A\t"),
        (3, "formula_without_value", "2\tb\t=B1*2\t"),
        (7, "formula_without_value", "=B7\t\t\t"),
    ]
    assert rows == [("4", "3", "c", "1", None), ("5", "4", "d", "1", "#REF!")]
    assert found.reasons == {"cell_error": 1, "formula_without_value": 2}


def test_rows_whose_cells_are_all_empty_are_no_rows(tmp_path: Path) -> None:
    sheet = table(HEADER, ("", " ", ""), ("1", "a", "b")) + row(9, number("", DATE))
    assert opened(write_workbook(tmp_path / "content", {"S": sheet}))[1] == [("3", "1", "a", "b")]
    assert opened(write_workbook(tmp_path / "content", {"S": table(HEADER)}))[1] == []


def test_a_sheet_that_spans_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = table(HEADER) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = write_workbook(tmp_path / "content", {"S": far})
    with pytest.raises(ExtractError) as caught:
        opened(path)
    assert "the sheet S spans more than 10,000,000 cells (1,048,576 rows of 16,384 columns)" in str(
        caught.value
    )
    monkeypatch.setattr(workbook_parts, "MAX_SHEET_CELLS", 5)
    with pytest.raises(ExtractError, match="spans more than 5 cells"):
        opened(write_workbook(tmp_path / "content", {"S": table(HEADER, HEADER)}))


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_workbook(tmp_path / "content", {"S": table(HEADER)})
    monkeypatch.setattr(workbook_parts, "MAX_WORKBOOK_BYTES", 1_000)
    with pytest.raises(ExtractError, match="the unpacked workbook passes the limit of 0 MiB"):
        opened(path)
    monkeypatch.undo()
    lying = tmp_path / "lying"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(lying, "w", 8) as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info))
        archive.writestr("xl/sharedStrings.xml", b" " * 10_000_000)
    content = lying.read_bytes()
    size = (10_000_000).to_bytes(4, "little")
    lying.write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(ExtractError, match=r"damaged or cut short \(BadZipFile\)"):
        opened(lying)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"code;nom\n", ["the file is no Excel workbook", "Save it in Excel as"]),
        (b"\xd0\xcf\x11\xe0" * 9, ["protected by a password, or is an old one (.xls)"]),
        (b"PK\x03\x04" + b"\0" * 50, ["the workbook is damaged or cut short (BadZipFile)"]),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, texts: list[str]) -> None:
    (tmp_path / "content").write_bytes(content)
    with pytest.raises(ExtractError) as caught:
        opened(tmp_path / "content")
    assert str(caught.value).startswith("erp/x.xlsx: ")
    for part in texts:
        assert part in str(caught.value)


def test_a_zip_that_is_no_workbook_and_a_document_type_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "content"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x")
    with pytest.raises(ExtractError, match="is a zip archive, but no Excel workbook"):
        opened(path)
    write_workbook(path, {"S": table(HEADER)}, extra='<!DOCTYPE x [<!ENTITY a "b">]>')
    with pytest.raises(ExtractError, match="the workbook is damaged or cut short"):
        opened(path)


def test_a_workbook_without_header_or_values_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "content", {"S": table(("a", "b"), HEADER)})
    with pytest.raises(ExtractError) as caught:
        opened(path)
    assert "header is in no known language" in str(caught.value)
    assert "The first row of a sheet must hold the column names, code among them." in str(
        caught.value
    )
    with pytest.raises(ExtractError, match="the workbook is empty"):
        opened(write_workbook(path, {"S": ""}))
