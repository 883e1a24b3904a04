"""The files of each destination: header, form, limits, privacy."""

from __future__ import annotations

import csv
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dagster_project.lib.audiences.destinations import (
    AudienceError,
    Destination,
    Kind,
    chosen_destinations,
    load_destinations,
)
from dagster_project.lib.audiences.files import write_csv

EXPORTS = Path(__file__).parents[3] / "dbt" / "models" / "exports"
HEADERS = {
    "linkedin_companies": "companyname,companywebsite,companyemaildomain,linkedincompanypageurl,"
    "stocksymbol,industry,city,state,companycountry,zipcode",
    "salesforce": "Account_Key__c,Final_Tier__c,Previous_Tier__c,Value_Tier__c,Potential_Tier__c,"
    "Posture__c,Relationship__c,Tier_Reason__c,Tier_Revenue__c,Tier_Gross_Margin__c,Tier_As_Of__c",
    "generic": "account_key,account_name,relationship,final_tier,posture,website_domain,"
    "email_domain,linkedin_url,industry,city,region,country_code,postal_code,employee_count,"
    "crm_system,crm_account_id",
}
SMALL = Destination(
    name="small", table="t", members="m", header=("name", "note"), differences="key"
)
AWKWARD = [
    ("Müller, Söhne & Co", 'say "hi"'),
    ("=cmd|' /C calc'!A0", "-1"),
    ("two\nlines", None),
    ("", "NA"),
]


