"""All places of an output folder, in their order: killed anywhere, the next call or refresh makes it good."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.forgetting import everywhere
from dagster_project.lib.forgetting.everywhere import Forgotten, finish, forget_everywhere
from dagster_project.lib.forgetting.found import Subject, find_subject
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.landing import land_everything
from dagster_project.lib.release.live import read_live
from dagster_project.settings import Settings
from tests.unit.forgetting.conftest import ANNA, sha

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
