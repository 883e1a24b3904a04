"""Who is addressed, with what, and who is withdrawn: the models of contacts held against plain Python.

The models are compiled once by dbt; then their text runs over relations made of each example.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.audiences.destinations import chosen_destinations, with_list_ids
from dagster_project.lib.audiences.records import AudienceManifest
from dagster_project.lib.audiences.write import write_audiences
from dagster_project.lib.reference_contact_rows import CELLS
from dagster_project.lib.reference_contacts import (
    Account,
    Contact,
    Suppression,
    ineligible_reason,
    judge,
    sendable,
)
from tests.dbt.compiled import compiled_nodes
from tests.dbt.contact_models import MODELS, ContactModels


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContactModels]:
    sql = compiled_nodes(tmp_path_factory, *MODELS)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield ContactModels(connection, sql)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


EMAILS = st.sampled_from(
    [
        None,
        "n/a",
        "Jean.Dupont@exemple.fr",
        "jean.dupont @exemple.fr",
        "jean.dupont@gmail.com",
        "JeanDupont+ete@googlemail.com",
        "he\u0301loi\u0308se@mail.beta.example",
        "zoé@beta.example",
        "info@exemple.fr",
        "Info <mailto:info@Exemple.fr>;",
        "a@exemple.fr, b@exemple.fr",
        "jean@sociÉté-dupont.fr",
        "jean@xn--socit-dupont-eebb.fr",
        "x@eu.mail.corp.beta.example",
        "x@dupont.free.fr",
        "x@free.fr",
    ]
)
NAMES = st.sampled_from(
    [
        None,
        "Jean",
        " Jean-Pierre",
        "E\u0301lodie",
        "O'Connor",
        "Wolfeschlegelsteinhausenbergerdorff X",
        "-",
    ]
)
COUNTRIES = st.sampled_from([None, "FR", "US"])
ANSWERS = st.sampled_from([None, True, True, False])
ACCOUNTS = st.fixed_dictionaries(
    {
        key: st.builds(
            Account,
            reason=st.sampled_from([None, None, "inactive", "excluded", "placeholder"]),
            suppressed_by=st.sampled_from([None, None, None, "domain", "account"]),
            name=st.sampled_from(["Beta SA", "Beta " + "x" * 50]),
            country=COUNTRIES,
            city=st.sampled_from([None, "Lyon", "SAINT-OMER", "Besançon", "Paris 2", "--"]),
            region=st.sampled_from([None, "CA", "Auvergne-Rhône-Alpes", "New York"]),
            postal_code=st.sampled_from([None, "69 003", "94107-1234", "", "M1 1AE"]),
            revenue=st.sampled_from(
                [Decimal("-3.1"), Decimal(0), Decimal("12.3450"), Decimal("9.995")]
            ),
        )
        for key in ("a1", "a2")
    }
)
CONTACT = st.builds(
    Contact,
    key=st.just(""),
    account_key=st.sampled_from(["a1", "a1", "a2", "unknown"]),
    first_name=NAMES,
    last_name=NAMES,
    email=EMAILS,
    phone=st.sampled_from([None, None, "+33612345678", "+16505551212"]),
    job_title=st.sampled_from([None, " Chief  Buyer", "x" * 51]),
    country=COUNTRIES,
    consent_email=ANSWERS,
    consent_ads=ANSWERS,
    opted_out=st.sampled_from([False, False, False, True]),
)
SUPPRESSIONS = st.lists(
    st.one_of(
        st.builds(
            Suppression,
            email=st.sampled_from(
                [
                    "JEAN.dupont@exemple.fr ",
                    "jeandupont@gmail.com",
                    "nobody@x.fr",
                    "no",
                    "<info@exemple.fr>",
                    "jean@société-dupont.fr",
                ]
            ),
        ),
        st.builds(
            Suppression,
            email_sha256=st.sampled_from(
                [
                    sha("jean.dupont@exemple.fr").upper(),
                    sha("jeandupont@gmail.com"),
                    sha("zoé@beta.example"),
                ]
            ),
        ),
        st.builds(
            Suppression,
            domain=st.sampled_from(
                [
                    "https://www.Beta.example/contact",
                    "mail.beta.example",
                    "beta.example.",
                    "x.fr",
                    "dupont.free.fr",
                    "Société-Dupont.fr",
                    "xn--socit-dupont-eebb.fr",
                ]
            ),
        ),
    ),
    max_size=2,
)


@settings(max_examples=120, deadline=None)
@given(drawn=st.lists(CONTACT, max_size=8), accounts=ACCOUNTS, suppressions=SUPPRESSIONS)
def test_models_say_what_plain_python_says(
    drawn: list[Contact],
    accounts: dict[str, Account],
    suppressions: list[Suppression],
    models: ContactModels,
) -> None:
    contacts = [replace(contact, key=f"crm:{number}") for number, contact in enumerate(drawn)]
    models.build(contacts, accounts, suppressions)
    judgements = judge(contacts, suppressions, accounts)
    reasons = {
        purpose: {
            c.key: ineligible_reason(purpose, c, judgements[c.key], accounts) for c in contacts
        }
        for purpose in ("email", "ads")
    }
    mart = {row["contact_key"]: row for row in models.rows("select * from abm_contacts")}
    assert mart.keys() == judgements.keys()
    for key, row in mart.items():
        for name in ("suppressed_by", "opted_out", "consent_email", "consent_ads"):
            assert row[name] == getattr(judgements[key], name), (key, name)
        assert row["is_suppressed"] is (judgements[key].suppressed_by is not None)
        for purpose, told in reasons.items():
            assert row[f"{purpose}_ineligible_reason"] == told[key], (key, purpose)
            assert row[f"is_eligible_{purpose}"] is (told[key] is None)
    known = [sendable(c, judgements[c.key]) for c in contacts if c.account_key in accounts]
    numbers = {key for key, row in mart.items() if row["has_phone"]}
    assert numbers == {c.key for c in contacts if sendable(c, judgements[c.key]).phone}
    for destination, cells in CELLS.items():
        wanted, left_out = {}, {}
        for contact in known:
            row = cells(contact, accounts[contact.account_key or ""])
            reason = reasons["ads"][contact.key] or (None if row else "no_identifier")
            left_out[contact.key] = reason
            if reason is None:
                wanted[contact.key] = row
        found = models.rows(f"select * exclude (audience) from exp_{destination}__contacts")
        assert {row.pop("contact_key"): row for row in found} == wanted, destination
        members = models.rows(f"select * from exp_{destination}__members")
        assert {row["contact_key"]: row["ineligible_reason"] for row in members} == left_out


@pytest.mark.parametrize("is_shared", [False, True])
def test_the_number_of_somebody_silenced_goes_out_for_nobody(
    models: ContactModels, *, is_shared: bool
) -> None:
    """Not from another record of the person, who is out with it, and not from a colleague's, who stays."""
    anna = Contact("crm:1", "a1", "Anna", "Smith", "anna@x.fr", "+33612345678", consent_ads=False)
    bare = replace(anna, key="crm:2", email=None, consent_ads=True)
    contacts = [anna, bare]
    if is_shared:
        bob = Contact("crm:3", "a1", "Bob", "Hill", "bob@x.fr", "+33612345678", consent_ads=True)
        contacts.append(bob)
    models.build(contacts, {"a1": A1})
    for name in ("google_customer_match", "meta_custom_audience"):
        rows = models.rows(f"select contact_key, phone from exp_{name}__contacts")
        wanted = {"crm:2", "crm:3"} if is_shared else set()
        assert {row["contact_key"] for row in rows} == wanted
        assert {row["phone"] for row in rows} <= {None}


