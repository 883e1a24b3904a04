"""How bytes become rows of text under a dialect: encodings, delimiters, headers, furniture."""

from __future__ import annotations

import json
import tempfile
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.extracts import encoding, records
from dagster_project.lib.extracts.delimited import TextTable, open_delimited
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.probe import probe_file

LABELS = {"code", "nom", "montant"}
FRENCH = Dialect(encodings=("utf-8", "cp1252"), delimiters=(";", "\t", ","), decimal=",")
HEADER = "code;nom;montant\n"


def known(names: Sequence[str]) -> int:
    return sum(name.strip().strip("\ufeff").lower() in LABELS for name in names)


@dataclass(frozen=True)
class Opened:
    table: TextTable
    rows: list[tuple[Any, ...]]
    lines: list[int]
    rejects: list[tuple[int, str, str]]


class Opener:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        content: str | bytes,
        dialect: Dialect = FRENCH,
        *,
        suffix: str = ".csv",
        careful: bool = False,
    ) -> Opened:
        """Opens as the lead's land does: again, carefully, where DuckDB and `rows` differ."""
        path = self.folder / "delivered"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        table = open_delimited(
            path,
            scratch=self.folder,
            dialect=dialect,
            file="erp/x.csv",
            suffix=suffix,
            known=known,
            careful=careful,
        )
        columns = ", ".join(f"s{index + 1}" for index in range(len(table.names)))
        line = "s0::bigint" if table.has_line else f"{table.line_offset} + row_number() over () - 1"
        try:
            found = duckdb.execute(f"select {columns}, {line} from {table.relation}").fetchall()
        except duckdb.Error:
            found = []
        if len(found) != table.rows:
            assert not table.is_careful
            return self(content, dialect, suffix=suffix, careful=True)
        rejects = []
        if table.rejects is not None:
            for text in table.rejects.read_text().splitlines():
                row = json.loads(text)
                rejects.append((row["line_number"], row["rule"], row["raw_line"]))
        assert len(rejects) == table.reasons.total()
        return Opened(table, [row[:-1] for row in found], [row[-1] for row in found], rejects)


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    return Opener(tmp_path)


BODY = "1;Zoé;1,5\n2;Éva Noël;2\n"
ROWS = [("1", "Zoé", "1,5"), ("2", "Éva Noël", "2")]


@pytest.mark.parametrize(
    ("content", "label", "form"),
    [
        ((HEADER + BODY).encode(), "utf-8", "csv, semicolon, lf"),
        ((HEADER + BODY).encode("utf-8-sig"), "utf-8 with byte-order mark", "csv, semicolon, lf"),
        ((HEADER + BODY).encode("cp1252"), "cp1252", "csv, semicolon, lf"),
        ((HEADER + BODY).replace("\n", "\r\n").encode("cp1252"), "cp1252", "csv, semicolon, crlf"),
        ((HEADER + BODY).encode("utf-16"), "utf-16-le with byte-order mark", "csv, semicolon, lf"),
        (
            b"\xfe\xff" + (HEADER + BODY).encode("utf-16-be"),
            "utf-16-be with byte-order mark",
            "csv, semicolon, lf",
        ),
        ((HEADER + BODY).encode("utf-16-le"), "utf-16-le", "csv, semicolon, lf"),
        ((HEADER + BODY).encode("utf-16-be"), "utf-16-be", "csv, semicolon, lf"),
        ((HEADER + BODY).replace(";", "\t").encode("cp1252"), "cp1252", "csv, tab, lf"),
    ],
)
def test_each_encoding_and_delimiter_is_found_and_takes_the_fast_path(
    opened: Opener, content: bytes, label: str, form: str
) -> None:
    found = opened(content)
    assert found.rows == ROWS
    assert (found.table.encoding, found.table.dialect) == (label, form)
    assert not found.table.is_careful
    assert found.lines == [2, 3]


def test_old_line_ends_are_read_in_any_encoding(opened: Opener) -> None:
    found = opened((HEADER + BODY).replace("\n", "\r").encode("cp1252"))
    assert (found.rows, found.table.dialect) == (ROWS, "csv, semicolon, cr")


