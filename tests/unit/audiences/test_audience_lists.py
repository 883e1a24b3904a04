"""Which files an audience gets: whole, differences, too small, withdrawn."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.audiences.destinations import AudienceError, Destination
from dagster_project.lib.audiences.records import AudienceFile, AudienceManifest
from dagster_project.lib.audiences.write import write_audiences

MATCHED = Destination(
    name="matched",
    table="exp_companies",
    members="exp_members",
    header=("company", "city"),
    minimum_rows=3,
    differences="row",
)
KEYED = MATCHED.model_copy(
    update={"name": "keyed", "header": ("account_key", "company"), "differences": "key"}
)
CHANGES = MATCHED.model_copy(
    update={
        "name": "changes",
        "header": ("account_key", "company", "city"),
        "audiences": ("A",),
        "minimum_rows": 0,
        "differences": "changed",
        "cleared": "#N/A",
        "kept_when_cleared": ("account_key",),
    }
)
Companies = Mapping[str, tuple[str, str | None]]
FOUR: Companies = {
    "k1": ("Alpha", "Paris"),
    "k2": ("Beta", None),
    "k3": ("Gamma", "Lyon"),
    "k4": ("Delta", "Lille"),
}


def run(
    folder: Path,
    companies: Companies,
    *destinations: Destination,
    previous: Path | None = None,
    suppressed: int = 0,
    order: str = "audience",
    held: tuple[str, ...] = (),
) -> AudienceManifest:
    """Audience A holds the companies, A+B one more for each, `tiny` the first one."""
    rows = [("A", key, *values) for key, values in companies.items()]
    rows += [("A+B", key, *values) for key, values in companies.items()]
    rows += [("A+B", f"b{key}", f"{values[0]} 2", values[1]) for key, values in companies.items()]
    rows += [("tiny", key, *values) for key, values in list(companies.items())[:1]]
    with duckdb.connect() as connection:
        connection.execute("create schema exports; create schema seeds")
        connection.execute(
            "create table exports.incoming (audience varchar, account_key varchar, company varchar,"
            " city varchar)"
        )
        if rows:
            connection.executemany("insert into exports.incoming values (?, ?, ?, ?)", rows)
        connection.execute(
            f"create table exports.exp_companies as from exports.incoming order by {order};"
            "create table exports.exp_members as select audience, account_key,"
            " null::varchar as ineligible_reason from exports.incoming;"
            "create table exports.exp_held (account_key varchar);"
            "create table seeds.audiences as select * from (values ('A', 'A', 'A+B'),"
            " ('A+B', 'A', null), ('A+B', 'B', null), ('tiny', 'A', 'A'))"
            " as t (audience, tier, wider_audience);"
        )
        connection.execute(
            "insert into exports.exp_members select 'A', 's' || i, 'suppressed'"
            f" from range({suppressed}) as t (i)"
        )
        if held:
            connection.executemany("insert into exports.exp_held values (?)", [(k,) for k in held])
        return write_audiences(
            connection, destinations=destinations, folder=folder, previous=previous
        )


def rows_of(folder: Path, file: str) -> list[list[str]]:
    with (folder / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


def entry(manifest: AudienceManifest, audience: str, kind: str = "full") -> AudienceFile:
    (found,) = [file for file in manifest.files if file.audience == audience and file.kind == kind]
    return found


def test_first_release_writes_lists_and_adds_everyone(tmp_path: Path) -> None:
    manifest = run(tmp_path, FOUR, MATCHED, suppressed=2)
    assert rows_of(tmp_path, "matched/A.csv") == [
        ["Alpha", "Paris"],
        ["Beta", ""],
        ["Gamma", "Lyon"],
        ["Delta", "Lille"],
    ]
    assert sorted(rows_of(tmp_path, "matched/A_add.csv")) == sorted(
        rows_of(tmp_path, "matched/A.csv")
    )
    assert rows_of(tmp_path, "matched/A_remove.csv") == []
    full = entry(manifest, "A")
    assert (full.file, full.rows, full.left_out) == ("matched/A.csv", 4, {"suppressed": 2})
    assert full.minimum_met and full.sha256


def test_manifest_on_disk_says_the_same_and_names_nobody(tmp_path: Path) -> None:
    manifest = run(tmp_path, FOUR, MATCHED, KEYED, CHANGES)
    text = (tmp_path / "manifest.json").read_text()
    assert AudienceManifest.model_validate_json(text) == manifest
    files = {file["file"] for file in json.loads(text)["files"]} - {None}
    assert files == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv")}
    assert "Alpha" not in text and "k1" not in text


def test_every_file_is_private(tmp_path: Path) -> None:
    run(tmp_path, FOUR, MATCHED, KEYED, CHANGES)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*") if p.is_file()}
    assert modes == {0o600}


def test_too_small_audience_is_listed_with_a_wider_one(tmp_path: Path) -> None:
    manifest = run(tmp_path, FOUR, MATCHED)
    tiny = entry(manifest, "tiny")
    assert (tiny.status, tiny.file, tiny.rows, tiny.minimum_rows) == ("below_minimum", None, 1, 3)
    assert (tiny.minimum_met, tiny.wider_audience) == (False, "A")
    assert manifest.below_minimum() == (tiny,)
    assert not list(tmp_path.rglob("tiny*"))


def test_wider_audience_is_the_next_that_is_large_enough(tmp_path: Path) -> None:
    manifest = run(tmp_path, dict(list(FOUR.items())[:2]), MATCHED)
    assert {f.audience: f.wider_audience for f in manifest.below_minimum()} == {
        "A": "A+B",
        "tiny": "A+B",
    }
    few = run(tmp_path / "few", {"k1": ("Alpha", None)}, MATCHED)
    assert {file.wider_audience for file in few.below_minimum()} == {None}


def test_differences_by_row_send_the_new_row_and_withdraw_the_old(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, MATCHED)
    changed = dict(FOUR) | {"k3": ("Gamma", "Nice"), "k5": ("Epsilon", None)}
    del changed["k1"]
    run(tmp_path / "2", changed, MATCHED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "matched/A_add.csv") == [["Epsilon", ""], ["Gamma", "Nice"]]
    assert rows_of(tmp_path / "2", "matched/A_remove.csv") == [
        ["Alpha", "Paris"],
        ["Gamma", "Lyon"],
    ]


def test_differences_by_key_ignore_new_figures(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, KEYED)
    changed = dict(FOUR) | {"k3": ("Gamma SA", "Nice"), "k5": ("Epsilon", None)}
    del changed["k1"]
    run(tmp_path / "2", changed, KEYED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "keyed/A_add.csv") == [["k5", "Epsilon"]]
    assert rows_of(tmp_path / "2", "keyed/A_remove.csv") == [["k1", "Alpha"]]


def test_a_company_that_another_account_still_stands_for_is_not_withdrawn(tmp_path: Path) -> None:
    twins = dict(FOUR) | {"k5": ("Alpha", "Paris")}
    run(tmp_path / "1", twins, MATCHED)
    run(tmp_path / "2", FOUR, MATCHED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "matched/A_remove.csv") == []


@pytest.mark.parametrize("destination", [MATCHED, KEYED])
def test_who_must_leave_leaves_a_list_that_became_too_small(
    tmp_path: Path, destination: Destination
) -> None:
    name = destination.name
    run(tmp_path / "1", FOUR, destination)
    two = {key: FOUR[key] for key in ("k3", "k4")}
    manifest = run(tmp_path / "2", two, destination, previous=tmp_path / "1")
    assert entry(manifest, "A").status == "below_minimum"
    assert not (tmp_path / "2" / name / "A.csv").exists()
    removed = rows_of(tmp_path / "2", f"{name}/A_remove.csv")
    assert {company for row in removed for company in row} >= {"Alpha", "Beta"}
    assert entry(manifest, "A", "remove").minimum_met is False
    run(tmp_path / "3", FOUR, destination, previous=tmp_path / "2")
    added = rows_of(tmp_path / "3", f"{name}/A_add.csv")
    assert len(added) == 2, "the two that the destination still holds are not sent again"


def test_a_release_like_the_last_one_differs_in_nothing(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, MATCHED, KEYED)
    run(tmp_path / "2", FOUR, MATCHED, KEYED, previous=tmp_path / "1")
    differences = [*(tmp_path / "2").rglob("*_add.csv"), *(tmp_path / "2").rglob("*_remove.csv")]
    assert len(differences) == 8
    assert {len(path.read_text().splitlines()) for path in differences} == {1}


def test_bytes_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    one = run(tmp_path / "1", FOUR, MATCHED, KEYED, order="company")
    other = run(tmp_path / "2", FOUR, MATCHED, KEYED, order="city desc, account_key desc")
    assert one == other
    states = [(tmp_path / n / "sent" / "matched.parquet").read_bytes() for n in ("1", "2")]
    assert states[0] == states[1]


def test_a_destination_of_changes_gets_one_file(tmp_path: Path) -> None:
    manifest = run(tmp_path, FOUR, CHANGES)
    assert [(file.file, file.kind, file.rows) for file in manifest.files] == [
        ("changes/A.csv", "upsert", 4)
    ]


def test_an_upsert_holds_what_changed_and_clears_who_left_once(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, CHANGES)
    changed = dict(FOUR) | {"k2": ("Beta", "Brest"), "k5": ("Epsilon", None)}
    del changed["k1"]
    run(tmp_path / "2", changed, CHANGES, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "changes/A.csv") == [
        ["k1", "#N/A", "#N/A"],
        ["k2", "Beta", "Brest"],
        ["k5", "Epsilon", ""],
    ]
    run(tmp_path / "3", changed, CHANGES, previous=tmp_path / "2")
    assert rows_of(tmp_path / "3", "changes/A.csv") == []
    run(tmp_path / "4", dict(FOUR) | changed, CHANGES, previous=tmp_path / "3")
    assert rows_of(tmp_path / "4", "changes/A.csv") == [["k1", "Alpha", "Paris"]]


def test_a_column_may_be_cleared_by_a_word_of_its_own(tmp_path: Path) -> None:
    destination = CHANGES.model_copy(
        update={
            "header": ("Key", "Company", "Town"),
            "read_from": {"Key": "account_key", "Company": "company", "Town": "city"},
            "cleared_cells": {"city": "0"},
        }
    )
    run(tmp_path / "1", FOUR, destination)
    run(tmp_path / "2", {}, destination, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "changes/A.csv")[0] == ["k1", "#N/A", "0"]
    assert (tmp_path / "2/changes/A.csv").read_text().startswith("Key,Company,Town\n")


def test_who_the_destination_no_longer_has_is_not_cleared(tmp_path: Path) -> None:
    """An upsert of a row that is not there would create it."""
    destination = CHANGES.model_copy(update={"held": "exp_held"})
    run(tmp_path / "1", FOUR, destination)
    left = {"k4": FOUR["k4"]}
    run(tmp_path / "2", left, destination, previous=tmp_path / "1", held=("k2", "k4"))
    assert rows_of(tmp_path / "2", "changes/A.csv") == [["k2", "#N/A", "#N/A"]]
    run(tmp_path / "3", left, destination, previous=tmp_path / "2", held=("k1", "k2", "k4"))
    assert rows_of(tmp_path / "3", "changes/A.csv") == []


def test_a_column_that_is_not_compared_sends_nothing_and_goes_along(tmp_path: Path) -> None:
    destination = CHANGES.model_copy(update={"not_compared": ("city",)})
    run(tmp_path / "1", FOUR, destination)
    moved = {key: (name, "Nantes") for key, (name, _) in FOUR.items()}
    run(tmp_path / "2", moved, destination, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "changes/A.csv") == []
    renamed = moved | {"k3": ("Gamma SA", "Nantes")}
    run(tmp_path / "3", renamed, destination, previous=tmp_path / "2")
    assert rows_of(tmp_path / "3", "changes/A.csv") == [["k3", "Gamma SA", "Nantes"]]
    sent = duckdb.sql(
        f"from '{tmp_path}/3/sent/changes.parquet' select account_key, city"
    ).fetchall()
    assert dict(sent) == {"k1": "Paris", "k2": None, "k3": "Nantes", "k4": "Lille"}


def test_an_upsert_after_a_release_without_a_state_sends_everything(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, MATCHED)
    run(tmp_path / "2", FOUR, CHANGES, previous=tmp_path / "1")
    assert len(rows_of(tmp_path / "2", "changes/A.csv")) == 4


def test_members_that_look_alike_stand_in_a_file_once(tmp_path: Path) -> None:
    twins = dict(FOUR) | {"k0": ("Delta", "Lille"), "k5": ("Alpha", "Paris"), "k6": ("Beta", None)}
    manifest = run(tmp_path / "1", twins, MATCHED)
    assert [row[0] for row in rows_of(tmp_path / "1", "matched/A.csv")] == [
        "Delta",
        "Alpha",
        "Beta",
        "Gamma",
    ]
    assert entry(manifest, "A").rows == len(rows_of(tmp_path / "1", "matched/A_add.csv")) == 4


def test_the_minimum_counts_what_the_destination_sees(tmp_path: Path) -> None:
    manifest = run(tmp_path, {f"k{i}": ("Alpha", "Paris") for i in range(5)}, MATCHED)
    assert (entry(manifest, "A").status, entry(manifest, "A").rows) == ("below_minimum", 1)


def test_a_row_that_changes_hands_while_it_is_held_can_still_be_withdrawn(tmp_path: Path) -> None:
    """Alpha is in a list that is too small to be sent anew, first by k1, then by k9, then not."""
    run(tmp_path / "1", FOUR, MATCHED)
    run(tmp_path / "2", {"k9": FOUR["k1"]}, MATCHED, previous=tmp_path / "1")
    assert ["Alpha", "Paris"] not in rows_of(tmp_path / "2", "matched/A_remove.csv")
    run(tmp_path / "3", {}, MATCHED, previous=tmp_path / "2")
    assert rows_of(tmp_path / "3", "matched/A_remove.csv") == [["Alpha", "Paris"]]


def test_an_audience_that_is_dropped_is_withdrawn_once(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, MATCHED, KEYED)
    sent = tmp_path / "1" / "sent" / "matched.parquet"
    renamed = duckdb.sql(
        f"select * replace (if(audience = 'A', 'old', audience) as audience) from '{sent}'"
    )
    renamed.write_parquet(str(tmp_path / "renamed"))
    (tmp_path / "renamed").replace(sent)
    manifest = run(tmp_path / "2", FOUR, MATCHED, KEYED, previous=tmp_path / "1")
    gone = [file for file in manifest.files if file.audience == "old"]
    assert [(file.kind, file.rows, file.file) for file in gone] == [
        ("remove", 4, "matched/old_remove.csv")
    ]
    again = run(tmp_path / "3", FOUR, MATCHED, KEYED, previous=tmp_path / "2")
    assert not [file for file in again.files if file.audience == "old"]


def test_a_key_of_another_name_orders_compares_and_remembers(tmp_path: Path) -> None:
    by_company = KEYED.model_copy(update={"key": "company", "header": ("city", "company")})
    run(tmp_path / "1", FOUR, by_company)
    assert [row[1] for row in rows_of(tmp_path / "1", "keyed/A.csv")] == [
        "Alpha",
        "Beta",
        "Delta",
        "Gamma",
    ]
    other_keys = {f"x{key}": values for key, values in FOUR.items() if key != "k2"}
    run(tmp_path / "2", other_keys, by_company, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "keyed/A_remove.csv") == [["", "Beta"]]
    assert rows_of(tmp_path / "2", "keyed/A_add.csv") == []


def test_a_column_that_the_last_release_lacks_is_empty_there(tmp_path: Path) -> None:
    older = KEYED.model_copy(update={"header": ("account_key",)})
    run(tmp_path / "1", FOUR, older)
    run(tmp_path / "2", FOUR, KEYED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "keyed/A_add.csv") == []
    run(tmp_path / "3", dict(list(FOUR.items())[1:]), KEYED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "3", "keyed/A_remove.csv") == [["k1", ""]]


def test_an_audience_whose_name_is_no_file_name_is_refused(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema seeds")
        connection.execute(
            "create table seeds.audiences as select '../A' as audience, null as wider_audience"
        )
        with pytest.raises(AudienceError, match=r"audience '\.\./A': .*audiences\.csv"):
            write_audiences(connection, destinations=(), folder=tmp_path, previous=None)
