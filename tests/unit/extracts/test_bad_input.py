"""The table "What bad input gets" of the specification, row by row."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from dagster_project.lib.extracts import delimited, gzip_files, records
from dagster_project.lib.extracts import land as land_module
from dagster_project.lib.extracts.connection import Database
from dagster_project.lib.extracts.discover import find_deliveries
from dagster_project.lib.extracts.errors import ExtractError, FileChangedError
from dagster_project.lib.extracts.land import Means, land

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder

HEADER = "user_id,user_name,is_active\n"


def structural(landed_rejects: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    assert all(row[1] is None and row[2] is None for row in landed_rejects)
    return [(row[0], row[3], row[4]) for row in landed_rejects]


def test_a_value_that_does_not_parse_rejects_its_row(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", HEADER + "1,Ann,true\n2,Bob,perhaps\n3,Cid,no\n")
    assert landed.rejected() == [(3, "is_active", "perhaps", "not_a_boolean", None)]
    assert landed.rows("user_id") == [("1",), ("3",)]
    assert landed.lines() == [2, 4]
    assert landed.entry.rejected_reasons == {"not_a_boolean": 1}


@pytest.mark.parametrize(
    ("line", "rule", "raw"),
    [
        (b"2,Bob", "ragged_line", "2,Bob"),
        (b"2,Bob,true,extra", "ragged_line", "2,Bob,true,extra"),
        (b'2,"Bob,true', "unclosed_quote", '2,"Bob,true'),
        (b'2,"Bob"y,true', "unclosed_quote", '2,"Bob"y,true'),
        (b"2,B\0b,true", "nul_byte", "2,B\\x00b,true"),
        (b"2,Ren\xe9,true", "invalid_byte", "2,Ren\\xe9,true"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("place", ["middle", "last", "last without line end"])
def test_a_broken_line_is_rejected_with_its_text_and_the_rest_is_read(
    folder: LandingFolder, line: bytes, rule: str, *, raw: str, end: bytes, place: str
) -> None:
    good = [b"1,Ann,true", b'3,"Cid, jr",false', b"4,\xc3\x89va,true"]
    lines = [good[0], line, *good[1:]] if place == "middle" else [*good, line]
    content = end.join([HEADER.strip().encode(), *lines]) + (b"" if "without" in place else end)
    landed = folder.land("crm/users.csv", content)
    number = 3 if place == "middle" else 5
    assert structural(landed.rejected()) == [(number, rule, raw)]
    assert landed.rows("user_id", "user_name") == [("1", "Ann"), ("3", "Cid, jr"), ("4", "Éva")]
    assert landed.lines() == ([2, 4, 5] if place == "middle" else [2, 3, 4])


def test_a_truncated_last_line_is_rejected_not_filled_up(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", HEADER + "1,Ann,true\n2,Bo")
    assert structural(landed.rejected()) == [(3, "ragged_line", "2,Bo")]


def test_an_unclosed_quote_swallows_nothing(folder: LandingFolder) -> None:
    tail = "".join(f'{n},"Name {n}",true\n' for n in range(3, 50))
    landed = folder.land("crm/users.csv", HEADER + '1,Ann,true\n2,"Bob,true\n' + tail)
    assert structural(landed.rejected()) == [(3, "unclosed_quote", '2,"Bob,true')]
    assert landed.entry.rows_loaded == 48


def test_embedded_line_breaks_are_values(folder: LandingFolder) -> None:
    landed = folder.land(
        "crm/users.csv", HEADER + '1,"Ann\nMarie ""AM""",true\n2,Bob,x\n3,"Cid\r\n\r\nde",no\n'
    )
    assert landed.rows("user_id", "user_name") == [
        ("1", 'Ann\nMarie "AM"'),
        ("3", "Cid\n\nde"),
    ]
    assert landed.rejected() == [(4, "is_active", "x", "not_a_boolean", None)]
    assert landed.lines() == [2, 5]


