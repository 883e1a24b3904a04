"""What a dialect may say, and what it is told where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.yaml_files import first_problem

FRENCH: dict[str, Any] = {
    "encodings": ["utf-8", "windows-1252"],
    "delimiters": [";", "\t", ","],
    "decimal": ",",
    "thousands": [" ", "\u00a0", "\u202f", "'"],
    "negatives": ["leading", "trailing", "brackets"],
    "currency_signs": ["€", "EUR", "Fr."],
    "dates": ["%d/%m/%Y", "%-d %b %y"],
    "timestamps": ["%d/%m/%Y %H:%M"],
    "null_words": ["NULL", "00000000"],
    "true_words": ["oui"],
    "false_words": ["non"],
    "banner_lines": 20,
    "skip_lines": ["^-+$"],
    "footer_lines": ["^Total;"],
    "repeated_headers": True,
    "edge_delimiters": True,
    "quote": None,
}


def test_the_defaults_are_what_generic_reads() -> None:
    dialect = Dialect()
    assert (dialect.encodings, dialect.delimiters, dialect.decimal) == (("utf-8",), (",",), ".")
    assert (dialect.thousands, dialect.negatives, dialect.quote) == ((), ("leading",), '"')
    assert (dialect.dates, dialect.timestamps, dialect.banner_lines) == (("%Y-%m-%d",), (), 0)


def test_every_key_of_the_contract_is_taken_and_there_are_no_others() -> None:
    dialect = Dialect.model_validate(FRENCH)
    assert set(FRENCH) == set(Dialect.model_fields)
    assert dialect.encodings == ("utf-8", "cp1252")
    assert dialect.quote is None


def test_a_layout_overrides_single_keys() -> None:
    french = Dialect.model_validate(FRENCH)
    merged = french.merged({"quote": "'", "banner_lines": 0})
    assert (merged.quote, merged.banner_lines, merged.decimal) == ("'", 0, ",")
    assert french.merged({}) == french


def test_a_tsv_file_is_read_by_tab_first() -> None:
    assert Dialect().delimiters_for(".TSV") == ("\t",)
    assert Dialect().delimiters_for(".csv") == (",",)
    assert Dialect.model_validate(FRENCH).delimiters_for(".tsv") == ("\t", ";", ",")


@pytest.mark.parametrize("last", ["iso8859-15", "latin-1", "cp437", "mac_roman"])
def test_a_codec_that_cannot_fail_comes_last_or_not_at_all(last: str) -> None:
    assert len(Dialect().merged({"encodings": ["utf-8", "cp1252", last]}).encodings) == 3
    with pytest.raises(ValidationError, match="can read any bytes"):
        Dialect().merged({"encodings": [last, "utf-8"]})


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"encoding": ["utf-8"]}, "encoding: unknown key; did you mean encodings?"),
        ({"encodings": ["nope"]}, "encodings: nope is no text encoding that is known here; give"),
        ({"encodings": ["rot13"]}, "encodings: rot13 is no text encoding"),
        ({"encodings": ["utf-16"]}, "encodings: utf-16 is recognised by its first bytes; remove"),
        ({"encodings": ["cp037"]}, "encodings: cp037 cannot be read line by line; export as"),
        ({"encodings": ["iso2022_jp"]}, "encodings: iso2022_jp cannot be read line by line"),
        ({"encodings": ["utf8", "utf-8"]}, "encodings: utf-8 stands twice; keep one"),
        ({"encodings": ["cp1252", "utf-8"]}, "encodings: cp1252 reads nearly all that is UTF-8"),
        ({"encodings": "utf-8"}, "encodings: 'utf-8' must be a list; put it in brackets"),
        ({"encodings": []}, "encodings: []"),
        ({"delimiters": [";;"]}, "delimiters: ';;' is no delimiter; give one ASCII sign"),
        ({"delimiters": ["a"]}, "delimiters: 'a' is no delimiter"),
        ({"delimiters": ["§"]}, "delimiters: '§' is no delimiter"),
        ({"decimal": ".."}, "decimal: '..' is no decimal mark; give '.' or ','"),
        ({"thousands": ["."]}, "'.' is the decimal mark and stands between thousands too"),
        ({"thousands": ["00"]}, "thousands: '00' is no mark between thousands"),
        ({"negatives": ["after"]}, "negatives.0: after must be 'leading', 'trailing' or"),
        ({"currency_signs": ["-"]}, "currency_signs: '-' would be taken for a part of the number"),
        ({"currency_signs": ["."]}, "currency_signs: '.' would be taken"),
        ({"dates": ["%Y-%m"]}, "dates: '%Y-%m' must name the day (%d) once, not 0 times; give"),
        ({"dates": ["%d/%Y"]}, "dates: '%d/%Y' must name the month (%m) once"),
        ({"dates": ["%d/%m"]}, "dates: '%d/%m' must name the year (%Y) once"),
        ({"timestamps": ["%d/%d/%m/%Y"]}, "timestamps: '%d/%d/%m/%Y' must name the day (%d) once"),
        ({"dates": ["%d/%m/%Y%"]}, "dates: '%d/%m/%Y%': % is not read here"),
        ({"dates": ["%x"]}, "dates: '%x': %x is not read here; give a form such as %d/%m/%Y"),
        ({"dates": ["%d/%m/%Y", "%m/%d/%Y"]}, "dates: '%d/%m/%Y' and '%m/%d/%Y' read 01/02 as"),
        ({"null_words": [None]}, "null_words: None must be a text; put it in quotes"),
        ({"null_words": [""]}, "null_words: an empty text means nothing; remove it"),
        ({"true_words": ["N"]}, "'n' means true and false; remove it from one of the two"),
        ({"banner_lines": -1}, "banner_lines: -1 must be 0 or more"),
        ({"skip_lines": ["("]}, "skip_lines: '(' is no regular expression (missing ),"),
        ({"footer_lines": [".*"]}, "footer_lines: '.*' matches every line; make it more exact"),
        ({"repeated_headers": "yes"}, "repeated_headers: yes must be true or false"),
        ({"quote": '""'}, "quote: '\"\"' is no quoting character; give '\"', or null for none"),
        ({"quote": ","}, "',' is the quoting character and a delimiter"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Dialect().merged(wrong)
    assert first_problem(caught.value, Dialect).startswith(text)
