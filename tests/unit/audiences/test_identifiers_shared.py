"""A remove file takes out everybody who has an identifier in common with its rows: who stays is added again.

The destination is played as platforms do it: a row of a remove file takes out each member with one of its identifiers.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.audiences.destinations import Destination, load_destinations
from tests.unit.audiences.lists import MATCHED, run

EXAMPLES = 5
FOUND_BY = Destination.model_validate(
    MATCHED.model_dump() | {"identified_by": [["company"], ["city"]]}
)
Row = tuple[str, ...]


def read(folder: Path, kind: str) -> list[Row]:
    path = folder / "matched" / f"A_{kind}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in csv.reader(stream)][1:]


def loaded(held: set[Row], folder: Path) -> set[Row]:
    """What the destination holds after the remove file, then the add file."""
    for gone in read(folder, "remove"):
        held = {
            row for row in held if not any(a and a == b for a, b in zip(row, gone, strict=True))
        }
    return held | set(read(folder, "add"))


def test_who_stays_is_added_again_where_a_removal_would_take_it_along(tmp_path: Path) -> None:
    """Two records of one person, of which the one without a city leaves."""
    four = {"k1": ("Anna", "Paris"), "k2": ("Anna", None), "k3": ("B", None), "k4": ("C", "Lyon")}
    run(tmp_path / "1", four, FOUND_BY)
    del four["k2"]
    run(tmp_path / "2", four, FOUND_BY, previous=tmp_path / "1")
    assert read(tmp_path / "2", "remove") == [("Anna", "")]
    assert read(tmp_path / "2", "add") == [("Anna", "Paris")]
    run(tmp_path / "3", four, FOUND_BY, previous=tmp_path / "2")
    assert read(tmp_path / "3", "add") == [], "once"


def test_an_empty_cell_is_nothing_in_common(tmp_path: Path) -> None:
    four = {"k1": ("A", None), "k2": ("B", None), "k3": ("C", None), "k4": ("D", None)}
    run(tmp_path / "1", four, FOUND_BY)
    del four["k2"]
    run(tmp_path / "2", four, FOUND_BY, previous=tmp_path / "1")
    assert read(tmp_path / "2", "add") == []


names = st.sampled_from(["Anna", "Bea", "Cleo", "Dora"])
cities = st.sampled_from(["Paris", "Lyon", "Nice", None])
history = st.lists(
    st.dictionaries(st.sampled_from([f"k{i}" for i in range(6)]), st.tuples(names, cities)),
    min_size=2,
    max_size=4,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(history)
def test_such_a_destination_holds_the_list(
    releases: list[dict[str, tuple[str, str | None]]],
) -> None:
    held: set[Row] = set()
    stated: set[Row] = set()
    with tempfile.TemporaryDirectory() as name:
        previous: Path | None = None
        for number, members in enumerate(releases):
            folder = Path(name) / str(number)
            run(folder, members, FOUND_BY, previous=previous)
            now = {(company, city or "") for company, city in members.values()}
            held = loaded(held, folder)
            stated = now if len(now) >= FOUND_BY.minimum_rows else stated & now
            assert held == stated, "also of a list that became too small to be sent anew"
            previous = folder


@pytest.mark.parametrize(
    "name", [name for name, rules in load_destinations().items() if rules.differences == "row"]
)
def test_each_destination_that_matches_rows_says_by_what(name: str) -> None:
    """One that knows a member by its only column has no second row in common with it."""
    rules = load_destinations()[name]
    assert rules.identified_by or len(rules.columns) == 1
