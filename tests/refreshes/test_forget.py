"""What is forgotten is in no byte of the output folder, also after the same people are delivered again."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from filelock import FileLock

from dagster_project.commands import run_command
from dagster_project.forget import forget, run_forget
from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.extracts.ledger import read_ledger
from dagster_project.lib.forgetting.everywhere import Forgotten
from dagster_project.lib.forgetting.found import Subject, find_subject
from dagster_project.lib.forgetting.landed import without_forgotten
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.landing import LandingReport
from dagster_project.refresh import RunInProgressError
from dagster_project.settings import Settings
from tests.pipeline.conftest import made_once
from tests.pipeline.people import (
    ADA,
    ANNA,
    ANNA_BEFORE,
    BOB,
    CARL,
    DORA,
    deliver_again,
    is_whole,
    needles,
    places_of,
    plant,
)
from tests.pipeline.pipeline_runs import (
    GOLDEN,
    GOLDEN_AS_OF,
    Refreshed,
    kam,
    kam_process,
    published,
    refreshed,
    snapshot,
)

Kind = Literal["email", "domain", "account"]
# A line among ten cannot be read here, which no company would tolerate.
POLICY = "gate: {max_rejected_share: 0.9}\n"
NAME = b"Smythson"


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


def forgotten(
    company: Refreshed, kind: Kind, text: str, *, is_dry: bool = False, removals: Path | None = None
) -> Forgotten:
    """Forgets in this process."""
    settings = Settings(landing=company.landing, out=company.out, threads=1)
    return forget(settings, Subject(kind, text), is_dry=is_dry, removals=removals)


def test_the_people_are_there_before(company: Refreshed) -> None:
    for address in (ANNA, ANNA_BEFORE, BOB, CARL, DORA, ADA):
        assert places_of(company.out, needles(address)), address
    assert places_of(company.out, [NAME])
    sent = places_of(company.out / "published", needles(CARL))
    assert any("google_customer_match/" in place for place in sent)


def test_kam_says_what_it_did_and_never_whom(own: Refreshed) -> None:
    where = ("--out", own.out, "--landing", own.landing)
    before = snapshot(own.out)
    told = json.loads(kam("forget", "--email", ANNA, "--dry-run", "--json", *where).stdout)
    assert snapshot(own.out) == before
    done = json.loads(kam("forget", "--email", ANNA, "--json", *where).stdout)
    assert told["dry_run"]
    assert told["places"] == done["places"]
    assert told["held"] == done["held"]
    again = kam_process("forget", "--email", ANNA, *where)
    assert (again.returncode, again.stderr) == (0, "")
    assert "nothing is left" in again.stdout
    assert "crm/contacts_2.csv: 1 row\n" in again.stdout
    for text in (json.dumps(done), again.stdout):
        assert "smith" not in text.lower()


def test_a_person_and_an_account_stay_away(own: Refreshed) -> None:
    """The person by today's address, the older one of the same contact too; of the account the books stay alone."""
    before = own.accounts()["crm:accounts:3"]
    removals = own.out.parent / "removals"
    done = forgotten(own, "email", "  ANNA.Smith @alder.example")
    sought = needles(ANNA) | needles(ANNA_BEFORE) | {NAME}
    assert not places_of(own.out, sought)
    assert is_whole(own)
    assert places_of(own.out, needles(BOB))
    assert dict(done.still_delivered)["crm/accounts.csv"] == 1
    done = forgotten(own, "account", "C3", removals=removals)
    sought |= needles(CARL) | {b"Cedar", b"Carlsson", b"Dorfman"}
    assert not places_of(own.out, sought)
    assert is_whole(own)
    assert {held[:2] for held in done.held} == {
        ("generic", "A"),
        ("generic", "A+B"),
        ("google_customer_match", "A"),
        ("google_customer_match", "A+B"),
        ("salesforce", "changed_accounts"),
    }
    assert_removals(removals)
    rewritten = own.accounts()["crm:accounts:3"]
    described = {name: rewritten[name] for name in ("account_name", "industry", "owner_id")}
    assert described == {"account_name": "3", "industry": None, "owner_id": None}
    same = ("revenue", "gross_margin", "final_tier", "revenue_rank", "row_hash")
    assert {name: rewritten[name] for name in same} == {name: before[name] for name in same}

    deliver_again(own.landing)
    outcome = published(refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY))
    assert not places_of(own.out, sought | {b"new.address"})
    assert outcome.landing is not None
    assert_counted(own, outcome.landing)
    accounts = own.accounts()
    assert not accounts["crm:accounts:3"]["is_active"]
    placeholder = accounts["erp:customers:C3"]
    assert placeholder["is_placeholder"]
    assert placeholder["revenue"] == before["revenue"]
    assert placeholder["account_name"] == "C3"
    again = refreshed(own.landing, own.out, as_of=GOLDEN_AS_OF, policy=POLICY)
    assert again.status == "nothing_to_do"


