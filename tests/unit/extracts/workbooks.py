"""Writes small workbooks cell by cell, as no library would write the faulty ones."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="[h]:mm:ss"/></numFmts><cellXfs count="5">'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="20"/>'
    '<xf numFmtId="164"/></cellXfs></styleSheet>'
)
DATE, TIMESTAMP, TIME, DURATION = 1, 2, 3, 4


def text(value: str) -> str:
    """A cell that holds a text; what follows `<c r=".."`."""
    return f' t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(value: str, style: int = 0) -> str:
    """A cell that holds a number, as written in the XML."""
    return f' s="{style}"><v>{value}</v></c>'


def row(line: int, *cells: str) -> str:
    """A row of cells from column A; an empty string is no cell."""
    xml = "".join(
        f'<c r="{chr(65 + index)}{line}"{cell}' for index, cell in enumerate(cells) if cell
    )
    return f'<row r="{line}">{xml}</row>'


def table(*rows: Sequence[str], first: int = 1) -> str:
    """Rows of texts."""
    return "".join(row(line, *map(text, cells)) for line, cells in enumerate(rows, first))


def write_workbook(
    path: Path, sheets: Mapping[str, str], *, hidden: Sequence[str] = (), extra: str = ""
) -> Path:
    """Sheets by name, each as the XML of its rows."""
    names = list(sheets)
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}"'
        f'{" state=" + quoteattr("hidden") if name in hidden else ""} r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet"'
        f' Target="{"/xl/" if number == 2 else ""}worksheets/sheet{number}.xml"/>'
        for number, _ in enumerate(names, 1)
    )
    styles = f'<Relationship Id="rId99" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="xml"'
        ' ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{related}{styles}'
        "</Relationships>",
        "xl/styles.xml": _STYLES,
    }
    for place, name in enumerate(names, 1):
        parts[f"xl/worksheets/sheet{place}.xml"] = (
            f'{extra}<worksheet xmlns="{_MAIN}"><sheetData>{sheets[name]}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, xml in parts.items():
            archive.writestr(part, f'<?xml version="1.0" encoding="UTF-8"?>{xml}')
    return path
