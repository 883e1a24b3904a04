"""A destination that knows its lists by Ids: without one there is a whole list alone, which makes a new list."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.audiences.destinations import (
    AudienceError,
    load_destinations,
    with_list_ids,
)
from dagster_project.lib.audiences.files import write_csv
from dagster_project.lib.audiences.records import AudienceManifest
from dagster_project.lib.audiences.summary import summarised
from dagster_project.lib.audiences.write import write_since
from dagster_project.settings import SettingsError, load_settings
from tests.checkers import microsoft_ads
from tests.unit.audiences.lists import MATCHED, Companies, run

UNKNOWN = MATCHED.model_copy(
    update={
        "header": ("list", "company"),
        "filled": {"list": "{list}"},
        "new_list": "-10",
        "minimum_rows": 2,
    }
)
KNOWN = UNKNOWN.model_copy(update={"list_ids": {"A": 4711}})
THREE: Companies = {"k1": ("Alpha", None), "k2": ("Beta", None), "k3": ("Gamma", None)}
TWO: Companies = {key: THREE[key] for key in ("k2", "k3")}
ONE: Companies = {"k3": THREE["k3"]}


def rows_of(folder: Path, file: str) -> list[list[str]]:
    with (folder / "matched" / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


def files_of_a(manifest: AudienceManifest) -> list[str]:
    return [str(entry.file) for entry in manifest.files if entry.audience == "A" and entry.file]


def test_a_list_without_id_is_written_whole_alone(tmp_path: Path) -> None:
    run(tmp_path / "1", THREE, UNKNOWN)
    manifest = run(tmp_path / "2", TWO, UNKNOWN, previous=tmp_path / "1")
    assert files_of_a(manifest) == ["matched/A.csv"]
    assert rows_of(tmp_path / "2", "A.csv") == [["-10", "Beta"], ["-10", "Gamma"]]
    (summary,) = [s for s in summarised(manifest, [UNKNOWN]) if s.audience == "A"]
    assert (summary.is_list_unknown, summary.added, summary.removed) == (True, None, 1)


def test_a_list_with_id_is_changed_by_it(tmp_path: Path) -> None:
    run(tmp_path / "1", THREE, KNOWN)
    run(tmp_path / "2", TWO | {"k4": ("Delta", None)}, KNOWN, previous=tmp_path / "1")
    assert rows_of(tmp_path / "2", "A_remove.csv") == [["4711", "Alpha"]]
    assert rows_of(tmp_path / "2", "A_add.csv") == [["4711", "Delta"]]
    assert rows_of(tmp_path / "2", "A.csv")[0] == ["4711", "Beta"]


def test_who_could_not_be_removed_for_want_of_an_id_is_not_lost(tmp_path: Path) -> None:
    """The list became too small for a whole one before anybody wrote down its Id."""
    run(tmp_path / "1", THREE, UNKNOWN)
    manifest = run(tmp_path / "2", ONE, UNKNOWN, previous=tmp_path / "1")
    assert files_of_a(manifest) == []
    run(tmp_path / "3", ONE, KNOWN, previous=tmp_path / "2")
    assert rows_of(tmp_path / "3", "A_remove.csv") == [["4711", "Alpha"], ["4711", "Beta"]]


def test_differences_since_a_release_need_the_id_too(tmp_path: Path) -> None:
    run(tmp_path / "1", THREE, UNKNOWN)
    run(tmp_path / "2", TWO, UNKNOWN, previous=tmp_path / "1")
    places = {"live": tmp_path / "2", "earlier": tmp_path / "1"}
    manifest = write_since(**places, folder=tmp_path / "3", destinations=[UNKNOWN])
    assert files_of_a(manifest) == []
    write_since(**places, folder=tmp_path / "4", destinations=[KNOWN])
    assert rows_of(tmp_path / "4", "A_remove.csv") == [["4711", "Alpha"]]


@pytest.mark.parametrize("kind", ["add", "remove"])
def test_no_file_names_a_list_that_is_not_there(tmp_path: Path, kind: str) -> None:
    with pytest.raises(AudienceError, match=r"list_ids: \{matched: \{A: \.\.\.\}\}"):
        write_csv(
            lambda: [("Alpha",)],
            destination=UNKNOWN,
            folder=tmp_path,
            name="A",
            audience="A",
            kind=kind,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(("ids", "kind"), [({}, "full"), ({"A": 4711}, "remove")])
def test_microsofts_files_name_their_list(tmp_path: Path, ids: dict[str, int], kind: str) -> None:
    (rules,) = with_list_ids([load_destinations()["microsoft_ads"]], {"microsoft_ads": ids})
    hashes = duckdb.sql("select sha256(i::varchar) from range(300) as t (i)").fetchall()
    (file,) = write_csv(
        lambda: hashes,
        destination=rules,
        folder=tmp_path,
        name="A",
        audience="A",
        kind=kind,  # type: ignore[arg-type]
    )
    assert microsoft_ads.check(file.path, kind) == []
    lines = [line.split(",") for line in file.path.read_text().splitlines()]
    expected = str(ids.get("A", -10))
    assert (lines[2][2], {line[3] for line in lines[3:]}) == (expected, {expected})


def test_ids_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "kam.yml"
    path.write_text("list_ids: {microsoft_ads: {A: 4711}}\n")
    assert load_settings(path, {}, environment={}).list_ids == {"microsoft_ads": {"A": 4711}}
    given = load_settings(None, {}, environment={"KAM_LIST_IDS": '{"microsoft_ads": {"A": 1}}'})
    assert given.list_ids == {"microsoft_ads": {"A": 1}}
    for text, said in (
        ("list_ids: {demandbase: {A: 1}}", "demandbase takes no Ids of lists; name one of micro"),
        ("list_ids: {microsoft_ads: {A: -10}}", "list_ids"),
    ):
        path.write_text(text)
        with pytest.raises(SettingsError, match=said):
            load_settings(path, {}, environment={})