def test_a_consent_that_nobody_knows_lets_nobody_out(models: ContactModels) -> None:
    models.build([person(1)], {"a1": A1, "a2": A1}, consent="Ads")
    for name in CELLS:
        assert models.rows(f"select * from exp_{name}__contacts") == []
        members = models.rows(f"select * from exp_{name}__members")
        assert {row["ineligible_reason"] for row in members} == {"no_consent"}


PEOPLE = 340
DESTINATIONS = tuple(CELLS)


def person(number: int) -> Contact:
    return Contact(
        key=f"crm:{number:04}",
        account_key="a1" if number < PEOPLE - 20 else "a2",
        first_name=f"Zoé {chr(97 + number % 26)}{chr(97 + number // 26)}",
        last_name="Martin-Durand",
        email=f"person.{number}@host{number % 7}.example",
        phone=f"+336123{number:05}",
        country="FR",
        consent_email=True,
        consent_ads=True,
    )


def written(
    models: ContactModels,
    folder: Path,
    contacts: list[Contact],
    accounts: dict[str, Account],
    suppressions: list[Suppression],
    *,
    previous: Path | None = None,
) -> AudienceManifest:
    models.build(contacts, accounts, suppressions)
    return write_audiences(
        models.release(["A"]),
        folder=folder,
        previous=previous,
        destinations=with_list_ids(
            chosen_destinations(DESTINATIONS), {"microsoft_ads": {"A": 4711}}
        ),
    )


