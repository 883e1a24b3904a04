"""What differs since a release whose files were loaded last: as if all those between had been loaded."""

from __future__ import annotations

import csv
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.audiences.destinations import AudienceError, Destination
from dagster_project.lib.audiences.write import write_since
from tests.unit.audiences.lists import CHANGES, KEYED, MATCHED, Companies, releases, run

EXAMPLES = 5
HELD = Destination.model_validate(CHANGES.model_dump() | {"name": "held", "held": "exp_held"})
FOUR: Companies = {
    "k1": ("Alpha", "Paris"),
    "k2": ("Beta", None),
    "k3": ("Gamma", "Lyon"),
    "k4": ("Delta", "Lille"),
}
Row = tuple[str, ...]


def read(folder: Path, file: str) -> list[Row]:
    path = folder / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in csv.reader(stream)][1:]


def without(companies: Companies, *keys: str) -> dict[str, tuple[str, str | None]]:
    return {key: values for key, values in companies.items() if key not in keys}


def since(folder: Path, earlier: str, live: str, *destinations: Destination) -> Path:
    to = folder / f"{earlier}-{live}"
    write_since(live=folder / live, earlier=folder / earlier, folder=to, destinations=destinations)
    return to


def test_a_removal_that_nobody_loaded_is_written_again(tmp_path: Path) -> None:
    five = dict(FOUR) | {"k5": ("Epsilon", None)}
    run(tmp_path / "1", five, MATCHED, KEYED)
    run(tmp_path / "2", without(five, "k1"), MATCHED, KEYED, previous=tmp_path / "1")
    run(tmp_path / "3", without(five, "k1"), MATCHED, KEYED, previous=tmp_path / "2")
    assert read(tmp_path / "3", "matched/A_remove.csv") == [], "it was in release 2 alone"
    found = since(tmp_path, "1", "3", MATCHED, KEYED)
    assert read(found, "matched/A_remove.csv") == [("Alpha", "Paris")]
    assert read(found, "keyed/A_remove.csv") == [("k1", "Alpha")]
    assert not (found / "matched/A_add.csv").exists(), "a file without rows is nothing to load"
    private = {stat.S_IMODE(path.stat().st_mode) for path in found.rglob("*") if path.is_file()}
    assert (private, stat.S_IMODE(found.stat().st_mode)) == ({0o600}, 0o700)


def test_fields_of_a_crm_that_nobody_loaded_are_written_and_cleared(tmp_path: Path) -> None:
    """k1 left, k3 left and is no longer in the CRM, k2 moved, k4 moved there and back."""
    run(tmp_path / "1", FOUR, HELD, held=tuple(FOUR))
    changed = without(FOUR, "k1", "k3") | {"k2": ("Beta", "Brest"), "k4": ("Delta", "Metz")}
    run(tmp_path / "2", changed, HELD, previous=tmp_path / "1", held=tuple(FOUR))
    changed["k4"] = FOUR["k4"]
    run(tmp_path / "3", changed, HELD, previous=tmp_path / "2", held=("k1", "k2", "k4"))
    assert read(tmp_path / "3", "held/A.csv") == [("k4", "Delta", "Lille")]
    found = since(tmp_path, "1", "3", HELD)
    assert read(found, "held/A.csv") == [("k1", "#N/A", "#N/A"), ("k2", "Beta", "Brest")]


def test_a_release_that_does_not_say_what_is_held_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, HELD)
    (tmp_path / "1/sent/held/held.parquet").unlink()
    with pytest.raises(AudienceError, match="does not say what held holds"):
        since(tmp_path, "1", "1", HELD)


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases(2), st.integers(0, 2))
def test_it_leads_where_all_files_lead(
    history: list[dict[str, tuple[str, str | None]]], skipped_from: int
) -> None:
    """Two destinations: one is given every file, the other those up to a release, then what differs since."""
    every: set[Row] = set()
    fields: dict[str, Row] = {}
    last_loaded = min(skipped_from, len(history) - 1)
    with tempfile.TemporaryDirectory() as name:
        folder, previous = Path(name), None
        for number, members in enumerate(history):
            run(folder / str(number), members, MATCHED, CHANGES, previous=previous)
            previous = folder / str(number)
            every = (every - set(read(previous, "matched/A_remove.csv"))) | set(
                read(previous, "matched/A_add.csv")
            )
            fields |= {key: tuple(row) for key, *row in read(previous, "changes/A.csv")}
            if number == last_loaded:
                late, late_fields = every, dict(fields)
        found = since(folder, str(last_loaded), str(len(history) - 1), MATCHED, CHANGES)
        gone = set(read(found, "matched/A_remove.csv"))
        assert gone <= late
        late = (late - gone) | set(read(found, "matched/A_add.csv"))
        late_fields |= {key: tuple(row) for key, *row in read(found, "changes/A.csv")}
    assert late == every
    cleared = ("#N/A", "#N/A")
    assert {key: row for key, row in late_fields.items() if row != cleared} == {
        key: row for key, row in fields.items() if row != cleared
    }
