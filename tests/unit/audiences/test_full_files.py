"""Lists as long as a large company's, written by the engine for every destination, read back by its checker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dagster_project.lib.audiences.destinations import Destination, load_destinations
from dagster_project.lib.audiences.records import AudienceManifest
from dagster_project.lib.audiences.write import write_audiences
from tests.checkers import folder

COUNTRIES = ("FR", "DE", "US")
Cells = dict[str, str | None]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def company(number: int) -> Cells:
    """What is known of a made-up company; awkward characters included."""
    return {
        "account_key": f"crm:accounts:{number}",
        "account_name": f'Société "{number}", Söhne & Co',
        "relationship": "customer",
        "final_tier": "AB"[number % 2],
        "posture": "grow",
        "website_domain": f"company-{number}.com",
        "email_domain": f"company-{number}.com",
        "linkedin_url": f"https://www.linkedin.com/company/{number}",
        "industry": None if number % 3 else "Steel",
        "city": "Besançon",
        "region": None,
        "country_code": COUNTRIES[number % 3],
        "postal_code": f"{number:05}",
        "employee_count": str(number),
        "crm_system": "crm",
        "crm_account_id": str(number),
    }


def linkedin_company(number: int) -> Cells:
    known = company(number)
    return {
        "companyname": known["account_name"],
        "companywebsite": known["website_domain"],
        "companyemaildomain": known["email_domain"],
        "linkedincompanypageurl": known["linkedin_url"],
        "stocksymbol": None,
        "industry": known["industry"],
        "city": known["city"],
        "state": None,
        "companycountry": known["country_code"],
        "zipcode": known["postal_code"],
    }


def upserted(number: int) -> Cells:
    amounts = {"Tier_Revenue__c": f"{number}.0000", "Tier_Gross_Margin__c": "#N/A"}
    fields = {name: "A" for name in load_destinations()["salesforce"].columns}
    key = f"crm:accounts:{number}"
    return fields | amounts | {"Account_Key__c": key, "Tier_As_Of__c": "2026-01-01"}


def hubspot_company(number: int) -> Cells:
    fields = {name: "none" for name in load_destinations()["hubspot"].columns}
    return fields | {"company_domain_name": f"company-{number}.com", "revenue": f"{number}.0000"}


def site(number: int) -> Cells:
    known = company(number)
    return {
        "account_name": known["account_name"],
        "country": known["country_code"],
        "domain": known["website_domain"],
    }


def demandbase_account(number: int) -> Cells:
    known = company(number)
    return {
        "account_name": known["account_name"],
        "account_domain": known["website_domain"],
        "external_account_id": known["crm_account_id"],
        "industry": known["industry"],
        "employees": known["employee_count"],
        "final_tier": known["final_tier"],
        "posture": known["posture"],
    }


def linkedin_contact(number: int) -> Cells:
    names = {"firstname": "Zoë", "lastname": f"O'Neil-{number}", "jobtitle": "Buyer, steel"}
    rest = {"employeecompany": "Alpha", "country": COUNTRIES[number % 3], "googleaid": None}
    return {"email": f"zoe.{number}@example.com" if number % 2 else None} | names | rest


def google_contact(number: int) -> Cells:
    address: Cells = dict.fromkeys(("first_name", "last_name", "country", "zip"))
    if number % 2:
        address = {"first_name": hashed("zoë"), "last_name": hashed(f"o'neil-{number}")}
        address |= {"country": "FR", "zip": "25000"}
    return {"email": hashed(f"zoe.{number}@example.com"), "phone": None} | address


def meta_contact(number: int) -> Cells:
    known = {name: hashed(f"{name} {number}") for name in ("email", "phone", "fn", "ln")}
    place = {"ct": None, "st": None, "zip": hashed("25000"), "country": hashed("fr")}
    return known | place | {"value": f"{number}.5"}


def microsoft_contact(number: int) -> Cells:
    return {"text": hashed(f"zoe.{number}@example.com")}


MADE: dict[str, Callable[[int], Cells]] = {
    "generic": company,
    "linkedin_companies": linkedin_company,
    "salesforce": upserted,
    "hubspot": hubspot_company,
    "6sense": site,
    "demandbase": demandbase_account,
    "linkedin_contacts": linkedin_contact,
    "google_customer_match": google_contact,
    "meta_custom_audience": meta_contact,
    "microsoft_ads": microsoft_contact,
}


def release(
    target: Path, destination: Destination, numbers: range, previous: Path | None = None
) -> AudienceManifest:
    """A release of one destination, of the members of those numbers."""
    (name,) = destination.audiences or ("A",)
    rows = [
        {"audience": name, destination.key: f"key:{number:07}"} | MADE[destination.name](number)
        for number in numbers
    ]
    columns = ("audience", destination.key, *destination.columns)
    schema = pa.schema([(column, pa.string()) for column in dict.fromkeys(columns)])
    members = [{"audience": name, "ineligible_reason": None}]
    with duckdb.connect() as connection:
        connection.execute("create schema exports; create schema seeds")
        connection.register("incoming", pa.Table.from_pylist(rows, schema=schema))
        connection.execute(f"create table exports.{destination.table} as from incoming")
        listed = pa.Table.from_pylist(
            members, schema=pa.schema([(c, pa.string()) for c in members[0]])
        )
        connection.register("listed", listed)
        connection.execute(f"create table exports.{destination.members} as from listed")
        if destination.held:
            connection.execute(
                f"create table exports.{destination.held} as select {destination.key} from incoming"
            )
        connection.execute(
            "create table seeds.audiences as select 'A' as audience, null as wider_audience"
        )
        return write_audiences(
            connection, destinations=(destination,), folder=target, previous=previous
        )


@pytest.mark.parametrize("name", list(load_destinations()))
def test_a_list_of_usable_length_keeps_to_the_rules(tmp_path: Path, name: str) -> None:
    destination = load_destinations()[name]
    manifest = release(tmp_path / "1", destination, range(400))
    assert folder.check(tmp_path / "1") == []
    assert manifest.files[0].rows == 400
    release(tmp_path / "2", destination, range(20, 420), previous=tmp_path / "1")
    assert folder.check(tmp_path / "2") == []


def test_6sense_gets_no_more_than_it_takes_in_one_file(tmp_path: Path) -> None:
    manifest = release(tmp_path, load_destinations()["6sense"], range(25_001))
    assert folder.check(tmp_path) == []
    whole = [(file.file, file.rows) for file in manifest.files if file.kind == "full"]
    assert whole == [("6sense/A_1.csv", 12_501), ("6sense/A_2.csv", 12_500)]


@pytest.mark.parametrize("name", ["salesforce", "hubspot"])
def test_no_part_is_larger_than_the_destination_takes(tmp_path: Path, name: str) -> None:
    """By a thousandth of the real limit, which would take a thousand times as many rows."""
    real = load_destinations()[name]
    assert real.maximum_bytes is not None
    assert real.maximum_bytes in (20_000_000, 100_000_000)
    small = real.model_copy(update={"maximum_bytes": real.maximum_bytes // 1000})
    manifest = release(tmp_path, small, range(2_000))
    parts = manifest.files
    assert len(parts) > 1
    assert sum(part.rows for part in parts) == 2_000
    assert all(part.size is not None and part.size <= small.maximum_bytes for part in parts)
    assert folder.check(tmp_path) == []
