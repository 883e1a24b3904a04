"""A kept release loses somebody in every form, stays whole at every moment, and says true hashes afterwards."""

from __future__ import annotations

import csv
import hashlib
import html
import json
import os
import re
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from dagster_project.lib.audiences.destinations import load_destinations
from dagster_project.lib.audiences.files import write_csv
from dagster_project.lib.audiences.records import AudienceManifest, written
from dagster_project.lib.forgetting import releases, swap
from dagster_project.lib.forgetting.audience_files import free_audiences
from dagster_project.lib.forgetting.found import Names, plain_names
from dagster_project.lib.forgetting.releases import free_release
from dagster_project.lib.forgetting.removals import write_removals
from dagster_project.lib.forgetting.texts import free_folder, freed_text
from dagster_project.lib.release.content import content_sha256
from tests.unit.forgetting.conftest import (
    ANNA,
    BOB,
    NAMES,
    RELEASE,
    ROWS,
    matcher,
    sha,
    write_sent,
)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_marts_lose_people_and_what_describes_accounts(published: Path) -> None:
    folder = published / "releases" / RELEASE
    freed = free_release(folder, matcher(), NAMES)
    assert {name: tuple(counts) for name, counts in freed.marts.items()} == {
        "account_tiers": (0, 2),
        "abm_contacts": (1, 0),
        "identity_review": (0, 1),
    }
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as database:
        rows = database.execute("from account_tiers").fetchall()
        assert [str(cell) for cell in rows[0]] == [
            *("crm:accounts:A1", "A1", "None", "None", "None", "(forgotten)", "10.5000", "h1")
        ]
        assert rows[1][5].startswith("Set to A by forgotten-")
        assert database.execute("from abm_contacts").fetchall() == [
            ("crm:P2", "crm:accounts:A2", False)
        ]
        review = database.execute("select customer_name, crm_account_name from identity_review")
        assert review.fetchall() == [("C1", "Birch")]
        comment = database.execute(
            "select comment from duckdb_tables() where table_name = 'account_tiers'"
        ).fetchone()
        assert comment == ("about account_tiers",)
        kinds = database.execute("describe account_tiers").fetchall()
    with duckdb.connect() as plain:
        assert [kind[1] for kind in kinds] == [
            row[1] for row in plain.execute(f"describe {ROWS['account_tiers'][1]}").fetchall()
        ]


def test_the_manifest_says_what_the_files_hold(published: Path) -> None:
    folder = published / "releases" / RELEASE
    free_release(folder, matcher(), NAMES, inputs={("s", "crm", "contacts"): 7})
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for record in manifest["marts"]:
        path = folder / "marts" / f"{record['name']}.parquet"
        with duckdb.connect(config={"preserve_insertion_order": True}) as reader:
            assert content_sha256(reader, path) == (record["rows"], record["sha256"])
    assert manifest["of_a_newer_version"] == 1
    assert len(manifest["rewritten_on"]) == 1
    assert manifest["checks"][0]["observed"].startswith("A1: 3, by forgotten-")
    counted = {name: value for name, value in manifest["inputs"][0].items() if "rows" in name}
    assert counted == {"rows_read": 7, "rows_loaded": 0, "rows_superseded": 6, "rows_rejected": 1}
    said = json.loads((folder / "audiences" / "manifest.json").read_bytes())
    for entry in said["files"]:
        raw = (folder / "audiences" / entry["file"]).read_bytes()
        assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (entry["sha256"], entry["size"])
        assert raw.count(b"\r\n") == entry["rows"] + 1
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert report == "<p>A1</p><script>{'n': 'A1'}</script>"


def test_keys_that_a_crm_has_are_taken_out_and_are_in_no_audience(published: Path) -> None:
    folder = published / "releases" / RELEASE / "audiences"
    held = folder / "sent" / "held" / "salesforce.parquet"
    held.parent.mkdir()
    query = "select unnest(['crm:accounts:A1', 'crm:accounts:A2']) as account_key"
    duckdb.sql(f"copy ({query}) to '{held}' (format parquet)")
    freed = free_release(folder.parent, matcher(), NAMES).audiences
    assert freed.rows["sent/held/salesforce.parquet"] == 1
    assert duckdb.sql(f"from '{held}'").fetchall() == [("crm:accounts:A2",)]
    assert "salesforce" not in {destination for destination, _ in freed.held}


