"""The destinations of people: headers, minimums, and the consent that each has in the seed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dagster_project.lib.audiences.destinations import load_destinations
from dagster_project.lib.audiences.files import write_csv

SEED = Path(__file__).parents[3] / "dbt" / "seeds" / "contact_destinations.csv"
HEADERS = {
    "linkedin_contacts": "email,firstname,lastname,jobtitle,employeecompany,country,googleaid",
    "google_customer_match": "Email,Phone,First Name,Last Name,Country,Zip",
    "meta_custom_audience": "email,phone,fn,ln,ct,st,zip,country,value",
    "microsoft_ads": "Type,Status,Id,Parent Id,Client Id,Modified Time,Name,Description,Scope,"
    "Audience,Action Type,Sub Type,Text",
}


@pytest.mark.parametrize("name", list(HEADERS))
def test_header_is_the_destinations_own(tmp_path: Path, name: str) -> None:
    destination = load_destinations()[name]
    (file,) = write_csv(list, destination=destination, folder=tmp_path, name="A")
    assert file.path.read_bytes() == f"{HEADERS[name]}\r\n".encode()


def test_rules_of_outputs_stand() -> None:
    found = {name: load_destinations()[name] for name in HEADERS}
    assert {name: rules.minimum_rows for name, rules in found.items()} == {
        "linkedin_contacts": 300,
        "google_customer_match": 0,
        "meta_custom_audience": 100,
        "microsoft_ads": 300,
    }
    linkedin = found["linkedin_contacts"]
    assert (linkedin.maximum_rows, linkedin.maximum_bytes) == (300_000, 20_000_000)
    assert {rules.differences for rules in found.values()} == {"row"}
    assert found["meta_custom_audience"].not_compared == ("value",)


def test_each_destination_of_people_needs_a_consent_and_no_other_does() -> None:
    with SEED.open(encoding="utf-8", newline="") as stream:
        consents = {row["destination"]: row["consent"] for row in csv.DictReader(stream)}
    people = {name for name, rules in load_destinations().items() if rules.key == "contact_key"}
    assert people == set(HEADERS) == set(consents)
    assert set(consents.values()) == {"ads"}


def test_a_bulk_list_is_replaced_once(tmp_path: Path) -> None:
    """A second part that said Replace would throw away the first."""
    destination = load_destinations()["microsoft_ads"].model_copy(
        update={"maximum_rows": 2, "list_ids": {"A": 4711}}
    )
    files = write_csv(
        lambda: [("a" * 64,), ("b" * 64,), ("c" * 64,)],
        destination=destination,
        folder=tmp_path,
        name="A",
        audience="A",
    )
    lines = [file.path.read_text().splitlines() for file in files]
    assert [file.rows for file in files] == [2, 1]
    assert [found[2].split(",")[10] for found in lines] == ["Replace", "Add"]
    assert lines[0][3] == f"Customer List Item,,,4711,,,,,,A,,Email,{'a' * 64}"