def cells_of(folder: Path, file: str) -> list[list[str]]:
    """The members of a file: without header, and without what stands before them."""
    path = folder / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return [row for row in rows if row[0] not in ("Format Version", "Customer List")]


def traces(contact: Contact) -> set[str]:
    """What would tell of the person in a file, plain or as a hash."""
    assert contact.email and contact.phone
    plain = {contact.email, contact.phone, contact.phone.removeprefix("+")}
    return plain | {sha(text) for text in plain}


A1 = Account(name="Beta SA", country="FR", postal_code="69003", city="Lyon", revenue=Decimal(500))


def test_who_is_withdrawn_is_removed_wherever_they_were_sent(
    models: ContactModels, tmp_path: Path
) -> None:
    """Every way out between two releases; the removed row is the one that was sent."""
    people = [person(number) for number in range(PEOPLE)]
    accounts = {"a1": A1, "a2": A1}
    first = written(models, tmp_path / "1", people, accounts, [])
    assert {entry.status for entry in first.files} == {"written"}
    email, hashed, elsewhere = (people[number] for number in (3, 4, 5))
    at_domain = [p for p in people if p.email and p.email.endswith("@host6.example")]
    gone = {email.key, hashed.key, *(p.key for p in at_domain)}
    second = {p.key: p for p in people}
    for number, change in (
        (10, {"consent_ads": False}),
        (11, {"consent_ads": None}),
        (12, {"opted_out": True}),
        (15, {"account_key": "nowhere"}),
    ):
        second[people[number].key] = replace(people[number], **change)  # type: ignore[arg-type]
        gone.add(people[number].key)
    # the person is out by another contact with the same address, which alone opts out
    twin = replace(elsewhere, key="crm:9999", email=f" {elsewhere.email} ".upper(), opted_out=True)
    second["crm:9999"] = twin
    gone.add(elsewhere.key)
    # deleted from the CRM
    del second[people[16].key]
    gone.add(people[16].key)
    # an account is silenced with all its people
    gone |= {p.key for p in people if p.account_key == "a2"}
    assert email.email and hashed.email
    suppressions = [
        Suppression(email=email.email.upper()),
        Suppression(email_sha256=sha(hashed.email).upper()),
        Suppression(domain="www.host6.example"),
    ]
    accounts = {"a1": replace(A1, revenue=Decimal(900)), "a2": replace(A1, suppressed_by="account")}
    manifest = written(
        models,
        tmp_path / "2",
        list(second.values()),
        accounts,
        suppressions,
        previous=tmp_path / "1",
    )
    leaving = [p for p in people if p.key in gone]
    staying = [p for p in people if p.key not in gone]
    assert len(leaving) + len(staying) == PEOPLE and len(staying) < 300
    for name in DESTINATIONS:
        sent = {tuple(row) for row in cells_of(tmp_path / "1", f"{name}/A_add.csv")}
        removed = {tuple(row) for row in cells_of(tmp_path / "2", f"{name}/A_remove.csv")}
        assert len(removed) == len(leaving), name
        # Microsoft's item says nothing of the action; Meta's value is of the day it was sent
        assert removed <= sent, name
        text = {cell for row in removed for cell in row}
        for contact in leaving:
            assert traces(contact) & text, (name, contact.key)
        for contact in staying:
            assert not traces(contact) & text, (name, contact.key)
        assert cells_of(tmp_path / "2", f"{name}/A_add.csv") == []
    entries = {(e.destination, e.kind): e for e in manifest.files}
    assert entries["meta_custom_audience", "full"].status == "written"
    assert entries["linkedin_contacts", "full"].status == "below_minimum"
    left_out = entries["google_customer_match", "full"].left_out
    assert left_out == {
        "suppressed": 2 + len([p for p in at_domain if p.account_key == "a1"]) + 20,
        "opted_out": 3,
        "no_consent": 2,
    }
    files = b"".join(
        path.read_bytes() for path in (tmp_path / "2").rglob("*.csv") if "remove" not in path.name
    )
    state = b"".join(path.read_bytes() for path in (tmp_path / "2" / "sent").rglob("*"))
    for contact in leaving:
        for trace in traces(contact):
            assert trace.encode() not in files
            assert trace.encode() not in state
    again = written(
        models,
        tmp_path / "3",
        list(second.values()),
        accounts,
        suppressions,
        previous=tmp_path / "2",
    )
    assert {e.rows for e in again.files if e.kind in ("add", "remove")} <= {0}


