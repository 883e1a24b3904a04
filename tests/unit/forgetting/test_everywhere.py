"""All places of an output folder, in their order: killed anywhere, the next call or refresh makes it good."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.audiences.destinations import load_destinations
from dagster_project.lib.extracts.quoting import identifier
from dagster_project.lib.forgetting import everywhere
from dagster_project.lib.forgetting.everywhere import Forgotten, finish, forget_everywhere
from dagster_project.lib.forgetting.found import Subject, find_subject
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.landing import land_everything
from dagster_project.lib.release.live import read_live
from dagster_project.lib.run_folder import make_scratch
from dagster_project.settings import Settings
from tests.unit.forgetting.conftest import ANNA, BOB, sha, write_audience, write_sent

SOUGHT = (ANNA.encode(), sha(ANNA).encode(), "Alder & Söhne GmbH".encode())
STEPS = ("_free_texts", "_remove_warehouse", "_free_releases", "_free_raw", "still_delivered")


@pytest.fixture
def settings(published: Path) -> Settings:
    """An output folder with a raw zone, a release, a warehouse and a log, and its landing folder."""
    out = published.parent
    made = Settings(landing=out.parent / "landing", out=out, threads=1)
    crm = made.landing / "crm"
    crm.mkdir(parents=True)
    (crm / "contacts.csv").write_text(
        f"contact_id,account_id,email\nP1,A2,{ANNA}\nP2,A2,bob@example.com\n", encoding="utf-8"
    )
    (crm / "accounts.csv").write_text(
        "account_id,account_name\nA1,Alder & Söhne GmbH\nA2,Birch\n", encoding="utf-8"
    )
    land_everything(made, scratch=out / "scratch")
    made.warehouse.parent.mkdir()
    with duckdb.connect(str(made.warehouse)) as warehouse:
        warehouse.execute(f"create table contact as select '{ANNA}' as email")
    run = made.runs / "r1"
    (run / "scratch").mkdir(parents=True)
    (run / "scratch" / "spilt").write_text(ANNA, encoding="utf-8")
    (run / "kept.duckdb").write_text(ANNA, encoding="utf-8")
    (run / "outcome.json").write_text(json.dumps({"failed": f"mail to {ANNA}"}), encoding="utf-8")
    return made


def called(settings: Settings, kind: str, text: str, **options: Any) -> Forgotten:
    known = read_record(settings.raw)
    subject = Subject(kind, text)  # type: ignore[arg-type]
    live = read_live(settings.published)
    record = find_subject(subject, known, raw=settings.raw, live=live)
    is_new = record.fingerprint != known.fingerprint
    return forget_everywhere(record, settings, is_new=is_new, **options)


def holding(settings: Settings) -> list[str]:
    """Files that hold somebody, in their bytes or as Parquet."""
    found = []
    for path in sorted(settings.out.rglob("*")):
        if path.is_file():
            text = path.read_bytes()
            if path.suffix == ".parquet":
                text += repr(duckdb.sql(f"from '{path}'").fetchall()).encode()
            if any(sought in text for sought in SOUGHT):
                found.append(str(path.relative_to(settings.out)))
    return found


def forget_both(settings: Settings) -> None:
    called(settings, "email", ANNA)
    called(settings, "account", "crm:A1")


def test_every_place_is_freed_and_told(settings: Settings) -> None:
    assert len(holding(settings)) >= 8
    done = called(settings, "email", ANNA)
    places = {place.place.partition(":")[0].partition(" (")[0] for place in done.places}
    assert places == {"runs", "warehouse", "release 20260101T000000Z-0123abcd", "raw zone"}
    assert ("google_customer_match", "A", "20260101T000000Z-0123abcd") in done.held
    assert done.still_delivered == [("crm/contacts.csv", 1)]
    called(settings, "account", "crm:A1")
    assert holding(settings) == []
    assert not settings.warehouse.exists()
    assert not read_record(settings.raw).is_unfinished
    live = read_live(settings.published)
    assert live is not None
    assert (settings.published / "marts.duckdb").read_bytes() == live.database.read_bytes()


def test_a_dry_run_tells_what_the_call_tells(settings: Settings) -> None:
    (settings.raw / "phones.parquet").write_bytes(b"made of contacts")
    dry = called(settings, "email", ANNA, is_dry=True)
    assert (settings.raw / "phones.parquet").exists()
    done = called(settings, "email", ANNA)
    assert not (settings.raw / "phones.parquet").exists()
    assert dry.still_delivered == done.still_delivered == [("crm/contacts.csv", 1)]
    # a killed run's scratch is searched by the one and thrown away by the other
    assert [place.place for place in dry.places] == [place.place for place in done.places]
    assert dry.places[1:] == done.places[1:]
    assert [place.removed for place in done.places if "files made of it" in place.place] == [1]


def test_what_a_killed_run_spilt_elsewhere_goes(settings: Settings, tmp_path: Path) -> None:
    run = settings.runs / "r2"
    run.mkdir()
    elsewhere = make_scratch(run, tmp_path / "fast")
    (elsewhere / "spilt").write_text(ANNA, encoding="utf-8")
    called(settings, "email", ANNA)
    assert not elsewhere.exists()
    assert not (settings.runs / "r1" / "scratch").exists()


def test_a_second_call_finds_nothing(settings: Settings) -> None:
    forget_both(settings)
    before = {path: path.stat().st_mtime_ns for path in settings.out.rglob("*") if path.is_file()}
    again = called(settings, "email", ANNA)
    assert (again.places, again.held) == ([], [])
    assert called(settings, "account", "crm:accounts:A1").places == []
    after = {path: path.stat().st_mtime_ns for path in settings.out.rglob("*") if path.is_file()}
    assert after == before


def test_somebody_unknown_costs_no_warehouse_and_is_filtered_later(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    done = called(settings, "email", "eve@example.com")
    assert done.places == []
    assert settings.warehouse.exists()
    (settings.landing / "crm" / "contacts_2.csv").write_text(
        "contact_id,account_id,email\nP3,A2,Eve@example.com\n", encoding="utf-8"
    )
    with caplog.at_level("INFO"):
        report = land_everything(settings, scratch=settings.out / "scratch")
    assert "contacts_2.csv: 0 rows read, 0 rejected, left out: 1 forgotten" in caplog.text
    entries = {file.file: file.entry for file in report.files}
    assert entries["crm/contacts_2.csv"].rows_left_out == {"forgotten": 1}
    assert entries["crm/contacts.csv"].rows_loaded == 2


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("by_refresh", [True, False])
def test_a_call_that_ends_before_a_step_is_made_good(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str, *, by_refresh: bool
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    called(settings, "email", ANNA, is_dry=True)
    monkeypatch.setattr(everywhere, step, killed)
    with pytest.raises(KeyboardInterrupt):
        called(settings, "email", ANNA)
    monkeypatch.undo()
    assert read_record(settings.raw).is_unfinished
    live = read_live(settings.published)
    assert live is not None
    assert all(live.mart(mart.name).is_file() for mart in live.manifest.marts)
    if by_refresh:
        finish(settings)
    else:
        called(settings, "email", ANNA)
    assert not read_record(settings.raw).is_unfinished
    # the account was not asked for
    assert all(place.startswith(("published", "raw/accounts")) for place in holding(settings))
    called(settings, "account", "crm:A1")
    assert holding(settings) == []
    assert not list(settings.out.rglob("*.part"))


def test_texts_that_may_name_them_are_told(settings: Settings) -> None:
    accounts = settings.landing / "crm" / "accounts.csv"
    text = accounts.read_text(encoding="utf-8")
    accounts.write_text(text.replace("Birch", "EDF"), encoding="utf-8")
    land_everything(settings, scratch=settings.out / "scratch")
    for number in range(5):
        (settings.runs / f"r{number}.log").write_text("EDF, EDFs", encoding="utf-8")
    (settings.runs / "r9.log").write_text("EDFs", encoding="utf-8")
    for is_dry in (True, False):
        (said,) = called(settings, "account", "crm:A2", is_dry=is_dry).not_reached
        assert said.startswith("runs: r0.log, r1.log, r2.log and 2 more may name them")
        assert "EDF" not in said
    assert called(settings, "account", "crm:accounts:A2").not_reached == []


def test_what_the_dashboard_drew_goes_and_what_was_typed_there_is_named(settings: Settings) -> None:
    folder = settings.out / "dashboard"
    folder.mkdir()
    for name in ("dashboard.png", "superset.log", "superset.db", "password"):
        (folder / name).write_bytes(b"Alder & S\xc3\xb6hne GmbH")
    told = called(settings, "account", "crm:A1", is_dry=True)
    assert len(list(folder.iterdir())) == 4
    done = called(settings, "account", "crm:A1")
    assert sorted(path.name for path in folder.iterdir()) == ["password", "superset.db"]
    for said in (told, done):
        assert ("dashboard (picture and log)", 2) in {(at.place, at.removed) for at in said.places}
        (text,) = said.not_reached
        assert "superset.db" in text
    assert not called(settings, "account", "crm:accounts:A1").places


def test_a_removal_that_nobody_loaded_yet_is_not_lost(settings: Settings, tmp_path: Path) -> None:
    """Who left a list in a kept release may be held still: their remove and clearing rows go along."""
    live = read_live(settings.published)
    assert live is not None
    older = live.folder.with_name("20251201T000000Z-0123abcd")
    shutil.copytree(live.folder, older)
    salesforce, hubspot = (load_destinations()[name] for name in ("salesforce", "hubspot"))
    clearing = ["crm:accounts:A1", *["#N/A"] * (len(salesforce.columns) - 1)]
    files = [
        write_audience(
            live.audiences,
            "linkedin_contacts",
            "A_remove",
            [[ANNA, "Anna", *[""] * 5], [BOB, *[""] * 6]],
            kind="remove",
        ),
        write_audience(
            live.audiences,
            "salesforce",
            "changed_accounts",
            [clearing, ["crm:accounts:A2", *["B"] * (len(clearing) - 1)]],
            kind="upsert",
        ),
        # found by what the older release sent; this row names no account
        write_audience(
            live.audiences,
            "hubspot",
            "changed_accounts",
            [[domain, *hubspot_cells("none")] for domain in ("alder.example", "birch.example")],
            kind="upsert",
        ),
    ]
    cells = ["alder.example", "crm:accounts:A1", *hubspot_cells("B")[1:]]
    shown = ", ".join(
        f"'{cell}' as {identifier(name)}" for name, cell in zip(hubspot.columns, cells, strict=True)
    )
    write_sent(older / "audiences", "hubspot", f"select 'changed_accounts' as audience, {shown}")
    manifest = live.audiences / "manifest.json"
    said = json.loads(manifest.read_bytes())["files"]
    manifest.write_text(json.dumps({"files": said[:2] + files + said[3:]}), encoding="utf-8")

    person = called(settings, "email", ANNA, removals=tmp_path / "1").removals
    assert names_of(person) == {"google_customer_match/A_remove", "linkedin_contacts/A_remove"}
    (linkedin,) = [path for path in person if path.parent.name == "linkedin_contacts"]
    assert linkedin.read_text(encoding="utf-8").splitlines()[1:] == [f"{ANNA},Anna,,,,,"]
    account = called(settings, "account", "crm:A1", removals=tmp_path / "2").removals
    assert names_of(account) == {
        "linkedin_companies/A_remove",
        "salesforce/changed_accounts",
        "hubspot/changed_accounts",
    }
    for path, key in zip(sorted(account), ("alder.example", "", "crm:accounts:A1"), strict=True):
        rows = path.read_text(encoding="utf-8").splitlines()[1:]
        assert [row.split(",")[0] for row in rows] == [key or "Alder"]
    for name, key in (("salesforce", "A1"), ("hubspot", "alder")):
        left = (live.audiences / name / "changed_accounts.csv").read_text(encoding="utf-8")
        assert key not in left
        assert len(left.splitlines()) == 2


def hubspot_cells(word: str) -> list[str]:
    destination = load_destinations()["hubspot"]
    is_cleared = word == destination.cleared
    return [
        destination.cleared_cells.get(name, word) if is_cleared else word
        for name in destination.columns[1:]
    ]


def names_of(paths: list[Path]) -> set[str]:
    return {f"{path.parent.name}/{path.stem}" for path in paths}