def test_empty_lines_are_no_rows(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", HEADER + "1,Ann,true\n\n   \n2,Bob,no\n\n\n")
    assert (landed.entry.rows_read, landed.lines()) == (2, [2, 5])


def test_a_field_over_the_limit_is_rejected(folder: LandingFolder) -> None:
    huge = "x" * 200_000
    landed = folder.land("crm/users.csv", HEADER + f'1,{huge},true\n2,"{huge}",true\n3,Cid,no\n')
    assert [row[:2] for row in structural(landed.rejected())] == [
        (2, "field_too_long"),
        (3, "field_too_long"),
    ]
    assert len(str(landed.rejected()[0][4])) == 4096


def test_a_line_over_the_limit_is_rejected(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 50)
    monkeypatch.setattr(records, "MAX_FIELD_CHARACTERS", 40)
    monkeypatch.setattr(records, "CHUNK_BYTES", 16)
    monkeypatch.setattr(delimited, "MAX_FAST_LINE_BYTES", 50)
    landed = folder.land("crm/users.csv", HEADER + f"1,{'x' * 500},true\n2,Bob,true\n")
    assert [row[:2] for row in structural(landed.rejected())] == [(2, "field_too_long")]
    assert landed.rows("user_id") == [("2",)]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (
            "user_name,is_active\nAnn,true\n",
            ["column user_id", "required column is missing", "Add"],
        ),
        ("nom;actif\nAnn;oui\n", ["header is in no known language", "semicolons"]),
        ("", ["empty (0 bytes)"]),
        ("\n\n", ["the file is empty"]),
        ("user_id,USER_ID\n1,2\n", ["column user_id", "more than once"]),
        (b"PK\x03\x04" + b"\0" * 90, ["Excel workbook"]),
        (b"\x00\x01\x02\xff" * 50, ["header cannot be read as text"]),
        (b"\xd0\xcf\x11\xe0" * 9, ["Excel workbook"]),
        (gzip.compress(HEADER.encode(), mtime=0), ["gzip archive"]),
        (",".join(f"c{n}" for n in range(3000)), ["3000 columns"]),
    ],
)
def test_a_file_that_is_no_extract_fails_as_a_whole(
    folder: LandingFolder, content: str | bytes, texts: list[str]
) -> None:
    with pytest.raises(ExtractError) as caught:
        folder.land("crm/users.csv", content)
    assert str(caught.value).startswith("crm/users.csv")
    assert len(str(caught.value).splitlines()) == 2
    for text in texts:
        assert text in str(caught.value)
    assert list(folder.raw.rglob("*.*")) == []


def test_damaged_gzip_and_parquet_fail_as_a_whole(folder: LandingFolder) -> None:
    packed = gzip.compress(b"user_id\n" + bytes(range(48, 58)) * 1000)
    for name, content, text in [
        ("crm/users.csv.gz", packed[: len(packed) // 2], "damaged or cut short"),
        ("crm/users.csv.gz", b"user_id\n1\n", "damaged or cut short"),
        ("crm/users.parquet", b"PAR1 this is not Parquet PAR1", "no Parquet file"),
        ("crm/users.parquet", b"user_id\n1\n", "no Parquet file"),
    ]:
        with pytest.raises(ExtractError, match=text):
            folder.land(name, content)


def test_a_decompression_bomb_is_stopped(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzip_files, "RATIO_APPLIES_FROM_BYTES", 1_000_000)
    with pytest.raises(ExtractError, match="decompression bomb"):
        folder.land("crm/users.csv.gz", gzip.compress(b"user_id\n" + b"1\n" * 10_000_000, mtime=0))
    assert list(folder.scratch.iterdir()) == []


def test_a_file_that_vanished_or_changed_is_left_for_the_next_run(folder: LandingFolder) -> None:
    path = folder.write("crm/users.csv", HEADER + "1,Ann,true\n")
    delivered = find_deliveries(folder.landing, profiles={}).files[0]
    path.write_text(HEADER + "1,Ann,true\n2,Bob,true\n")
    database = Database(folder.scratch, memory_limit="200MB", threads=1)
    means = Means(raw=folder.raw, scratch=folder.scratch, database=database)
    for _ in range(2):
        with pytest.raises(FileChangedError, match=r"crm/users\.csv"):
            land(delivered, means)
        path.unlink(missing_ok=True)


def test_a_file_that_changes_while_it_is_read_is_left(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write("crm/users.csv", HEADER + "1,Ann,true\n")
    original = land_module.write_marked

    def write_and_change(*arguments: object) -> tuple[int, int]:
        path.write_text("nothing of it")
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(land_module, "write_marked", write_and_change)
    with pytest.raises(FileChangedError):
        folder.land("crm/users.csv")
    assert [path for path in folder.raw.rglob("*") if path.is_file()] == []


def test_concatenated_files_reject_the_repeated_header(folder: LandingFolder) -> None:
    landed = folder.land("crm/users.csv", HEADER + "1,Ann,true\n" + HEADER + "2,Bob,no\n")
    assert landed.rejected() == [(3, "is_active", "is_active", "not_a_boolean", None)]
    assert landed.entry.rows_loaded == 2
