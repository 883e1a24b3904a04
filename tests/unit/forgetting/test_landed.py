"""What a landed file keeps of somebody who was forgotten, counted against a plain reading of the same lines."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dagster_project.lib.extracts.ledger import LedgerEntry, read_ledger
from dagster_project.lib.forgetting import landed
from dagster_project.lib.forgetting.accounts import SubjectError
from dagster_project.lib.forgetting.found import Subject, find_subject
from dagster_project.lib.forgetting.landed import counted, without_forgotten
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.forgetting.record import read_record, write_record
from dagster_project.lib.landing import land_everything
from dagster_project.settings import Settings

CONTACTS = "contact_id,account_id,first_name,email"


class Folder:
    """A landing folder and its raw zone."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(landing=root / "landing", out=root / "out", threads=1)
        self.raw = self.settings.raw

    def write(self, name: str, lines: Sequence[str]) -> None:
        path = self.settings.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def land(self) -> dict[str, LedgerEntry]:
        report = land_everything(self.settings, scratch=self.settings.out / "scratch")
        return {file.file: file.entry for file in report.files}

    def forget(self, kind: str, text: str) -> Matcher:
        subject = Subject(kind, text)  # type: ignore[arg-type]
        record = find_subject(subject, read_record(self.raw), raw=self.raw, live=None)
        write_record(record, self.raw)
        return Matcher(record)

    def rows(self, entity: str, columns: str) -> list[tuple[object, ...]]:
        files = [
            self.raw / entity / entry.landed
            for entry in read_ledger(self.raw)
            if entry.entity == entity
        ]
        listed = ", ".join(f"'{path}'" for path in files)
        return duckdb.sql(
            f"select {columns} from read_parquet([{listed}], file_row_number = true) order by all"
        ).fetchall()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_every_delivery_of_a_contact_goes_with_the_last_one(folder: Folder) -> None:
    """Else the older row of the same contact, under another address, would be the winning one again."""
    folder.write("crm/contacts_1.csv", [CONTACTS, "P1,1,Anna,old@x.com", "P2,1,Bob,bob@x.com"])
    folder.write("crm/contacts_2.csv", [CONTACTS, "P1,1,Anna,new@x.com"])
    folder.land()
    folder.forget("email", "new@x.com")
    entries = folder.land()
    assert folder.rows("contacts", "contact_id, email") == [("P2", "bob@x.com")]
    for name, rows, left_out in (("1", 1, 1), ("2", 0, 1)):
        entry = entries[f"crm/contacts_{name}.csv"]
        assert (entry.rows_read, entry.rows_loaded) == (rows, rows)
        assert entry.rows_left_out == {"forgotten": left_out}


def test_an_address_that_others_share_takes_nobody_else_along(folder: Folder) -> None:
    folder.write(
        "crm/contacts.csv",
        [CONTACTS, "P1,1,Anna,anna@x.com", "P1,1,Anna,info@x.com", "P2,1,Bob,info@x.com"],
    )
    folder.land()
    matcher = folder.forget("email", "anna@x.com")
    folder.land()
    assert folder.rows("contacts", "contact_id") == [("P2",)]
    assert not matcher.email("info@x.com")


def test_lines_keep_their_numbers(folder: Folder) -> None:
    folder.write("crm/contacts.csv", [CONTACTS, *(f"P{n},1,N,n{n}@x.com" for n in range(5))])
    folder.land()
    folder.forget("email", "n1@x.com")
    folder.land()
    line = "coalesce(line_number, file_row_number + line_offset)"
    assert folder.rows("contacts", f"contact_id, {line}") == [
        ("P0", 2),
        ("P2", 4),
        ("P3", 5),
        ("P4", 6),
    ]


def test_a_later_delivery_is_filtered_as_it_is_landed(folder: Folder) -> None:
    folder.write("crm/contacts.csv", [CONTACTS, "P2,1,Bob,bob@x.com"])
    folder.land()
    folder.forget("domain", "x.com")
    folder.write("crm/contacts_2.csv", [CONTACTS, "P5,1,Eve,eve@mail.X.com", "P6,1,Fay,fay@y.com"])
    entries = folder.land()
    assert folder.rows("contacts", "email") == [("fay@y.com",)]
    assert entries["crm/contacts_2.csv"].rows_left_out == {"forgotten": 1}
    assert folder.land() == entries


