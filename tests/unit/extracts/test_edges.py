"""Lists between bars: edges are looked for in each file, for a system that writes other exports too."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.extracts.delimited import TextTable, open_delimited
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError

DIALECT = Dialect(delimiters=("|", ";"), edge_delimiters=True, banner_lines=3)
LABELS = {"VBELN", "NETWR"}


def _open(tmp_path: Path, text: str) -> TextTable:
    content = tmp_path / "content"
    content.write_text(text, encoding="utf-8")
    return open_delimited(
        content,
        scratch=tmp_path,
        dialect=DIALECT,
        file="sap/VBRP.txt",
        suffix=".txt",
        known=lambda names: len(LABELS & set(names)),
    )


def _rows(table: TextTable) -> list[tuple[str | None, ...]]:
    names = ", ".join(f"s{index}" for index in range(1, len(table.names) + 1))
    return duckdb.sql(f"select {names} from {table.relation}").fetchall()


def test_edges_are_no_columns(tmp_path: Path) -> None:
    table = _open(tmp_path, "|VBELN|NETWR|\n|1|10,00|\n|2|20,00|\n")
    assert table.names == ("VBELN", "NETWR")
    assert _rows(table) == [("1", "10,00"), ("2", "20,00")]


@pytest.mark.parametrize("sign", ["|", ";"])
def test_a_file_without_edges_is_read_as_it_is(tmp_path: Path, sign: str) -> None:
    lines = [f"VBELN{sign}NETWR", f"1{sign}10,00", f"2{sign}"]
    table = _open(tmp_path, "\n".join(lines) + "\n")
    assert table.names == ("VBELN", "NETWR")
    assert [(a, b or "") for a, b in _rows(table)] == [("1", "10,00"), ("2", "")]
    assert not table.reasons


def test_a_first_column_without_a_name_is_no_edge(tmp_path: Path) -> None:
    table = _open(tmp_path, ";VBELN;NETWR\n;1;10,00\n")
    assert table.names == ("", "VBELN", "NETWR")
    assert [row[1:] for row in _rows(table)] == [("1", "10,00")]


def test_where_the_header_has_edges_each_line_must_have_them(tmp_path: Path) -> None:
    table = _open(tmp_path, "|VBELN|NETWR|\n|1|10,00|\n2|20,00\n")
    assert _rows(table) == [("1", "10,00")]
    assert dict(table.reasons) == {"ragged_line": 1}


def test_a_header_of_another_language_is_refused_in_either_form(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="no known language"):
        _open(tmp_path, "|a|b|\n|1|2|\n")
