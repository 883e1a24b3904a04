"""Which files an audience gets: whole, differences, too small, withdrawn."""

from __future__ import annotations

import csv
import json
import stat
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
    update={"name": "changes", "audiences": ("A",), "minimum_rows": 0, "differences": None}
)
Companies = dict[str, tuple[str, str | None]]
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
        connection.executemany("insert into exports.incoming values (?, ?, ?, ?)", rows)
        connection.execute(
            f"create table exports.exp_companies as from exports.incoming order by {order};"
            "create table exports.exp_members as select audience, account_key,"
            " null::varchar as ineligible_reason from exports.incoming;"
            "create table seeds.audiences as select * from (values ('A', 'A', 'A+B'),"
            " ('A+B', 'A', null), ('A+B', 'B', null), ('tiny', 'A', 'A'))"
            " as t (audience, tier, wider_audience);"
        )
        connection.execute(
            "insert into exports.exp_members select 'A', 's' || i, 'suppressed'"
            f" from range({suppressed}) as t (i)"
        )
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
    changed = FOUR | {"k3": ("Gamma", "Nice"), "k5": ("Epsilon", None)}
    del changed["k1"]
    run(tmp_path / "2", changed, MATCHED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "matched/A_add.csv") == [["Epsilon", ""], ["Gamma", "Nice"]]
    assert rows_of(tmp_path / "2", "matched/A_remove.csv") == [
        ["Alpha", "Paris"],
        ["Gamma", "Lyon"],
    ]


def test_differences_by_key_ignore_new_figures(tmp_path: Path) -> None:
    run(tmp_path / "1", FOUR, KEYED)
    changed = FOUR | {"k3": ("Gamma SA", "Nice"), "k5": ("Epsilon", None)}
    del changed["k1"]
    run(tmp_path / "2", changed, KEYED, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "keyed/A_add.csv") == [["k5", "Epsilon"]]
    assert rows_of(tmp_path / "2", "keyed/A_remove.csv") == [["k1", "Alpha"]]


def test_a_company_that_another_account_still_stands_for_is_not_withdrawn(tmp_path: Path) -> None:
    twins = FOUR | {"k5": ("Alpha", "Paris")}
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
    assert [(file.file, file.kind) for file in manifest.files] == [("changes/A.csv", "upsert")]
    assert not (tmp_path / "sent").exists()


def test_a_column_that_the_last_release_lacks_is_empty_there(tmp_path: Path) -> None:
    older = KEYED.model_copy(update={"header": ("account_key",)})
    run(tmp_path / "1", FOUR, older)
    run(tmp_path / "2", {"k1": FOUR["k1"]} | FOUR, KEYED, previous=tmp_path / "1")
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
