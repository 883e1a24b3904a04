"""What is forgotten is in no byte of the output folder, also after the same people are delivered again."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.extracts.ledger import read_ledger
from dagster_project.lib.release.content import content_sha256
from tests.pipeline.conftest import made_once
from tests.pipeline.people import (
    ADA,
    ANNA,
    ANNA_BEFORE,
    BOB,
    CARL,
    DORA,
    deliver_again,
    needles,
    places_of,
    plant,
)
from tests.pipeline.pipeline_runs import (
    GOLDEN,
    GOLDEN_AS_OF,
    REPOSITORY,
    Refreshed,
    kam,
    published,
    refreshed,
)

# A line among ten cannot be read here, which no company would tolerate.
POLICY = "gate: {max_rejected_share: 0.9}\n"
NAME = b"Smythson"
# In Parquet a mart by part has another hash, see `lib/release/content.py`.
IN_PARTS = {"account_monthly", "account_tier_history", "published_tiers"}
KILLS = {
    "before the first release": ("dagster_project.lib.forgetting.everywhere", "_free_releases"),
    "before the swap of the release": ("dagster_project.lib.forgetting.releases", "exchange"),
    "before the raw zone": ("dagster_project.lib.forgetting.everywhere", "_free_raw"),
    "amid the raw zone": ("dagster_project.lib.forgetting.landed", "write_entry"),
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The golden company with people."""

    def make(folder: Path) -> None:
        shutil.copytree(GOLDEN / "landing", folder / "landing")
        plant(folder / "landing")
        published(refreshed(folder / "landing", folder / "out", as_of=GOLDEN_AS_OF, policy=POLICY))

    folder = made_once(tmp_path_factory, "golden_with_people", make)
    return Refreshed(folder / "landing", folder / "out")


@pytest.fixture
def own(company: Refreshed, tmp_path: Path) -> Refreshed:
    """A copy to forget in."""
    return company.copy(tmp_path)


def forget(company: Refreshed, *arguments: str | Path) -> dict[str, Any]:
    """Calls `kam forget`."""
    where = ("--out", company.out, "--landing", company.landing)
    called = kam("forget", *arguments, *where, "--json")
    assert called.returncode == 0, called.stderr
    assert not called.stderr
    answer: dict[str, Any] = json.loads(called.stdout)
    return answer


def is_whole(company: Refreshed) -> bool:
    """Whether the live release says of itself what is in it, in both of its forms."""
    live = company.live
    with duckdb.connect(str(live.database), read_only=True) as database:
        for mart in live.manifest.marts:
            path = live.mart(mart.name)
            with duckdb.connect(config={"preserve_insertion_order": True}) as reader:
                rows, sha256 = content_sha256(reader, path)
                other = reader.execute(f"select * from '{path}' order by all").fetchall()
            assert rows == mart.rows, mart.name
            assert sha256 == mart.sha256 or mart.name in IN_PARTS, mart.name
            own = database.execute(f"select * from {mart.name} order by all").fetchall()
            assert own == other, mart.name
    said = json.loads((live.audiences / "manifest.json").read_bytes())
    for entry in said["files"]:
        if entry["file"]:
            raw = (live.audiences / entry["file"]).read_bytes()
            assert hashlib.sha256(raw).hexdigest() == entry["sha256"], entry["file"]
            with (live.audiences / entry["file"]).open(encoding="utf-8", newline="") as stream:
                assert len(list(csv.reader(stream))) == entry["rows"] + 1, entry["file"]
    database_of_readers = company.out / "published" / "marts.duckdb"
    return database_of_readers.read_bytes() == live.database.read_bytes()


def test_the_people_are_there_before(company: Refreshed) -> None:
    for address in (ANNA, ANNA_BEFORE, BOB, CARL, DORA, ADA):
        assert places_of(company.out, needles(address)), address
    assert places_of(company.out, [NAME])


def test_a_dry_run_changes_nothing_and_says_what_the_call_says(own: Refreshed) -> None:
    before = {path: path.read_bytes() for path in own.out.rglob("*") if path.is_file()}
    told = forget(own, "--email", ANNA, "--dry-run")
    after = {path: path.read_bytes() for path in own.out.rglob("*") if path.is_file()}
    assert after == before
    done = forget(own, "--email", ANNA)
    assert told["dry_run"]
    assert told["places"] == done["places"]


def test_a_person_is_gone_by_any_spelling_and_stays_away(own: Refreshed) -> None:
    """By the address of today the older one of the same contact goes too, and both stay out of later deliveries."""
    done = forget(own, "--email", "  ANNA.Smith @alder.example")
    sought = needles(ANNA) | needles(ANNA_BEFORE) | {NAME}
    assert not places_of(own.out, sought)
    assert is_whole(own)
    assert places_of(own.out, needles(BOB))
    assert ["crm/accounts.csv", 1] in done["still_delivered"]
    assert dict(done["still_delivered"])["crm/contacts_2.csv"] == 1
    assert "nothing is left" in kam("forget", "--email", ANNA, "--out", own.out).stdout
    assert forget(own, "--email", ANNA)["places"] == []

    deliver_again(own.landing)
    outcome = published(refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY))
    assert not places_of(own.out, sought | {b"new.address"})
    assert outcome.landing is not None
    left_out = {
        file.file: (file.entry.rows_read, file.entry.rows_left_out)
        for file in outcome.landing.files
        if file.entry.entity == "contacts"
    }
    # of five lines four were rows and one was rejected; its text is withheld, and it still counts
    assert left_out == {
        "crm/contacts_1.csv": (4, {"forgotten": 1}),
        "crm/contacts_2.csv": (0, {"forgotten": 1}),
        "crm/contacts_3.csv": (1, {"forgotten": 2}),
    }
    for entry in read_ledger(own.out / "raw"):
        path = own.out / "raw" / entry.entity / entry.landed
        (rows,) = duckdb.sql(f"select count(*) from '{path}'").fetchall()[0], None
        assert rows[0] == entry.rows_loaded, entry.file
        assert entry.rows_read == entry.rows_loaded + entry.rows_rejected
    inputs = {item.file: item for item in own.live.manifest.inputs}
    for item in inputs.values():
        assert item.rows_read == item.rows_loaded + item.rows_superseded + item.rows_rejected
    numbers = duckdb.sql(
        f"select contact_id, line_number from '{own.out}/raw/contacts/*.parquet' order by all"
    ).fetchall()
    assert numbers == [("P2", 3), ("P3", 4), ("P4", 5), ("P8", 4)]
    again = refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY)
    assert again.status == "nothing_to_do"