@pytest.mark.parametrize(
    ("row", "is_left_out"),
    [
        ("P8,1,Anna,,06 12 34 56 78,", True),
        ("P8,1,Anna,,+33 (0)6.12.34.56.78,", True),
        ("P8,1,Anna,,0612345678,FR", True),
        ("P8,1,Zoe,zoe@x.com,06 12 34 56 78,", False),
        ("P8,1,Zoe,,06 12 34 56 79,FR", False),
        ("P8,1,Zoe,,06 12 34 56 78,DE", False),
        ("P8,1,Bob,,01 42 68 53 00,FR", False),
    ],
)
def test_a_person_delivered_again_by_number_alone_is_known(
    folder: Folder, row: str, is_left_out: bool
) -> None:
    """A number says who somebody is where there is no address, unless others have it too."""
    contacts = f"{CONTACTS},phone,country_code"
    folder.write("crm/accounts.csv", ["account_id,account_name,country_code", "1,Alder,FR"])
    folder.write(
        "crm/contacts_1.csv",
        [
            contacts,
            "P1,1,Anna,anna@x.com,06 12 34 56 78,",
            "P1,1,Anna,anna@x.com,01 42 68 53 00,",
            "P2,1,Bob,bob@x.com,01 42 68 53 00,",
        ],
    )
    folder.land()
    folder.forget("email", "anna@x.com")
    folder.write("crm/contacts_2.csv", [contacts, row])
    entry = folder.land()["crm/contacts_2.csv"]
    assert (entry.rows_loaded, entry.rows_left_out) == (
        (0, {"forgotten": 1}) if is_left_out else (1, {})
    )


def test_rejected_rows_keep_their_rule_and_lose_their_text(folder: Folder) -> None:
    folder.write(
        "crm/contacts.csv",
        [CONTACTS, "P1,1,Anna,anna@x.com", "P1,1,Anna,anna@x.com,too,many", "P2,1,Bob,b@x.com,too"],
    )
    entries = folder.land()
    folder.forget("email", "anna@x.com")
    after = folder.land()["crm/contacts.csv"]
    before = entries["crm/contacts.csv"]
    assert (after.rows_rejected, after.rejected_reasons) == (
        before.rows_rejected,
        before.rejected_reasons,
    )
    path = folder.raw / "rejected" / str(after.rejected)
    lines = duckdb.sql(f"select raw_line from '{path}' order by line_number").fetchall()
    assert lines == [("(forgotten)",), ("P2,1,Bob,b@x.com,too",)]


def test_an_address_in_another_column_becomes_a_name_that_still_joins(folder: Folder) -> None:
    """An ERP may take addresses for ids: its invoices stay, and stay those of one customer."""
    folder.write(
        "erp/customers.csv", ["customer_id,customer_name", "anna@x.com,Shop Anna", "C2,Bob"]
    )
    folder.write(
        "erp/invoice_lines.csv",
        [
            "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency",
            "I1,1,anna@x.com,2025-01-01,invoice,10,EUR",
            "I2,1,C2,2025-01-01,invoice,20,EUR",
        ],
    )
    folder.land()
    folder.forget("email", "Anna@X.com")
    folder.land()
    customers = dict(folder.rows("customers", "customer_name, customer_id"))
    assert str(customers["Shop Anna"]).startswith("forgotten-")
    lines = folder.rows("invoice_lines", "customer_id, net_amount::int")
    assert lines == [("C2", 20), (customers["Shop Anna"], 10)]


def test_a_suppression_and_a_user_keep_their_row(folder: Folder) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    folder.write(
        "governance/suppressions.csv",
        [
            "email,email_sha256,reason,since",
            " ANNA@x.com,,asked,2025-01-01",
            f"anna@x.com,{other},asked,2025-01-01",
            "b@x.com,,asked,2025-01-01",
        ],
    )
    folder.write("crm/users.csv", ["user_id,user_name,email", "U1,Anna,anna@x.com", "U2,Bob,"])
    folder.land()
    folder.forget("email", "anna@x.com")
    entries = folder.land()
    digest = hashlib.sha256(b"anna@x.com").hexdigest()
    assert sorted(folder.rows("suppressions", "email, email_sha256"), key=str) == sorted(
        [(None, digest), (None, other), ("b@x.com", None)], key=str
    )
    assert folder.rows("users", "user_id, user_name, email") == [
        ("U1", None, None),
        ("U2", "Bob", None),
    ]
    users = entries["crm/users.csv"]
    assert (users.rows_loaded, users.rows_left_out, users.rows_changed) == (2, {}, 1)


def test_an_accounts_rows_go_and_its_books_stay(folder: Folder) -> None:
    folder.write("crm/accounts.csv", ["account_id,account_name", "A1,Alder", "A2,Birch"])
    folder.write("crm/contacts.csv", [CONTACTS, "P1,A1,Anna,anna@x.com", "P2,A2,Bob,b@y.com"])
    folder.write(
        "crm/activities.csv",
        ["activity_id,account_id,activity_date", "T1,A1,2025-01-01", "T2,A2,2025-01-01"],
    )
    folder.write(
        "erp/account_costs.csv",
        ["customer_id,cost_date,cost_type,amount,currency", "A1,2025-01-01,rebate,1,EUR"],
    )
    folder.write(
        "governance/tier_overrides.csv",
        [
            "account_id,tier,reason,owner,valid_from,valid_to",
            "crm:A1,A,why,who,2025-01-01,2025-12-31",
            "A2,A,why,who,2025-01-01,2025-12-31",
        ],
    )
    folder.land()
    matcher = folder.forget("account", "crm:A1")
    folder.land()
    assert folder.rows("accounts", "account_id") == [("A2",)]
    assert folder.rows("contacts", "contact_id") == [("P2",)]
    assert folder.rows("activities", "activity_id") == [("T2",)]
    assert folder.rows("account_costs", "customer_id") == [("A1",)]
    assert folder.rows("tier_overrides", "account_id") == [("A2",)]
    # a later delivery has the account's people under a new contact
    assert matcher.email("anna@x.com")