def test_utf8_is_never_taken_for_a_codec_that_reads_anything(opened: Opener) -> None:
    dialect = FRENCH.merged({"encodings": ["utf-8", "iso8859-15"]})
    assert opened(HEADER + BODY, dialect).rows == ROWS
    found = opened((HEADER + "1;Zoé €;1\n").encode("iso8859-15"), dialect)
    assert (found.rows, found.table.encoding) == ([("1", "Zoé €", "1")], "iso8859-15")


def test_a_few_wrong_lines_of_utf8_are_rejected_not_read_as_cp1252(opened: Opener) -> None:
    content = (HEADER + BODY).encode() + b"3;Ren\xe9;3\n" + b"4;\xc3\x89lan;4\n"
    found = opened(content)
    assert found.rejects == [(4, "invalid_byte", "3;Ren\\xe9;3")]
    assert [*ROWS, ("4", "Élan", "4")] == found.rows
    assert (found.table.encoding, found.lines) == ("utf-8", [2, 3, 5])


def test_cp1252_rejects_its_five_undefined_bytes_line_by_line(opened: Opener) -> None:
    for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D):
        content = (HEADER + BODY).encode("cp1252") + b"3;Ren\xe9%c;3\n4;Ana;4\n" % byte
        found = opened(content)
        assert found.rejects == [(4, "invalid_byte", f"3;René\\x{byte:02x};3")]
        assert found.rows == [*ROWS, ("4", "Ana", "4")]


def test_lines_of_utf8_in_a_cp1252_file_are_told_in_the_ledger(opened: Opener) -> None:
    found = opened((HEADER + BODY).encode("cp1252") + "3;René;3\n".encode())
    assert found.table.encoding == "cp1252 (lines that utf-8 reads too: 1)"
    assert found.rows[2] == ("3", "RenÃ©", "3")


def test_the_next_codec_counts_where_the_one_before_is_mostly_wrong(opened: Opener) -> None:
    dialect = FRENCH.merged({"encodings": ["utf-8", "cp1252", "cp437"]})
    found = opened((HEADER + "1;Tür\x81;1\n").encode("latin-1"), dialect)
    assert (found.table.encoding, found.rows) == ("cp437", [("1", "T\u207frü", "1")])


def test_undecodable_bytes_never_make_a_character_of_utf8(opened: Opener) -> None:
    dialect = FRENCH.merged({"encodings": ["utf-8", "iso8859-3"]})
    undefined = [b for b in range(0xC2, 0xE0) if not decodes(bytes([b]), "iso8859-3")]
    assert undefined == [0xC3, 0xD0]
    content = HEADER.encode() + b"1;\xe9t\xe9;1\n2;\xe9\xc3\xae;2\n"
    found = opened(content, dialect)
    assert [reject[:2] for reject in found.rejects] == [(3, "invalid_byte")]
    assert found.rows == [("1", "été", "1")]


