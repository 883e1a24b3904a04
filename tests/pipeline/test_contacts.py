"""The demo company's people: who is in audiences, who must be in none, what is published of them."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import phonenumbers
import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.reference_contact_rows import CELLS
from dagster_project.lib.reference_contacts import (
    Account,
    Contact,
    Suppression,
    ineligible_reason,
    judge,
    sendable,
    suppressed_accounts,
)
from tests.pipeline.pipeline_runs import Refreshed

Demo = tuple[Refreshed, Truth]
DIGEST = re.compile("[0-9a-f]{64}")
CONSENTED = {"suppressed", "opted_out", "no_consent"}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def traces(email: str, phone: str, country: str) -> set[str]:
    """What would tell of a person in a file, plain or as a hash."""
    plain = {email, email.upper()} if email else set()
    if phone:
        number = phonenumbers.parse(phone, country)
        digits = f"{number.country_code}{number.national_number}"
        plain |= {phone, f"+{digits}", digits}
    return plain | {sha(text) for text in plain}


def audience_files(company: Refreshed) -> Iterator[tuple[Path, str]]:
    """Every audience file of the live release, as text; what was sent too."""
    current = json.loads((company.out / "published/current.json").read_text())
    folder = company.out / "published/releases" / current["release_id"] / "audiences"
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                yield path, str(connection.execute(f"from read_parquet('{path}')").fetchall())
        elif path.is_file():
            yield path, path.read_text(encoding="utf-8")


def test_planted_people_are_in_no_audience_plain_or_hashed(demo: Demo) -> None:
    company, truth = demo
    files = list(audience_files(company))
    people_files = [
        text for path, text in files if path.parent.name in CELLS and path.suffix == ".csv"
    ]
    assert sum(text.count("\n") for text in people_files) > 1000
    everything = "\n".join(text for _, text in files)
    digests = set(DIGEST.findall(everything.lower()))
    for person in truth.people:
        told = traces(person.email, person.phone, person.country_code)
        assert not told & digests, (person.contact_key, person.case)
        for plain in told - {trace for trace in told if DIGEST.fullmatch(trace)}:
            found = plain in everything and [path.name for path, text in files if plain in text]
            assert not found, (person.contact_key, person.case)
    # and who may be in them is: the search is not blind
    rows = company.warehouse_rows(
        "select contacts.email from intermediate.int_contacts_normalised as contacts "
        "inner join marts.abm_contacts using (contact_key) "
        "where is_eligible_ads and final_tier in ('A', 'B') and email is not null"
    )
    texts = "".join(people_files)
    assert rows and all(row["email"] in texts and sha(row["email"]) in texts for row in rows)


def test_each_case_is_planted_and_said(demo: Demo) -> None:
    company, truth = demo
    told = {row["contact_key"]: row for row in company.rows("select * from abm_contacts")}
    planted = {person.contact_key: person for person in truth.people}
    out = {key for key, row in told.items() if row["ads_ineligible_reason"] in CONSENTED}
    assert planted.keys() <= out
    # nobody of these has an address: the number alone says who they are
    by_number = [person for person in truth.people if person.contact_key.startswith("crm:P971")]
    assert len(by_number) == 4 and not any(person.email for person in by_number)
    # a record that nobody asked does not go out itself, and bars no other record of the person
    assert all(told[key]["consent_ads"] is None for key in out - planted.keys())
    assert len(out - planted.keys()) < 10
    cases = {person.case for person in truth.people}
    assert {f"suppressed_{way}" for way in ("email", "email_sha256", "domain", "account")} <= cases
    assert {person.case for person in truth.people if person.withdrawn_later} == {
        "opted_out",
        "no_consent",
    }
    for key, person in planted.items():
        reason, by = told[key]["ads_ineligible_reason"], told[key]["suppressed_by"]
        assert (f"suppressed_{by}" if by else reason) == person.case, key


def suppressions_of(company: Refreshed) -> list[Suppression]:
    rows = company.warehouse_rows("select * from staging.stg_governance__suppressions")
    columns = ("email", "email_sha256", "domain", "account_id")
    return [Suppression(*(row[column] for column in columns)) for row in rows]


def companys_people(company: Refreshed) -> tuple[list[Contact], dict[str, Account]]:
    """Contacts and their accounts as the reference takes them."""
    keys = {
        (row["source_system"], row["source_id"]): row["account_key"]
        for row in company.rows("select * from account_members where source_entity = 'accounts'")
    }
    numbers = {
        (row["raw_value"], row["country_code"]): row["normalised"]
        for row in company.warehouse_rows("select * from staging.stg_run__phones")
    }
    countries = {
        (row["source_system"], row["account_id"]): row["country_code"]
        for row in company.warehouse_rows("select * from staging.stg_crm__accounts")
    }

    def number(row: dict[str, Any]) -> str | None:
        country = row["country_code"] or countries.get((row["source_system"], row["account_id"]))
        return numbers.get((row["phone"], country or ""))

    contacts = [
        Contact(
            key=f"{row['source_system']}:{row['contact_id']}",
            account_key=keys.get((row["source_system"], row["account_id"])),
            first_name=row["first_name"],
            last_name=row["last_name"],
            email=row["email"],
            phone=number(row),
            job_title=row["job_title"],
            country=row["country_code"],
            consent_email=row["consent_email"],
            consent_ads=row["consent_ads"],
            opted_out=row["opted_out"],
        )
        for row in company.warehouse_rows("select * from staging.stg_crm__contacts")
    ]
    names, domains = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for row in company.rows("select * from account_members"):
        ids = (row["source_system"], row["source_entity"], row["source_id"])
        names[row["account_key"]] |= {ids[2], f"{ids[0]}:{ids[2]}", ":".join(ids)}
    for row in company.warehouse_rows(
        "select account_key, normalised from intermediate.int_identity_identifiers "
        "inner join marts.account_members using (source_system, source_entity, source_id) "
        "where kind = 'domain'"
    ):
        domains[row["account_key"]].add(row["normalised"])
    ways = suppressed_accounts(names, domains, suppressions_of(company))
    tiers = company.accounts()
    accounts = {
        row["account_key"]: Account(
            reason=row["ineligible_reason"],
            suppressed_by=ways.get(row["account_key"]),
            name=row["account_name"],
            country=row["country_code"],
            city=row["city"],
            region=row["region"],
            postal_code=row["postal_code"],
            revenue=tiers[row["account_key"]]["revenue"],
        )
        for row in company.rows("select * from abm_accounts")
    }
    return contacts, accounts


@pytest.mark.parametrize(
    ("name", "people", "members"), [("demo", 3000, 300), ("adventureworks", 700, 0)]
)
def test_mart_and_rows_are_those_of_plain_python(
    name: str, people: int, members: int, request: pytest.FixtureRequest
) -> None:
    fixture = request.getfixturevalue(name)
    company: Refreshed = fixture if isinstance(fixture, Refreshed) else fixture[0]
    contacts, accounts = companys_people(company)
    suppressions = suppressions_of(company)
    judgements = judge(contacts, suppressions, accounts)
    mart = {row["contact_key"]: row for row in company.rows("select * from abm_contacts")}
    assert mart.keys() == judgements.keys() and len(mart) > people
    eligible: dict[str, Contact] = {}
    for contact in contacts:
        row = mart[contact.key]
        for column in ("suppressed_by", "opted_out", "consent_email", "consent_ads"):
            assert row[column] == getattr(judgements[contact.key], column), (contact.key, column)
        for purpose in ("email", "ads"):
            reason = ineligible_reason(purpose, contact, judgements[contact.key], accounts)  # type: ignore[arg-type]
            assert row[f"{purpose}_ineligible_reason"] == reason, contact.key
            if purpose == "ads" and reason is None:
                eligible[contact.key] = sendable(contact, judgements[contact.key])
    for destination, cells in CELLS.items():
        rows = company.warehouse_rows(
            f"select * from exports.exp_{destination}__contacts where audience = 'A+B'"
        )
        assert len(rows) >= members, destination
        wanted = {
            key: cells(contact, accounts[contact.account_key or ""])
            for key, contact in eligible.items()
            if mart[key]["final_tier"] in ("A", "B")
        }
        found = {row["contact_key"]: row for row in rows}
        assert found.keys() == {key for key, row in wanted.items() if row}, destination
        for key, row in found.items():
            assert {column: row[column] for column in wanted[key] or {}} == wanted[key], destination


def test_manifest_counts_who_is_left_out_and_names_nobody(demo: Demo) -> None:
    company, truth = demo
    ((path, text),) = [
        found for found in audience_files(company) if found[0].name == "manifest.json"
    ]
    entries = {
        (entry["destination"], entry["audience"], entry["kind"]): entry
        for entry in json.loads(text)["files"]
    }
    rows = company.warehouse_rows(
        "select ads_ineligible_reason as reason, count(*) as people from marts.abm_contacts "
        "where final_tier in ('A', 'B') and reason is not null group by all"
    )
    counted = {row["reason"]: row["people"] for row in rows}
    for name in ("linkedin_contacts", "google_customer_match", "meta_custom_audience"):
        entry = entries[name, "A+B", "full"]
        assert entry["left_out"] == counted, name
        with (path.parent / entry["file"]).open(encoding="utf-8", newline="") as stream:
            assert len(list(csv.reader(stream))) == entry["rows"] + 1
    assert not any(person.email in text for person in truth.people if person.email)


def test_the_published_mart_holds_no_personal_data(demo: Demo) -> None:
    company = demo[0]
    people = company.warehouse_rows(
        "select email, phone, first_name, last_name from intermediate.int_contacts_normalised"
    )
    known = {str(value) for row in people for value in row.values() if value}
    known |= {sha(value) for value in known}
    rows = company.rows("select * exclude (contact_key) from abm_contacts")
    assert rows and not known & {str(value) for row in rows for value in row.values()}
