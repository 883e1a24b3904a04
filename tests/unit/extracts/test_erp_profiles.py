"""ERP profiles: deliveries that cannot stand together in one sample."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import load_settings

VBRK = "VBELN;VBTYP;FKDAT;KUNAG;WAERK\n"
VBRP = "VBELN;POSNR;NETWR;WAVWR;FKIMG\n"
LINE_HEADER = "No.;Sell-to Customer No.;Posting Date;Currency Code\nFV1;C1;15/01/2026;\n"
LINE = "Document No.;Line No.;Type;No.;Quantity;Amount;Unit Cost (LCY)\nFV1;10000;Item;1000;2;100,00;\n"
ENTRIES = "Entry No.;Document Type;Document No.;Document Line No.;Item Ledger Entry No.;Cost Amount (Actual)\n"


class System:
    """A folder of one system, and the invoice lines that come of it."""

    def __init__(self, folder: Path, profile: str) -> None:
        flags = {
            "landing": folder / "landing",
            "out": folder / "out",
            "profiles": {"erp": profile},
        }
        self.settings = load_settings(None, flags, environment={})
        self.scratch = folder / "scratch"
        self.folder = folder / "landing" / "erp"
        self.folder.mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def land(self) -> LandingReport:
        return land_everything(self.settings, scratch=self.scratch)

    def lines(self, *columns: str) -> list[tuple[object, ...]]:
        report = self.land()
        raw = self.settings.raw / "invoice_lines"
        paths = [
            str(raw / f.entry.landed) for f in report.files if f.entry.entity == "invoice_lines"
        ]
        wanted = ", ".join(f"{column}::varchar" for column in columns)
        return duckdb.execute(
            f"select {wanted} from read_parquet({paths}) order by invoice_id, line_id"
        ).fetchall()

    def reasons(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for file in self.land().files:
            if file.entry.entity == "invoice_lines":
                for rule, count in file.entry.rejected_reasons.items():
                    found[rule] = found.get(rule, 0) + count
        return found


@pytest.fixture(autouse=True)
def _files_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@pytest.fixture
def sap(tmp_path: Path) -> System:
    return System(tmp_path, "sap_sd")


@pytest.fixture
def central(tmp_path: Path) -> System:
    system = System(tmp_path, "business_central")
    system.write("Sales Invoice Header.csv", LINE_HEADER)
    system.write("Sales Invoice Line.csv", LINE)
    return system


YEN_AND_DINAR = VBRK + "1;M;20260115;7;JPY\n2;M;20260115;7;KWD\n3;M;20260115;7;EUR\n"


def test_without_tcurx_the_decimals_are_those_that_sap_delivers(sap: System) -> None:
    sap.write("VBRK.csv", YEN_AND_DINAR)
    sap.write("VBRP.csv", VBRP + "1;10;5.00;2.00;1\n2;10;5.00;2.00;1\n3;10;5.00;2.00;1\n")
    assert sap.lines("net_amount", "cost_amount") == [
        ("500.0000", "200.0000"),
        ("0.5000", "0.2000"),
        ("5.0000", "2.0000"),
    ]


def test_where_tcurx_is_there_it_alone_says_the_decimals(sap: System) -> None:
    sap.write("VBRK.csv", YEN_AND_DINAR)
    sap.write("VBRP.csv", VBRP + "1;10;5.00;2.00;1\n2;10;5.00;2.00;1\n3;10;5.00;2.00;1\n")
    sap.write("TCURX.csv", "CURRKEY;CURRDEC\nJPY;0\n")
    assert sap.lines("net_amount") == [("500.0000",), ("5.0000",), ("5.0000",)]


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        ("1,234.50-", "1,000.500", ("-1234.5000", "1000.500000")),
        ("1.234,50-", "1.000,500", ("-1234.5000", "1000.500000")),
        ("1 234,50-", "1 000", ("-1234.5000", "1000.000000")),
        ("-1234.50", "10.000", ("-1234.5000", "10.000000")),
        ("1234,5", "10.000", ("1234.5000", "10000.000000")),
    ],
)
def test_sap_numbers_are_read_by_the_last_mark_of_the_net_value(
    sap: System, amount: str, quantity: str, expected: tuple[str, str]
) -> None:
    sap.write("VBRK.csv", VBRK + "1;M;20260115;7;EUR\n")
    sap.write("VBRP.csv", VBRP + f"1;10;{amount};0.00;{quantity}\n")
    assert sap.lines("net_amount", "quantity") == [expected]


def test_a_header_that_comes_later_brings_its_items_in(sap: System) -> None:
    sap.write("VBRK_1.csv", VBRK + "1;M;20260115;7;EUR\n")
    sap.write("VBRP.csv", VBRP + "1;10;5.00;2.00;1\n2;10;6.00;2.00;1\n")
    assert sap.reasons() == {"no_header": 1}
    sap.write("VBRK_2.csv", VBRK + "2;M;20260201;7;EUR\n")
    assert sap.reasons() == {}
    assert sap.lines("invoice_id") == [("1",), ("2",)]


def test_a_cost_adjusted_later_changes_the_line_that_was_landed(central: System) -> None:
    central.write("General Ledger Setup.csv", "LCY Code\nEUR\n")
    central.write("Value Entry 1.csv", ENTRIES + "1;Sales Invoice;FV1;10000;5;-60\n")
    assert central.lines("cost_amount") == [("60.0000",)]
    central.write("Value Entry 2.csv", ENTRIES + "2;Sales Invoice;FV1;10000;5;-4,5\n")
    assert central.lines("cost_amount") == [("64.5000",)]


def test_an_unreadable_value_entry_rejects_the_line_it_belongs_to(central: System) -> None:
    central.write("General Ledger Setup.csv", "LCY Code\nEUR\n")
    central.write(
        "Value Entry.csv",
        ENTRIES + "1;Sales Invoice;FV1;10000;5;-60\n2;Sales Invoice;FV1;10000;5;-4x\n",
    )
    assert central.reasons() == {"not_an_amount": 1}


def test_without_a_local_currency_nothing_is_taken_for_euros(central: System) -> None:
    assert central.reasons() == {"missing_value": 1}
    central.write("Sales Invoice Header.csv", LINE_HEADER.replace("2026;", "2026;USD"))
    assert central.lines("currency", "cost_amount") == [("USD", None)]


@pytest.mark.parametrize("unit_cost", ["", "0", "30", "3x"])
def test_a_cost_in_an_unknown_local_currency_rejects_its_line(
    central: System, unit_cost: str
) -> None:
    central.write("Sales Invoice Header.csv", LINE_HEADER.replace("2026;", "2026;USD"))
    central.write("Sales Invoice Line.csv", LINE.replace("100,00;", f"100,00;{unit_cost}"))
    if unit_cost in ("", "0"):
        central.write("Value Entry.csv", ENTRIES + "1;Sales Invoice;FV1;10000;5;-60\n")
    assert central.reasons() == {
        "not_an_amount" if unit_cost == "3x" else "local_currency_not_told": 1
    }
    central.write("General Ledger Setup.csv", "LCY Code\nEUR\n")
    if unit_cost == "3x":
        assert central.reasons() == {"not_an_amount": 1}
    else:
        assert central.lines("cost_amount", "cost_currency") == [("60.0000", "EUR")]


def test_a_full_cost_of_zero_is_unknown_in_business_central(central: System) -> None:
    central.write("General Ledger Setup.csv", "LCY Code\nEUR\n")
    central.write("Value Entry.csv", ENTRIES + "1;Sales Invoice;FV1;10000;5;0\n")
    assert central.lines("cost_amount") == [(None,)]


NETSUITE_LINES = "id,transaction,mainline,taxline,iscogs,item,netamount\n1,5,F,F,F,11,-90.00\n"


@pytest.mark.parametrize(
    ("rate", "reasons"), [("0.90", {"missing_value": 1}), ("1", {}), ("", {"missing_value": 1})]
)
def test_a_base_amount_needs_a_base_currency_in_netsuite(
    tmp_path: Path, rate: str, reasons: dict[str, int]
) -> None:
    system = System(tmp_path, "netsuite")
    system.write(
        "transaction.csv",
        f"id,type,trandate,currency,entity,exchangerate\n5,CustInvc,2026-01-15,USD,7,{rate}\n",
    )
    system.write("transactionline.csv", NETSUITE_LINES)
    assert system.reasons() == reasons
    system.write("currency.csv", "id,symbol,name,isbasecurrency\n1,EUR,Euro,T\n2,USD,US Dollar,F\n")
    assert system.lines("currency", "net_amount") == [("EUR", "90.0000")]


NETSUITE_HEADER = "id,type,trandate,currency,entity,exchangerate\n5,{},2026-01-15,EUR,7,1\n"


def netsuite(folder: Path, lines: str, kind: str = "CustInvc") -> System:
    system = System(folder, "netsuite")
    system.write("transaction.csv", NETSUITE_HEADER.format(kind))
    system.write("transactionline.csv", lines)
    return system


def test_netsuite_lines_that_do_not_say_what_is_tax_are_not_read(tmp_path: Path) -> None:
    """The tax would count as revenue."""
    system = netsuite(
        tmp_path,
        "id,transaction,mainline,iscogs,item,foreignamount\n1,5,F,F,11,-90\n2,5,F,F,-3,-18\n",
    )
    report = system.land()
    assert any("taxline" in error for error in report.errors), report.errors


def test_a_deleted_netsuite_line_carries_no_cost(tmp_path: Path) -> None:
    system = netsuite(
        tmp_path,
        "id,transaction,mainline,taxline,iscogs,accountinglinetype,item,foreignamount,deleted\n"
        "1,5,F,F,F,INCOME,11,-70,T\n2,5,F,F,F,INCOME,11,-90,F\n3,5,F,F,T,COGS,11,40,F\n",
    )
    assert system.lines("line_id", "is_cancelled", "cost_amount") == [
        ("1", "true", None),
        ("2", "false", "40.0000"),
    ]


def test_a_cost_that_only_a_deleted_netsuite_line_would_carry_is_rejected(tmp_path: Path) -> None:
    system = netsuite(
        tmp_path,
        "id,transaction,mainline,taxline,iscogs,accountinglinetype,item,foreignamount,deleted\n"
        "1,5,F,F,F,INCOME,11,-70,T\n3,5,F,F,T,COGS,11,40,F\n",
    )
    assert system.reasons() == {"cost_without_sale_line": 1}


@pytest.mark.parametrize(
    ("kind", "document_type"),
    [
        ("Rechnung", "invoice"),
        ("Facture", "invoice"),
        ("Vente au comptant", "invoice"),
        ("Gutschrift", "credit_note"),
        ("Barrückerstattung", "credit_note"),
        ("Statement Charge", "debit_note"),
    ],
)
def test_netsuite_types_are_known_by_their_labels(
    tmp_path: Path, kind: str, document_type: str
) -> None:
    assert netsuite(tmp_path, NETSUITE_LINES, kind).lines("document_type") == [(document_type,)]


@pytest.mark.parametrize(
    "kind", ["SalesOrd", "Sales Order", "Commande client", "Kundenauftrag", "VendBill", "Journal"]
)
def test_netsuite_types_that_are_no_sale_are_left_out(tmp_path: Path, kind: str) -> None:
    report = netsuite(tmp_path, NETSUITE_LINES, kind).land()
    left_out = [f.entry.rows_left_out for f in report.files if f.entry.entity == "invoice_lines"]
    assert left_out == [{"not_a_sale": 1}]


@pytest.mark.parametrize("kind", ["CuTrSale106", "Subscription", ""])
def test_a_netsuite_type_that_is_not_known_is_rejected(tmp_path: Path, kind: str) -> None:
    assert netsuite(tmp_path, NETSUITE_LINES, kind).reasons() == {"unknown_transaction_type": 1}


def test_a_row_of_sap_that_begins_with_a_day_and_a_tab_is_no_page_heading(sap: System) -> None:
    sap.write(
        "VBRK.txt",
        "\n".join(
            [
                "FKDAT\tWAERK\tVBELN\tVBTYP\tKUNAG",
                "01.02.2026          Dynamic List Display          1",
                "15.01.2026\t\t1\tM\t7",
                "15.01.2026\tEUR\t2\tM\t7",
                "",
            ]
        ),
    )
    sap.write("VBRP.csv", VBRP + "1;10;5.00;2.00;1\n2;10;6.00;2.00;1\n")
    # the first has its header, but no currency: not no_header
    assert sap.reasons() == {"missing_value": 1}
    assert sap.lines("invoice_id", "currency") == [("2", "EUR")]


def test_canadian_dollars_are_not_taken_for_us_dollars(tmp_path: Path) -> None:
    system = System(tmp_path, "quickbooks")
    system.write(
        "Sales by Customer Detail.csv",
        "Customer,Transaction date,Transaction type,Num,Product/Service,Qty,Sales price,Amount,Balance\n"
        "Acme,,,,,,,,\n"
        ",01/02/2026,Invoice,1,Widget,1,50,CA$50.00,50\n"
        ",01/02/2026,Invoice,2,Widget,1,60,US$60.00,60\n",
    )
    assert system.reasons() == {"not_an_amount": 1}
    assert system.lines("net_amount", "currency") == [("60.0000", "USD")]


FEC = "JournalCode\tEcritureNum\tEcritureDate\tCompteNum\tCompAuxNum\tDebit\tCredit\n"


@pytest.fixture
def fec(tmp_path: Path) -> System:
    """Numbers begin anew each month: entry 1 of December closes, entry 1 of January sells."""
    system = System(tmp_path, "fec")
    system.write(
        "552100554FEC20261231.txt",
        FEC + "OD\t1\t20260115\t411000\tC1\t120,00\t0,00\n"
        "OD\t1\t20260115\t707000\t\t0,00\t100,00\n"
        "OD\t1\t20260215\t411000\tC2\t60,00\t0,00\n"
        "OD\t1\t20260215\t707000\t\t0,00\t50,00\n"
        "OD\t1\t20261231\t707000\t\t150,00\t0,00\n"
        "OD\t1\t20261231\t120000\t\t0,00\t150,00\n",
    )
    return system


def test_entries_of_one_number_are_told_by_their_date(fec: System) -> None:
    assert fec.reasons() == {}
    assert fec.lines("customer_id", "invoice_date", "net_amount") == [
        ("C1", "2026-01-15", "100.0000"),
        ("C2", "2026-02-15", "50.0000"),
    ]


def test_control_totals_tell_entries_of_one_number_by_their_date(fec: System) -> None:
    report = fec.land()
    (path,) = [
        str(fec.settings.raw / "control_totals" / f.entry.landed)
        for f in report.files
        if f.entry.entity == "control_totals"
    ]
    rows = duckdb.execute(
        f"select month::varchar, amount::varchar from read_parquet('{path}') order by month"
    ).fetchall()
    assert rows == [("2026-01-01", "100.0000"), ("2026-02-01", "50.0000")]
