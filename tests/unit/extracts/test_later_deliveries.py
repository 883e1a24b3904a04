"""What a first delivery holds and a later one takes back must come in again, marked.

A line that is left out supersedes nothing: its earlier version would go on counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.landing import land_everything
from dagster_project.settings import load_settings


@pytest.fixture(autouse=True)
def _files_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@dataclass(frozen=True)
class Case:
    """Two deliveries: the name of each file and its text; and what the later one must land as."""

    profile: str
    first: dict[str, str]
    second: dict[str, str]
    expected: tuple[str, ...]


def landed(folder: Path, case: Case, entity: str, columns: str) -> list[list[tuple[str, ...]]]:
    """The rows of the entity after each delivery."""
    flags = {
        "landing": folder / "landing",
        "out": folder / "out",
        "profiles": {"erp": case.profile},
    }
    settings = load_settings(None, flags, environment={})
    (folder / "landing" / "erp").mkdir(parents=True)
    found = []
    for delivery in (case.first, case.second):
        for name, text in delivery.items():
            (folder / "landing" / "erp" / name).write_text(text, encoding="utf-8")
        report = land_everything(settings, scratch=folder / "scratch")
        paths = [
            str(settings.raw / entity / file.entry.landed)
            for file in report.files
            if file.entry.entity == entity
        ]
        rows = duckdb.execute(
            f"select columns([{columns}])::varchar from read_parquet({paths}) order by all"
        )
        found.append([tuple(str(value) for value in row) for row in rows.fetchall()])
    return found


ODOO_MOVES = (
    "Number,Status,Type,Partner/ID,Invoice/Bill Date,Currency,Invoice lines/Product,"
    "Invoice lines/Quantity,Invoice lines/Subtotal\n"
)
ODOO_ITEMS = (
    "ID,Number,Status,Type,Date,Partner/ID,Currency,Display Type,Product,Quantity,Subtotal\n"
)
NETSUITE = "id,type,trandate,currency,entity,posting,voided,exchangerate,_fivetran_deleted\n"
NETSUITE_LINES = "id,transaction,mainline,taxline,iscogs,item,foreignamount,_fivetran_deleted\n"
QUICKBOOKS = "id,customer_id,transaction_date,currency_id,_fivetran_deleted\n"
QUICKBOOKS_LINES = "index,invoice_id,amount,detail_type,sales_item_item_id\n"


def odoo_moves(number: str, state: str) -> str:
    return ODOO_MOVES + f"{number},{state},Customer Invoice,7,2026-01-15,EUR,Chair,1,100\n"


def odoo_items(number: str, state: str) -> str:
    return (
        ODOO_ITEMS + f"31,{number},{state},Facture client,2026-01-15,7,EUR,Produit,Chaise,1,100\n"
    )


def netsuite(*, posting: str = "T", voided: str = "F", deleted: str = "FALSE") -> str:
    return NETSUITE + f"5,CustInvc,2026-01-15,EUR,7,{posting},{voided},1,{deleted}\n"


def netsuite_lines(deleted: str = "FALSE") -> str:
    return NETSUITE_LINES + f"1,5,F,F,F,11,-100,{deleted}\n"


def quickbooks(deleted: str) -> str:
    return QUICKBOOKS + f"5,7,2026-01-15,EUR,{deleted}\n"


LINES = QUICKBOOKS_LINES + "0,5,100,SalesItemLineDetail,3\n"
POSTED = {"transaction.csv": netsuite(), "transactionline_1.csv": netsuite_lines()}

LINES_DELIVERED_AGAIN = {
    "odoo invoice cancelled": Case(
        "odoo",
        {"account.move 1.csv": odoo_moves("INV/1", "Posted")},
        {"account.move 2.csv": odoo_moves("INV/1", "Cancelled")},
        ("INV/1", "1"),
    ),
    "odoo invoice set back to draft": Case(
        "odoo",
        {"account.move 1.csv": odoo_moves("INV/1", "Posted")},
        {"account.move 2.csv": odoo_moves("INV/1", "Draft")},
        ("INV/1", "1"),
    ),
    "odoo items, the number with the words of a draft": Case(
        "odoo",
        {"account.move.line 1.csv": odoo_items("FAC/1 (S1)", "Comptabilisé")},
        {"account.move.line 2.csv": odoo_items("Facture brouillon FAC/1 (S1)", "Brouillon")},
        ("FAC/1", "31"),
    ),
    "odoo items cancelled": Case(
        "odoo",
        {"account.move.line 1.csv": odoo_items("FAC/1", "Comptabilisé")},
        {"account.move.line 2.csv": odoo_items("FAC/1", "Annulé")},
        ("FAC/1", "31"),
    ),
    "netsuite line deleted": Case(
        "netsuite", POSTED, {"transactionline_2.csv": netsuite_lines("TRUE")}, ("5", "1")
    ),
}


@pytest.mark.parametrize("case", LINES_DELIVERED_AGAIN.values(), ids=LINES_DELIVERED_AGAIN)
def test_a_line_taken_back_is_landed_again_as_cancelled(tmp_path: Path, case: Case) -> None:
    columns = "'invoice_id', 'line_id', 'net_amount', 'is_cancelled'"
    first, second = landed(tmp_path, case, "invoice_lines", columns)
    assert first == [(*case.expected, "100.0000", "false")]
    assert second == [(*case.expected, "100.0000", value) for value in ("false", "true")]


def test_a_cancelled_odoo_credit_note_reverses_nothing(tmp_path: Path) -> None:
    """The models keep a cancelled document that reverses another, as both of SAP's stay."""
    columns = "Number,Status,Type,Partner/ID,Invoice/Bill Date,Currency,Reversal of,"
    lines = "Invoice lines/Product,Invoice lines/Quantity,Invoice lines/Subtotal\n"
    note = "RINV/1,{},Customer Credit Note,7,2026-01-15,EUR,INV/1 (S1),Chair,1,100\n"
    case = Case(
        "odoo",
        {"account.move 1.csv": columns + lines + note.format("Posted")},
        {"account.move 2.csv": columns + lines + note.format("Cancelled")},
        (),
    )
    first, second = landed(
        tmp_path, case, "invoice_lines", "'net_amount', 'reverses_invoice_id', 'is_cancelled'"
    )
    assert first == [("-100.0000", "INV/1", "false")]
    assert second == [("-100.0000", "INV/1", "false"), ("-100.0000", "None", "true")]