def decodes(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def test_broken_utf16_rejects_its_line(opened: Opener) -> None:
    lone = (HEADER + "1;a\ud800b;1\n2;b;2\n3;c;3").encode("utf-16-le", errors="surrogatepass")
    found = opened(b"\xff\xfe" + lone)
    assert [reject[:2] for reject in found.rejects] == [(2, "invalid_byte")]
    cut = opened((HEADER + "1;a;1\n2;b;2").encode("utf-16")[:-1])
    assert [reject[:2] for reject in cut.rejects] == [(3, "invalid_byte")]
    assert cut.rows == [("1", "a", "1")]


def test_characters_at_the_seams_of_chunks_stay_whole(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "".join(f"{n};Zoé né à Nîmes;{n}\n" for n in range(40))
    for size in (3, 7, 64):
        monkeypatch.setattr(encoding, "CHUNK_BYTES", size)
        for codec in ("cp1252", "utf-16"):
            found = opened((HEADER + body).encode(codec))
            assert found.rows == [(str(n), "Zoé né à Nîmes", str(n)) for n in range(40)]


def test_the_delimiter_is_the_one_with_most_known_labels(opened: Opener) -> None:
    found = opened("code,x;nom;montant,y\n1;2;3\n")
    assert (found.table.names, found.rows) == (("code,x", "nom", "montant,y"), [("1", "2", "3")])
    assert opened("code,nom,montant;x\n1,2,3\n").table.dialect == "csv, comma, lf"
    assert opened("code;nom;montant\n1;2;3\n", suffix=".tsv").table.dialect == "csv, semicolon, lf"


def test_the_header_is_the_best_line_within_the_banner(opened: Opener) -> None:
    dialect = FRENCH.merged({"banner_lines": 4})
    banner = "Société Générale\nExport;nom\n\nle 3;4\n"
    found = opened(banner + HEADER + BODY, dialect)
    assert (found.rows, found.lines, found.table.lines_skipped) == (ROWS, [6, 7], 3)
    assert found.table.line_offset == 6
    assert opened(HEADER + BODY, dialect).table.is_careful is False


def test_a_header_beyond_the_banner_is_not_found(opened: Opener) -> None:
    with pytest.raises(ExtractError) as caught:
        opened("a;1\nb;2\nc;3\n" + HEADER + BODY, FRENCH.merged({"banner_lines": 2}))
    assert "header is in no known language" in str(caught.value)
    assert "The first 3 lines must hold the column names" in str(caught.value)


FURNITURE = Dialect(
    delimiters=("|",),
    edge_delimiters=True,
    repeated_headers=True,
    banner_lines=5,
    skip_lines=("^-+$",),
    footer_lines=(r"^\| *Total *\|", "^End of list"),
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_furniture_is_skipped_and_counted(opened: Opener, end: str) -> None:
    lines = [
        "01.02.2026   Dynamic List Display   1", "-----------",
        "|code|nom|montant|", "-----------", "|1|Ann|1,5 |", "|2|Bob|2,5-|",
        "-----------", "|code|nom|montant|", "-----------", "|3|\"Cid|3|", "|4|a|b|c|", "5|x|y|",
        "-----------", "|Total|  |7,0|", "-----------", "",
    ]  # fmt: skip
    found = opened(end.join(lines), FURNITURE)
    assert found.rows == [("1", "Ann", "1,5 "), ("2", "Bob", "2,5-")]
    assert found.lines == [5, 6]
    assert found.table.lines_skipped == 9
    assert [reject[:2] for reject in found.rejects] == [
        (10, "unclosed_quote"),
        (11, "ragged_line"),
        (12, "ragged_line"),
    ]


def test_what_follows_a_footer_is_rejected(opened: Opener) -> None:
    dialect = FRENCH.merged({"footer_lines": ["^Total;"]})
    found = opened(HEADER + "1;Totalement;1\nTotal;;1\n\nTotal;;2\n2;b;2\n", dialect)
    assert found.rows == [("1", "Totalement", "1")]
    assert found.rejects == [(6, "ragged_line", "2;b;2")]
    assert found.table.lines_skipped == 2


def test_a_value_that_looks_like_furniture_inside_a_record_stays(opened: Opener) -> None:
    dialect = FRENCH.merged({"skip_lines": ["^--"], "repeated_headers": True})
    found = opened(HEADER + '1;"a\n--\nb";1\n--\n2;b;2\n' + HEADER, dialect)
    assert found.rows == [("1", "a\n--\nb", "1"), ("2", "b", "2")]
    assert (found.lines, found.table.lines_skipped) == ([2, 6], 2)


@pytest.mark.parametrize(
    "pattern", ["^Page ", r"^Page\.", "Page", r"^\s*Page", "^(Page|Seite)", "^Pages? "]
)
def test_furniture_is_found_however_far_down_and_however_it_is_written(
    opened: Opener, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.delimited.CHUNK_BYTES", 64)
    dialect = FRENCH.merged({"skip_lines": [pattern]})
    body = "".join(f"{n};b;c\n" for n in range(50))
    found = opened(HEADER + body + "Page . 2\nPage. 2\n" + body, dialect)
    assert len(found.rows) == 100
    assert found.table.lines_skipped + len(found.rejects) == 2
    assert found.table.lines_skipped >= 1


def test_a_file_without_furniture_takes_the_fast_path_all_the_same(opened: Opener) -> None:
    dialect = FRENCH.merged({"footer_lines": ["^Total;"], "repeated_headers": True})
    assert opened(HEADER + BODY, dialect).table.is_careful is False


@pytest.mark.parametrize("careful", [False, True])
def test_without_quoting_quotes_are_values(opened: Opener, careful: bool) -> None:
    dialect = Dialect(delimiters=("\t", "|"), quote=None)
    content = 'code|nom|montant\n1|"Ann|2\n2|12" vis|3\n3|"a""b"|4\n'
    found = opened(content, dialect, careful=careful)
    assert found.rows == [("1", '"Ann', "2"), ("2", '12" vis', "3"), ("3", '"a""b"', "4")]
    assert found.table.is_careful is careful


@pytest.mark.parametrize("careful", [False, True])
def test_another_quoting_character_is_read(opened: Opener, careful: bool) -> None:
    found = opened(
        HEADER + "1;'a;''b''';2\n2;12\" vis;3\n", FRENCH.merged({"quote": "'"}), careful=careful
    )
    assert found.rows == [("1", "a;'b'", "2"), ("2", '12" vis', "3")]


@pytest.mark.parametrize("codec", ["utf-8", "cp1252", "utf-16"])
def test_embedded_line_breaks_and_broken_lines_are_told_apart(opened: Opener, codec: str) -> None:
    content = HEADER + '1;"é\r\nb";2\n2;"x;3\n3;c\n4;d;\0\n5;é;5\n'
    found = opened(content.encode(codec))
    assert found.rows == [("1", "é\nb", "2"), ("5", "é", "5")]
    assert found.rejects == [
        (4, "unclosed_quote", '2;"x;3'),
        (5, "ragged_line", "3;c"),
        (6, "nul_byte", "4;d;\\x00"),
    ]


def test_a_huge_line_of_another_encoding_is_rejected(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 500)
    for module in (encoding, records):
        monkeypatch.setattr(module, "CHUNK_BYTES", 64)
    monkeypatch.setattr(records, "MAX_FIELD_CHARACTERS", 400)
    content = (HEADER + BODY + f"3;{'é' * 4000};3\n4;d;4\n").encode("cp1252")
    found = opened(content, careful=True)
    assert [reject[:2] for reject in found.rejects] == [(4, "field_too_long")]
    assert found.rows == [*ROWS, ("4", "d", "4")]


def test_the_careful_path_reads_what_the_fast_path_reads(opened: Opener) -> None:
    body = "".join(f"{n};Né{n};{n},5\n" for n in range(500))
    for codec in ("utf-8", "cp1252"):
        fast = opened((HEADER + body).encode(codec))
        careful = opened((HEADER + body).encode(codec), careful=True)
        assert not fast.table.is_careful
        assert (fast.rows, fast.lines) == (careful.rows, careful.lines)


def test_spaces_are_seen_beside_every_allowed_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content, needs in [
        (b"a;b\n1;2\n", False),
        (b"a;b\n1 ;2\n", True),
        (b"a\tb\n1\t2\n", True),
        ("a;b\n1;2\u00a0\n".encode(), True),
        (b"a;b\n1; 2\n", True),
    ]:
        path.write_bytes(content)
        assert probe_file(path, (";", ",", "\t")).may_need_trim is needs
    path.write_bytes(b"a\tb\n1\t2\n")
    assert probe_file(path, "\t").may_need_trim is False


def test_a_probe_of_other_delimiters_does_not_hide_spaces(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes((HEADER + "1 ;b;c\n").encode())
    table = open_delimited(
        path, scratch=tmp_path, dialect=FRENCH, file="x", suffix=".csv", known=known,
        probe=probe_file(path, ","),
    )  # fmt: skip
    assert table.may_need_trim


@pytest.mark.parametrize(
    ("content", "dialect", "texts"),
    [
        (b"a|b|c\n1|2|3\n", FRENCH, ["no known language: none of its 1 names",
          "seems to be separated by bars; the profile reads semicolons or tabs or commas"]),
        (b"\n\n", FRENCH, ["the file is empty", "Export it again, with its header line."]),
        (b"PK\x03\x04abc", FRENCH, ["is a zip archive or an Excel workbook in place of text",
          "text separated by semicolons or tabs or commas in UTF-8 or cp1252"]),
        (b"%PDF-1.4", Dialect(), ["the file is a PDF in place of text", "Save it as CSV in UTF-8"]),
        ("code".encode("utf-32"), FRENCH, ["is encoded in UTF-32", "Save it in UTF-8"]),
        (b"code;n\x81m\n", FRENCH, ["the header cannot be read as text in UTF-8 or cp1252 (invalid_byte)",
          "with the column names in its first line"]),
        (b"code;\0\n", FRENCH, ["(nul_byte)"]),
        (";".join(f"c{n}" for n in range(3000)).encode(), FRENCH, ["the header has 3000 columns, the limit is 2000"]),
    ],
)  # fmt: skip
def test_what_is_no_extract_is_refused_with_a_remedy_that_fits_the_profile(
    opened: Opener, content: bytes, dialect: Dialect, texts: list[str]
) -> None:
    with pytest.raises(ExtractError) as caught:
        opened(content, dialect)
    assert str(caught.value).startswith("erp/x.csv: ")
    assert len(str(caught.value).splitlines()) == 2
    for text in texts:
        assert text in str(caught.value)
    if dialect is FRENCH:
        assert "CSV in UTF-8" not in str(caught.value)


def test_reading_takes_bounded_memory(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (encoding, records):
        monkeypatch.setattr(module, "CHUNK_BYTES", 64 * 1024)
    content = (HEADER + "1;Zoé;1\n" * 500_000).encode("cp1252") + b'2;"x;1\n'
    path = opened.folder / "large"
    path.write_bytes(content)
    del content
    tracemalloc.start()
    table = open_delimited(
        path, scratch=opened.folder, dialect=FRENCH, file="x", suffix=".csv", known=known,
        careful=True,
    )  # fmt: skip
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (table.rows, table.reasons) == (500_000, {"unclosed_quote": 1})
    assert peak < 20 * 1024 * 1024


ODD_LINES = st.lists(
    st.sampled_from(
        [b"1;a;2", b"1;\xe9;2", "1;é;2".encode(), b"1;\x81;2", b'1;"a', b'b";2', b"1;a", b"", b"\r",
         b"--", b"code;nom;montant", b"Total;;2", b"\0", b"\xff\xfe", b"|1|a|2|", b'"', b"1;'a;b';2"]
    ),
    max_size=12,
)  # fmt: skip
DIALECTS = [
    FRENCH,
    FRENCH.merged({"banner_lines": 3, "skip_lines": ["^--"], "footer_lines": ["^Total;"]}),
    FRENCH.merged({"quote": None, "repeated_headers": True}),
    FRENCH.merged({"quote": "'", "encodings": ["utf-8", "cp1252", "iso8859-15"]}),
    FURNITURE,
]


@settings(max_examples=60, deadline=None)
@given(
    lines=ODD_LINES,
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    dialect=st.sampled_from(DIALECTS),
    is_first=st.booleans(),
)
def test_any_lines_are_read_or_rejected_or_skipped_and_counted(
    lines: list[bytes], end: bytes, dialect: Dialect, is_first: bool
) -> None:
    """No line is counted twice, and both ways of reading agree."""
    content = end.join([*([HEADER.strip().encode()] if is_first else []), *lines])
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for careful in (False, True):
            try:
                opened = Opener(Path(folder))(content, dialect, careful=careful)
            except ExtractError as error:
                found.append(str(error))
                continue
            rejected = [line for line, _, _ in opened.rejects]
            places = [*opened.lines, *rejected]
            assert len(set(places)) == len(places)
            counted = len(places) + opened.table.lines_skipped + 1
            assert counted <= len([line for line in content.splitlines() if line.strip()])
            found.append((opened.rows, opened.lines, rejected))
    assert found[0] == found[1]