def test_audiences_lose_rows_by_content_and_by_what_was_sent(published: Path) -> None:
    folder = published / "releases" / RELEASE / "audiences"
    kept = (folder / "linkedin_contacts" / "A_remove.csv").read_bytes()
    freed = free_release(folder.parent, matcher(), NAMES).audiences
    assert freed.rows == {
        "google_customer_match/A.csv": 2,
        "linkedin_contacts/A.csv": 1,
        "linkedin_companies/A.csv": 1,
        "sent/google_customer_match.parquet": 2,
        "sent/linkedin_companies.parquet": 1,
    }
    assert freed.held == {
        ("google_customer_match", "A"),
        ("linkedin_contacts", "A"),
        ("linkedin_companies", "A"),
    }
    assert (folder / "linkedin_contacts" / "A_remove.csv").read_bytes() == kept
    for path in (*folder.glob("google*/A.csv"), folder / "sent" / "linkedin_companies.parquet"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not free_audiences(folder, None, matcher()).rows


def test_removal_files_are_in_the_destinations_form(published: Path, tmp_path: Path) -> None:
    folder = published / "releases" / RELEASE / "audiences"
    written = write_removals(folder, matcher(), tmp_path / "removals")
    assert [path.relative_to(tmp_path / "removals").as_posix() for path in written] == [
        "google_customer_match/A_remove.csv",
        "linkedin_companies/A_remove.csv",
    ]
    with written[0].open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert tuple(header) == load_destinations()["google_customer_match"].header
    assert sorted(row[0] for row in rows) == ["", sha(ANNA)]
    assert write_removals(folder, matcher(), tmp_path / "removals") == written


def test_a_list_is_left_by_its_id(tmp_path: Path) -> None:
    """Without the Id no file can name the list."""
    query = f"select 'A' as audience, 'crm:P1' as contact_key, '{sha(ANNA)}' as text"
    write_sent(tmp_path, "microsoft_ads", query)
    target = tmp_path / "removals"
    assert write_removals(tmp_path, matcher(), target) == []
    ids = {"microsoft_ads": {"A": 4711}}
    (file,) = write_removals(tmp_path, matcher(), target, list_ids=ids)
    assert f"Customer List Item,,,4711,,,,,,A,,Email,{sha(ANNA)}" in file.read_text()


@pytest.mark.parametrize("others", [[], [BOB]])
def test_leading_rows_go_with_the_last_member(tmp_path: Path, others: list[str]) -> None:
    destination = load_destinations()["microsoft_ads"]
    folder = tmp_path / "audiences"
    (file,) = write_csv(
        lambda: [[sha(address)] for address in (ANNA, *others)],
        destination=destination,
        folder=folder / "microsoft_ads",
        name="A",
        audience="A",
    )
    entry = written(destination, file, audience="A", kind="full", left_out={}, is_large_enough=True)
    manifest = AudienceManifest(files=(entry,)).model_dump_json()
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    free_audiences(folder, tmp_path / "freed", matcher())
    path = tmp_path / "freed" / "microsoft_ads" / "A.csv"
    text = path.read_text(encoding="utf-8").lower()
    assert sha(ANNA) not in text
    assert len(text.splitlines()) == (4 if others else 1)
    (said,) = json.loads((tmp_path / "freed" / "manifest.json").read_bytes())["files"]
    assert (said["rows"], said["sha256"]) == (
        len(others),
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def test_a_dry_run_and_a_second_call_change_nothing(published: Path) -> None:
    folder = published / "releases" / RELEASE
    before = files_of(published)
    assert free_release(folder, matcher(), NAMES, is_dry=True)
    assert files_of(published) == before
    assert free_release(folder, matcher(), NAMES)
    once = files_of(published)
    assert once != before
    assert not free_release(folder, matcher(), NAMES)
    assert files_of(published) == once
    assert [path.name for path in folder.parent.iterdir()] == [RELEASE]


def test_what_does_not_change_is_the_same_file(published: Path) -> None:
    folder = published / "releases" / RELEASE
    path = folder / "marts" / "tier_playbook.parquet"
    before = path.stat().st_ino
    free_release(folder, matcher(), NAMES)
    assert path.stat().st_ino == before


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_reader_finds_the_release_whole_at_every_moment(
    published: Path, monkeypatch: pytest.MonkeyPatch, *, can_exchange: bool
) -> None:
    """Before the swap it is as it was, after it as it is to be; no file is missing in between."""
    folder = published / "releases" / RELEASE
    before = files_of(folder)
    seen: list[dict[str, bytes]] = []
    replace, exchange = os.replace, swap._exchanged

    def look(*arguments: Any) -> None:
        replace(*arguments)
        if arguments[1].is_relative_to(folder):
            seen.append(files_of(folder))

    def looked(*arguments: Any) -> bool:
        seen.append(files_of(folder))
        return can_exchange and exchange(*arguments)

    monkeypatch.setattr(os, "replace", look)
    monkeypatch.setattr(swap, "_exchanged", looked)
    free_release(folder, matcher(), NAMES)
    after = files_of(folder)
    assert seen[0] == before
    for moment in seen:
        assert set(moment) == set(before) == set(after)
        for name, raw in moment.items():
            assert raw in (before[name], after[name]), name
    if not can_exchange:
        assert seen[-1] == after
        assert seen[-2]["manifest.json"] == before["manifest.json"]


def test_a_release_that_fails_stays_as_it_was(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(published)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr(releases, "write_database", full)
    with pytest.raises(OSError, match="no room"):
        free_release(published / "releases" / RELEASE, matcher(), NAMES)
    assert files_of(published) == before


def test_texts_lose_names_and_addresses_in_every_form(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "run.log").write_bytes(
        b"sent to Anna@Example.com for Alder & S\xc3\xb6hne GmbH\n\xff\x00"
    )
    (folder / "checks.json").write_text(
        json.dumps([{"observed": "Alder & Söhne GmbH", "check_name": "Alder & Söhne GmbH"}])
    )
    (folder / "clean.log").write_text("bob@example.com")
    with sqlite3.connect(folder / "events.db") as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table event (id integer primary key, body text)")
        database.execute("insert into event (body) values (?)", [f"mail {ANNA} {sha(ANNA)}"])
    assert set(free_folder(folder, matcher(), NAMES.sure, is_dry=True)) == {
        "run.log",
        "checks.json",
        "events.db",
    }
    assert set(free_folder(folder, matcher(), NAMES.sure)) == {
        "run.log",
        "checks.json",
        "events.db",
    }
    for path in folder.iterdir():
        raw = path.read_bytes().lower()
        assert ANNA.encode() not in raw, path
        assert sha(ANNA).encode() not in raw, path
    raw = (folder / "run.log").read_bytes()
    assert raw.endswith(b"for A1\n\xff\x00")
    # a check's name is a word of ours, what it saw is not
    (check,) = json.loads((folder / "checks.json").read_bytes())
    assert check == {"observed": "A1", "check_name": "Alder & Söhne GmbH"}
    assert not free_folder(folder, matcher(), NAMES.sure)


def test_an_account_of_the_same_name_keeps_it(published: Path) -> None:
    folder = published / "releases" / RELEASE
    free_release(folder, matcher(), Names({"Birch": "A1", "Call them": "A1"}, {}))
    rows = duckdb.sql(f"select account_name from '{folder}/marts/account_tiers.parquet' order by 1")
    assert rows.fetchall() == [("A1",), ("Birch",)]
    names = plain_names(matcher().record, raw=published / "none", marts=[folder / "marts"])
    assert names == Names({}, {})


def test_a_name_is_known_unless_another_account_has_it(tmp_path: Path) -> None:
    for folder, other in (("one", "Birch"), ("two", "Alder Ltd")):
        (tmp_path / folder).mkdir()
        duckdb.sql(
            f"copy (select * from (values ('crm:accounts:A1', 'Alder Ltd'), ('crm:accounts:A2', '{other}'))"
            f" as t(account_key, account_name)) to '{tmp_path}/{folder}/account_tiers.parquet'"
        )
    record = matcher().record
    one, both = ([tmp_path / "one"], [tmp_path / "one", tmp_path / "two"])
    assert plain_names(record, raw=tmp_path, marts=one) == Names({"Alder Ltd": "A1"}, {})
    assert plain_names(record, raw=tmp_path, marts=both) == Names({}, {"Alder Ltd": "A1"})


@pytest.mark.parametrize("name", ["EDF", "orange"])
def test_a_short_name_or_a_word_is_told_and_stays(published: Path, name: str) -> None:
    folder = published / "releases" / RELEASE
    duckdb.sql(
        f"copy (select 'crm:accounts:A1' as account_key, '{name}' as account_name)"
        f" to '{folder}/marts/account_tiers.parquet'"
    )
    report = folder / "report.html"
    report.write_text(f"<p>{name}, {name}x</p>", encoding="utf-8")
    names = plain_names(matcher().record, raw=published / "none", marts=[folder / "marts"])
    assert names == Names({}, {name: "A1"})
    freed = free_release(folder, matcher(), names)
    assert (freed.texts.get("report.html"), freed.unsure) == (None, {"report.html": 1})
    assert name in report.read_text(encoding="utf-8")


def test_a_part_of_a_longer_name_stays() -> None:
    text, count = freed_text("Birch, Birchwood, Birch", matcher(), {"Birch": "A2"})
    assert (text, count) == ("A2, Birchwood, A2", 2)


@pytest.mark.parametrize("name", ["L'Atelier", 'Die "Eiche"', "Müller & Co's", "A < B"])
def test_a_name_is_found_as_each_writer_of_texts_writes_it(name: str) -> None:
    page = Environment(autoescape=True).from_string("<p>{{ name }}</p>").render(name=name)
    for text in (
        page,
        f"<p>{html.escape(name)}</p>",
        json.dumps({"message": name}),
        json.dumps({"message": name}, ensure_ascii=False),
        f"read {name}.",
    ):
        freed, count = freed_text(text, matcher(), {name: "A1"})
        assert count == 1, text
        assert re.sub(r"[^A-Z0-9]", "", freed) == "A1", text