HEADERS_DELIVERED_AGAIN = {
    "netsuite transaction deleted": Case(
        "netsuite", POSTED, {"transaction_2.csv": netsuite(deleted="TRUE")}, ("5", "1")
    ),
    "netsuite transaction voided": Case(
        "netsuite", POSTED, {"transaction_2.csv": netsuite(voided="T")}, ("5", "1")
    ),
    "netsuite transaction no longer posted": Case(
        "netsuite", POSTED, {"transaction_2.csv": netsuite(posting="F")}, ("5", "1")
    ),
    "quickbooks invoice deleted": Case(
        "quickbooks",
        {"invoice.csv": quickbooks("FALSE"), "invoice_line.csv": LINES},
        {"invoice.csv": quickbooks("TRUE")},
        ("invoice 5", "0"),
    ),
}


@pytest.mark.parametrize("case", HEADERS_DELIVERED_AGAIN.values(), ids=HEADERS_DELIVERED_AGAIN)
def test_a_header_taken_back_cancels_the_lines_that_were_landed(tmp_path: Path, case: Case) -> None:
    columns = "'invoice_id', 'line_id', 'net_amount', 'is_cancelled'"
    first, second = landed(tmp_path, case, "invoice_lines", columns)
    assert first == [(*case.expected, "100.0000", "false")]
    assert second == [(*case.expected, "100.0000", "true")]


CONTACTS = "contactid,parentcustomerid,parentcustomeridtype,lastname,donotemail,statecode\n"
CONTACT = "4f2504e0-4f89-11d3-9a0c-0305e82c3301,3f2504e0-4f89-11d3-9a0c-0305e82c3301,account,Roy,0,"


def test_a_contact_made_inactive_is_landed_again_as_opted_out(tmp_path: Path) -> None:
    case = Case(
        "dynamics365",
        {"contact_1.csv": CONTACTS + CONTACT + "0\n"},
        {"contact_2.csv": CONTACTS + CONTACT + "1\n"},
        (),
    )
    first, second = landed(tmp_path, case, "contacts", "'last_name', 'opted_out'")
    assert first == [("Roy", "false")]
    assert second == [("Roy", "false"), ("Roy", "true")]