def test_an_account_that_two_systems_have_is_asked_for(folder: Folder) -> None:
    for system in ("crm", "crm_eu"):
        folder.write(f"{system}/accounts.csv", ["account_id,account_name", "A1,Alder"])
    folder.land()
    with pytest.raises(SubjectError, match="several accounts"):
        folder.forget("account", "A1")
    folder.forget("account", "crm_eu:A1")
    folder.land()
    assert folder.rows("accounts", "source_system") == [("crm",)]


def test_what_a_profile_joins_with_keeps_its_ids_alone(folder: Folder) -> None:
    """Of the contacts that activities are joined with the ids lead to accounts; all else is about people."""
    folder.settings = folder.settings.model_copy(update={"profiles": {"crm": "salesforce"}})
    folder.write("crm/Account.csv", ["Id,Name", "001A000000AAAAA,Alder"])
    folder.write(
        "crm/Contact.csv",
        [
            "Id,AccountId,FirstName,LastName,Email,Phone",
            "003A000000AAAAA,001A000000AAAAA,Annabel,Smythson,anna@x.com,+33 6 12 34 56 78",
            "003A000000BBBBB,001A000000AAAAA,Bob,Builder,bob@x.com,",
        ],
    )
    folder.write(
        "crm/Contact_2.csv",
        [
            "Id,AccountId,FirstName,LastName,Email,Phone",
            "003A000000AAAAA,001A000000AAAAA,Ann,Smyth,,",
            "003A000000CCCCC,001A000000AAAAA,Anna,Smithson,,06 12 34 56 78",
        ],
    )
    folder.land()
    assert [row[0] for row in folder.rows("salesforce.contacts", "email")] == [
        "anna@x.com",
        "bob@x.com",
        None,
        None,
    ]
    folder.forget("email", "anna@x.com")
    folder.land()
    rows = folder.rows("salesforce.contacts", "id, account_id, last_name, email")
    assert rows == [
        ("003A000000AAAAA", "001A000000AAAAA", None, None),
        ("003A000000AAAAA", "001A000000AAAAA", None, None),
        ("003A000000BBBBB", "001A000000AAAAA", "Builder", "bob@x.com"),
        ("003A000000CCCCC", "001A000000AAAAA", None, None),
    ]
    assert [row[1:] for row in folder.rows("contacts", "contact_id, last_name")] == [("Builder",)]


@pytest.mark.parametrize("moment", ["file", "entry"])
def test_a_kill_between_file_and_entry_is_made_good(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    folder.write("crm/contacts.csv", [CONTACTS, "P1,1,Anna,anna@x.com", "P2,1,Bob,bob@x.com"])
    (entry,) = folder.land().values()
    matcher = folder.forget("email", "anna@x.com")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    target = (os, "replace") if moment == "file" else (landed, "write_entry")
    monkeypatch.setattr(*target, killed)
    with pytest.raises(KeyboardInterrupt):
        without_forgotten(entry, folder.raw, matcher)
    monkeypatch.undo()
    (after,) = folder.land().values()
    assert (after.rows_read, after.rows_loaded, after.rows_left_out) == (1, 1, {"forgotten": 1})
    assert folder.rows("contacts", "contact_id") == [("P2",)]
    assert counted(after, folder.raw, matcher) == (0, 0)


def test_nothing_forgotten_costs_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("crm/contacts.csv", [CONTACTS, "P1,1,Anna,anna@x.com"])

    def never(*_: object) -> None:
        raise AssertionError("the file was gone through")

    monkeypatch.setattr(landed, "_edits", never)
    (entry,) = folder.land().values()
    assert entry.filtered_by == ""


SPELLINGS = st.sampled_from(
    ["anna@x.com", "ANNA@X.com ", " anna@ x.com", "bob@x.com", "hanna@x.com", ""]
)


@given(cells=st.lists(SPELLINGS, min_size=1, max_size=12))
@hypothesis_settings(max_examples=15, deadline=None)
def test_any_file_loses_the_rows_of_the_person_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("any"))
    lines = [CONTACTS, *(f'P{number},1,N,"{cell}"' for number, cell in enumerate(cells))]
    folder.write("crm/contacts.csv", lines)
    before = folder.land()["crm/contacts.csv"]
    folder.forget("email", "Anna@x.com")
    after = folder.land()["crm/contacts.csv"]
    # a plain reading of the same lines, which knows nothing of ours
    wanted = [
        row["contact_id"]
        for row in csv.DictReader(lines)
        if "".join(row["email"].split()).lower() != "anna@x.com"
    ]
    assert [own for (own,) in folder.rows("contacts", "contact_id")] == sorted(wanted)
    assert after.rows_left_out.get("forgotten", 0) == len(cells) - len(wanted)
    assert before.rows_read == after.rows_read + len(cells) - len(wanted)