def test_a_suppression_goes_on_by_its_digest(own: Refreshed) -> None:
    forget(own, "--email", BOB)
    digest = hashlib.sha256(BOB.encode()).hexdigest()
    rows = duckdb.sql(
        f"select email, email_sha256, reason from '{own.out}/raw/suppressions/0*.parquet'"
    ).fetchall()
    assert rows == [(None, digest, "asked us to")]
    assert not places_of(own.out, [BOB.encode()])
    left = places_of(own.out, needles(BOB))
    assert all(place.startswith("raw/suppressions/") for place in left)


def test_a_domains_people_go_and_the_company_stays(own: Refreshed) -> None:
    forget(own, "--domain", "cedar-timber.example")
    assert not places_of(own.out, needles(CARL) | needles(DORA) | {b"Carlsson", b"Dorfman"})
    assert places_of(own.out, needles(BOB))
    assert own.accounts()["crm:accounts:3"]["account_name"] == "Cedar"
    assert is_whole(own)


def test_a_user_keeps_the_id_and_the_hours(own: Refreshed) -> None:
    forget(own, "--email", ADA)
    assert not places_of(own.out, needles(ADA))
    rows = duckdb.sql(
        "select user_id, user_name, email, available_hours_per_year::int "
        f"from '{own.out}/raw/users/0*.parquet' order by all"
    ).fetchall()
    assert rows[0] == ("U1", None, None, 150)
    assert rows[1][:3] == ("U2", "Ben", "ben@example.com")


def test_an_account_keeps_its_books_alone(own: Refreshed) -> None:
    """As CRM id, ERP id or key: its name and people go, its money stays under the ERP's id."""
    before = own.accounts()["crm:accounts:3"]
    removals = own.out.parent / "removals"
    done = forget(own, "--account", "C3", "--removals", removals)
    assert {held[0] for held in done["held"]} >= {"generic"}
    assert (removals / "generic").is_dir()
    for path in removals.rglob("*.csv"):
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text(encoding="utf-8")
        assert "crm:accounts:3" in text or "Cedar" in text
    assert not places_of(own.out, needles(CARL) | {b"Cedar", b"Carlsson", b"Dorfman"})
    assert is_whole(own)
    rewritten = own.accounts()["crm:accounts:3"]
    assert (rewritten["account_name"], rewritten["industry"], rewritten["owner_id"]) == (
        "3",
        None,
        None,
    )
    same = ("revenue", "gross_margin", "final_tier", "revenue_rank", "row_hash")
    assert {name: rewritten[name] for name in same} == {name: before[name] for name in same}

    published(refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY))
    assert not places_of(own.out, needles(CARL) | {b"Cedar", b"Carlsson", b"Dorfman"})
    accounts = own.accounts()
    assert not accounts["crm:accounts:3"]["is_active"]
    assert accounts["erp:customers:C3"]["is_placeholder"]
    assert accounts["erp:customers:C3"]["revenue"] == before["revenue"]
    assert accounts["erp:customers:C3"]["account_name"] == "C3"


@pytest.mark.parametrize("moment", KILLS)
def test_a_call_that_is_killed_is_made_good(own: Refreshed, moment: str) -> None:
    """By the same call again; until then the live release is whole, as it was or as it is to be."""
    module, function = KILLS[moment]
    script = (
        "import importlib, os, signal\n"
        f"module = importlib.import_module({module!r})\n"
        f"setattr(module, {function!r}, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
        "from dagster_project.cli import app\n"
        "app()\n"
    )
    arguments = ["forget", "--account", "3", "--out", own.out, "--landing", own.landing]
    killed = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=REPOSITORY, check=False
    )
    assert killed.returncode == -9
    assert is_whole(own) or moment == "before the raw zone"
    sought = needles(CARL) | {b"Cedar", b"Carlsson", b"Dorfman"}
    assert places_of(own.out, sought)
    forget(own, "--account", "3")
    assert not places_of(own.out, sought)
    assert is_whole(own)
    assert not list(own.out.rglob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give one of"),
        (["--email", "nobody"], "no address"),
        (["--domain", "com"], "no domain"),
        (["--account", "Nowhere Ltd"], "no account answers"),
        (["--email", ANNA, "--domain", "example.com"], "give one of"),
    ],
)
def test_wrong_usage_is_told_in_a_line(company: Refreshed, arguments: list[str], said: str) -> None:
    called = kam("forget", *arguments, "--out", company.out, "--landing", company.landing)
    assert called.returncode == 2
    assert said in called.stderr
    assert "Traceback" not in called.stderr