def test_two_contacts_that_hash_alike_are_one_row(models: ContactModels, tmp_path: Path) -> None:
    """Of two accounts, with two values: the higher one, and no removal while one of them stays."""
    people = [person(number) for number in range(PEOPLE)]
    twin = replace(people[0], key="crm:9999", account_key="a2")
    accounts = {"a1": A1, "a2": replace(A1, revenue=Decimal(700))}
    written(models, tmp_path / "1", [*people, twin], accounts, [])
    for name in DESTINATIONS:
        rows = cells_of(tmp_path / "1", f"{name}/A.csv")
        assert len(rows) == len({tuple(row) for row in rows}) == PEOPLE, name
    (row,) = [
        r
        for r in cells_of(tmp_path / "1", "meta_custom_audience/A.csv")
        if r[0] == sha(people[0].email or "")
    ]
    assert row[-1] == "700.00"
    written(models, tmp_path / "2", [*people[1:], twin], accounts, [], previous=tmp_path / "1")
    for name in DESTINATIONS:
        assert cells_of(tmp_path / "2", f"{name}/A_remove.csv") == [], name
        assert cells_of(tmp_path / "2", f"{name}/A_add.csv") == [], name


def test_a_new_value_moves_nobody_and_a_new_number_moves_the_row(
    models: ContactModels, tmp_path: Path
) -> None:
    people = [person(number) for number in range(PEOPLE)]
    written(models, tmp_path / "1", people, {"a1": A1, "a2": A1}, [])
    richer = replace(A1, revenue=Decimal("-5"))
    people[7] = replace(people[7], phone="+33612999999")
    written(models, tmp_path / "2", people, {"a1": richer, "a2": A1}, [], previous=tmp_path / "1")
    for name in ("google_customer_match", "meta_custom_audience"):
        assert len(cells_of(tmp_path / "2", f"{name}/A_remove.csv")) == 1, name
        assert len(cells_of(tmp_path / "2", f"{name}/A_add.csv")) == 1, name
    assert cells_of(tmp_path / "2", "microsoft_ads/A_remove.csv") == []
    values = {row[-1] for row in cells_of(tmp_path / "2", "meta_custom_audience/A.csv")}
    assert values == {"0.00", "500.00"}


def test_a_bulk_file_says_what_it_does(models: ContactModels, tmp_path: Path) -> None:
    written(
        models, tmp_path, [person(number) for number in range(PEOPLE)], {"a1": A1, "a2": A1}, []
    )
    with (tmp_path / "microsoft_ads/A.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert (rows[0]["Type"], rows[0]["Name"]) == ("Format Version", "6.0")
    told = {name: rows[1][name] for name in ("Type", "Scope", "Audience", "Action Type")}
    assert told == {
        "Type": "Customer List",
        "Scope": "Customer",
        "Audience": "A",
        "Action Type": "Replace",
    }
    assert {(r["Type"], r["Audience"], r["Sub Type"], len(r["Text"])) for r in rows[2:]} == {
        ("Customer List Item", "A", "Email", 64)
    }
    assert len(rows) == PEOPLE + 2