def read_back(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def limited(**limits: object) -> Destination:
    return SMALL.model_copy(update=limits)


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """Files are private because they are made so, not because the user's umask is."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("name", list(HEADERS))
def test_header_is_the_destinations_own(tmp_path: Path, name: str) -> None:
    destination = load_destinations()[name]
    (file,) = write_csv(list, destination=destination, folder=tmp_path, name="A+B")
    line_end = "\n" if name == "salesforce" else "\r\n"
    assert file.path.read_bytes() == f"{HEADERS[name]}{line_end}".encode()
    assert (file.rows, file.path.name) == (0, "A+B.csv")


@pytest.mark.parametrize("name", list(load_destinations()))
def test_the_destinations_model_has_the_columns(name: str) -> None:
    models = {
        model["name"]: [column["name"] for column in model.get("columns", [])]
        for path in EXPORTS.glob("_*__models.yml")
        for model in yaml.safe_load(path.read_text()).get("models", [])
    }
    destination = load_destinations()[name]
    columns = models[destination.table]
    assert columns[0] == "audience"
    assert set(columns[1:]) == {destination.key, *destination.columns}
    assert models[destination.members][0] == "audience"
    assert "ineligible_reason" in models[destination.members]
    if destination.held:
        assert destination.key in models[destination.held]


def test_rules_of_outputs_stand() -> None:
    linkedin, salesforce = (load_destinations()[n] for n in ("linkedin_companies", "salesforce"))
    limits = (linkedin.minimum_rows, linkedin.maximum_rows, linkedin.maximum_bytes)
    assert limits == (300, 300_000, 20_000_000)
    assert salesforce.header[0] == "Account_Key__c"
    assert salesforce.maximum_bytes == 100_000_000
    assert {d.encoding for d in load_destinations().values()} == {"utf-8"}


def test_unknown_destination_is_named() -> None:
    assert [d.name for d in chosen_destinations(("salesforce",))] == ["salesforce"]
    assert len(chosen_destinations()) == len(load_destinations())
    with pytest.raises(AudienceError, match=r"destination facebook: not known; name one of gen"):
        chosen_destinations(("facebook",))


def test_awkward_values_come_back_as_they_went(tmp_path: Path) -> None:
    """For machines: nothing is neutralised, null is an empty cell."""
    (file,) = write_csv(lambda: AWKWARD, destination=SMALL, folder=tmp_path, name="A")
    header, *rows = read_back(file.path)
    assert header == ["name", "note"]
    assert rows == [[name, note or ""] for name, note in AWKWARD]
    assert file.rows == len(AWKWARD)
    content = file.path.read_bytes()
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.size == len(content)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_byte_order_mark_stands_once(tmp_path: Path) -> None:
    destination = limited(encoding="utf-8-sig", delimiter=";", quoting="all")
    (file,) = write_csv(lambda: [("é", None)], destination=destination, folder=tmp_path, name="A")
    assert file.path.read_bytes() == '\ufeff"name";"note"\r\n"é";""\r\n'.encode()


def test_too_many_rows_are_split_evenly(tmp_path: Path) -> None:
    rows = [(f"n{number}", "x") for number in range(10)]
    files = write_csv(
        lambda: rows, destination=limited(maximum_rows=4), folder=tmp_path, name="A_add"
    )
    assert [file.path.name for file in files] == ["A_add_1.csv", "A_add_2.csv", "A_add_3.csv"]
    assert [file.rows for file in files] == [4, 4, 2]
    parts = [read_back(file.path) for file in files]
    assert all(part[0] == ["name", "note"] for part in parts)
    assert [tuple(row) for part in parts for row in part[1:]] == rows


def test_too_many_bytes_are_split(tmp_path: Path) -> None:
    rows = [("é" * (number % 9), "x" * 5) for number in range(200)]
    files = write_csv(
        lambda: rows, destination=limited(maximum_bytes=600), folder=tmp_path, name="A"
    )
    assert len(files) > 4
    assert all(file.path.stat().st_size == file.size <= 600 for file in files)
    assert [tuple(row) for file in files for row in read_back(file.path)[1:]] == rows


def test_a_row_that_fits_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match=r"destination small: a row of 1\d\d bytes"):
        write_csv(
            lambda: [("x" * 100, "y")],
            destination=limited(maximum_bytes=50),
            folder=tmp_path,
            name="A",
        )


BULK = Destination(
    name="bulk",
    table="t",
    members="m",
    key="contact_key",
    header=("Type", "Name", "Text", "Action Type"),
    read_from={"Name": "name"},
    filled={"Type": "Item", "Action Type": "{action}"},
    leading_rows=(("Format Version", "6.0", "", ""), ("List", "{audience}", "", "{action}")),
    actions={"full": "Replace", "more": "Add", "add": "Add", "remove": "Remove"},
    differences="row",
)
MEMBERS = [("n1", "h1"), ("{action}", "h2"), ("n3", "h3")]


@pytest.mark.parametrize(("kind", "word"), [("full", "Replace"), ("remove", "Remove")])
def test_leading_rows_and_filled_cells_say_what_the_file_does(
    tmp_path: Path, kind: Kind, word: str
) -> None:
    (file,) = write_csv(
        lambda: MEMBERS, destination=BULK, folder=tmp_path, name="A", audience="A+B", kind=kind
    )
    assert read_back(file.path) == [
        ["Type", "Name", "Text", "Action Type"],
        ["Format Version", "6.0", "", ""],
        ["List", "A+B", "", word],
        ["Item", "n1", "h1", word],
        ["Item", "{action}", "h2", word],
        ["Item", "n3", "h3", word],
    ]
    assert file.rows == 3
    assert file.size == file.path.stat().st_size


def test_a_title_is_read_from_the_column_that_it_names() -> None:
    assert BULK.columns == ("name", "Text")


def test_the_second_part_of_a_list_does_not_replace_the_first(tmp_path: Path) -> None:
    files = write_csv(
        lambda: MEMBERS,
        destination=BULK.model_copy(update={"maximum_rows": 2}),
        folder=tmp_path,
        name="A",
        audience="A",
    )
    assert [file.rows for file in files] == [2, 1]
    words = [{row[3] for row in read_back(file.path)[2:]} for file in files]
    assert words == [{"Replace"}, {"Add"}]


def test_leading_rows_count_against_the_bytes_of_each_part(tmp_path: Path) -> None:
    rows = [("n", "h" * (number % 7)) for number in range(50)]
    files = write_csv(
        lambda: rows,
        destination=BULK.model_copy(update={"maximum_bytes": 250}),
        folder=tmp_path,
        name="A",
        audience="A",
    )
    assert all(file.size <= 250 for file in files)
    assert sum(file.rows for file in files) == 50
    assert all(read_back(file.path)[1][0] == "Format Version" for file in files)


def test_a_file_without_members_has_no_leading_rows(tmp_path: Path) -> None:
    (file,) = write_csv(list, destination=BULK, folder=tmp_path, name="A_add", kind="add")
    assert (file.rows, len(read_back(file.path))) == (0, 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"filled": {"Other": "x"}}, "Other is no column of its header"),
        ({"leading_rows": [["one"]]}, "a leading row is not as long as the header"),
        ({"not_compared": ["Name"]}, "Name is no column of its table"),
        ({"differences": "changed"}, "cleared is missing"),
    ],
)
def test_rules_that_do_not_fit_together_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Destination.model_validate(BULK.model_dump() | wrong)