def assert_removals(folder: Path) -> None:
    """What takes Carl and Dora, and their account, off the destinations, for the user's eyes alone."""
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.csv")}
    assert {path.parent.name for path in texts} >= {
        "generic",
        "google_customer_match",
        "salesforce",
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in texts)
    digest = hashlib.sha256(CARL.encode()).hexdigest()
    for path, text in texts.items():
        if path.parent.name == "google_customer_match":
            assert digest in text
        if path.parent.name == "salesforce":
            assert "crm:accounts:3" in text
            assert "#N/A" in text
        assert hashlib.sha256(BOB.encode()).hexdigest() not in text


def assert_counted(company: Refreshed, report: LandingReport) -> None:
    """Rows read = loaded + superseded + rejected, and those of the forgotten are left out, apart."""
    counts = {
        file.file: (file.entry.rows_read, file.entry.rows_left_out)
        for file in report.files
        if file.entry.entity == "contacts"
    }
    # of five lines three are forgotten; the one that was rejected lost its text, and is still counted
    assert counts == {
        "crm/contacts_1.csv": (2, {"forgotten": 3}),
        "crm/contacts_2.csv": (0, {"forgotten": 1}),
        "crm/contacts_3.csv": (1, {"forgotten": 2}),
    }
    raw = company.out / "raw"
    for entry in read_ledger(raw):
        found = duckdb.sql(f"select count(*) from '{raw / entry.entity / entry.landed}'").fetchone()
        assert found == (entry.rows_loaded,), entry.file
        assert entry.rows_read == entry.rows_loaded + entry.rows_rejected
    for item in company.live.manifest.inputs:
        assert item.rows_read == item.rows_loaded + item.rows_superseded + item.rows_rejected
    numbers = duckdb.sql(
        f"select contact_id, line_number from '{raw}/contacts/*.parquet' order by all"
    ).fetchall()
    assert numbers == [("P2", 3), ("P8", 4)]


def test_a_suppression_goes_on_by_its_digest(own: Refreshed) -> None:
    forgotten(own, "email", BOB)
    digest = hashlib.sha256(BOB.encode()).hexdigest()
    rows = duckdb.sql(
        f"select email, email_sha256, reason from '{own.out}/raw/suppressions/0*.parquet'"
    ).fetchall()
    assert rows == [(None, digest, "asked us to")]
    assert not places_of(own.out, [BOB.encode()])
    left = places_of(own.out, needles(BOB))
    assert all(place.startswith("raw/suppressions/") for place in left)


def test_a_domains_people_go_and_the_company_stays(own: Refreshed) -> None:
    forgotten(own, "domain", "cedar-timber.example")
    assert not places_of(own.out, needles(CARL) | needles(DORA) | {b"Carlsson", b"Dorfman"})
    assert places_of(own.out, needles(BOB))
    assert own.accounts()["crm:accounts:3"]["account_name"] == "Cedar"
    assert is_whole(own)


def test_a_user_keeps_the_id_and_the_hours(own: Refreshed) -> None:
    forgotten(own, "email", ADA)
    assert not places_of(own.out, needles(ADA))
    rows = duckdb.sql(
        "select user_id, user_name, email, available_hours_per_year::int "
        f"from '{own.out}/raw/users/0*.parquet' order by all"
    ).fetchall()
    assert rows[0] == ("U1", None, None, 150)
    assert rows[1][:3] == ("U2", "Ben", "ben@example.com")


def test_the_demo_companys_people_go_as_a_plain_reading_of_its_file_says(
    demo: tuple[Refreshed, Truth], tmp_path: Path
) -> None:
    company, _ = demo
    raw = tmp_path / "raw"
    shutil.copytree(company.out / "raw", raw)
    with (company.landing / "crm" / "contacts.csv").open(encoding="utf-8-sig") as stream:
        lines = list(csv.DictReader(stream))
    hosts = Counter(line["email"].lower().rpartition("@")[2] for line in lines if line["email"])
    domain, _ = hosts.most_common(1)[0]
    theirs = {
        line["contact_id"] for line in lines if line["email"].lower().strip().endswith(f"@{domain}")
    }
    assert len(theirs) > 1
    before = contact_ids(raw)
    record = find_subject(Subject("domain", domain), read_record(raw), raw=raw, live=company.live)
    matcher = Matcher(record)
    for entry in read_ledger(raw):
        if entry.entity == "contacts":
            after = without_forgotten(entry, raw, matcher)
            gone = after.rows_left_out.get("forgotten", 0)
            assert gone == entry.rows_loaded - after.rows_loaded
    assert contact_ids(raw) == [own for own in before if own not in theirs]
    assert len(contact_ids(raw)) < len(before)


def contact_ids(raw: Path) -> list[str]:
    found = duckdb.sql(f"select contact_id from '{raw}/contacts/*.parquet' order by all").fetchall()
    return [own for (own,) in found]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({}, "give one of"),
        ({"email": "nobody"}, "no address"),
        ({"domain": "com"}, "no domain"),
        ({"account": "Nowhere Ltd"}, "no account answers"),
        ({"email": ANNA, "domain": "example.com"}, "give one of"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    company: Refreshed, flags: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = {"out": company.out, "landing": company.landing}
    code = run_command(run_forget, where | flags, settings=None, as_json=False, debug=False)
    assert code == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) <= 2


def test_a_running_refresh_is_waited_for(company: Refreshed) -> None:
    with FileLock(company.out / ".lock"), pytest.raises(RunInProgressError, match="another run"):
        forgotten(company, "email", ANNA)
