"""Whatever well-formed CSV comes in, the rows are those that Python's csv module reads."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.extracts.values import WHITE_SPACE

if TYPE_CHECKING:
    from tests.unit.extracts.conftest import LandingFolder

NAMES = ("account_id", "account_name", "city", "industry")
VALUES = st.text(st.sampled_from("ab1é ,;\"'\n\r\t\u00a0|\\#N"), max_size=6)


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    rows = draw(st.lists(st.lists(VALUES, min_size=4, max_size=4), max_size=8))
    # csv.writer leaves a carriage return bare where the lines end with a line feed; that is no CSV.
    has_return = any("\r" in value for row in rows for value in row)
    text = io.StringIO()
    writer = csv.writer(
        text,
        quoting=csv.QUOTE_ALL if has_return or draw(st.booleans()) else csv.QUOTE_MINIMAL,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow(NAMES)
    writer.writerows(rows)
    return text.getvalue(), rows


@settings(max_examples=40, deadline=None)
@given(case=csv_files())
def test_rows_are_those_of_the_csv_module(
    fresh_folder: Callable[[str], LandingFolder], case: tuple[str, list[list[str]]]
) -> None:
    text, rows = case
    with tempfile.TemporaryDirectory() as folder:
        landed = fresh_folder(folder).land("crm/accounts.csv", text)
        found = [list(row) for row in landed.rows(*NAMES)]
    assert found == [cleaned for row in rows if all((cleaned := clean(row))[:2])]
    assert landed.entry.rows_read == len(rows)


LINES = st.text(st.sampled_from('ab1,"\n\r\0é '), max_size=80).map(str.encode)


@settings(max_examples=40, deadline=None)
@given(body=LINES, is_cut=st.booleans())
def test_any_bytes_are_read_or_rejected_line_by_line(
    fresh_folder: Callable[[str], LandingFolder], body: bytes, is_cut: bool
) -> None:
    content = ",".join(NAMES).encode() + b"\n" + (body[:-1] + b"\xff" if is_cut else body)
    with tempfile.TemporaryDirectory() as folder:
        landed = fresh_folder(folder).land("crm/accounts.csv", content)
        assert landed.entry.rows_read <= content.count(b"\n")
        assert len(set(landed.lines())) == landed.entry.rows_loaded


def clean(row: list[str]) -> list[str | None]:
    lines = [value.replace("\r\n", "\n") for value in row]
    return [value.strip(WHITE_SPACE) or None for value in lines]
