"""Rows made of several files, by a profile of a company's own."""

from __future__ import annotations

import datetime
import os
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.lib.extracts import discover
from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import Settings, load_settings
from tests.unit.extracts.test_profile import SHOP
from tests.unit.extracts.workbooks import DATE, number, row, text, write_workbook
from tests.unit.extracts.workbooks import table as sheet_table

BILLS = "Bill no;Day;Customer;Net sum\nB1;2026-01-05;C1;10,50\nB2;2026-01-06;C2;-3\n"


class Shop:
    """A landing folder of the system `shop`, read by the profile of this test."""

    def __init__(self, folder: Path, profile: str = SHOP) -> None:
        self.folder = folder
        (folder / "profiles").mkdir(parents=True, exist_ok=True)
        (folder / "profiles" / "shop.yml").write_text(profile, encoding="utf-8")

    @property
    def settings(self) -> Settings:
        flags = {
            "landing": self.folder / "landing",
            "out": self.folder / "out",
            "profile_folder": self.folder / "profiles",
            "profiles": {"shop": "shop"},
        }
        return load_settings(None, flags, environment={})

    def write(self, name: str, text: str) -> None:
        path = self.folder / "landing" / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def land(self) -> LandingReport:
        return land_everything(self.settings, scratch=self.folder / "scratch")

    def lines(self, report: LandingReport) -> list[tuple[object, ...]]:
        landed = [f.entry for f in report.files if f.entry.entity == "invoice_lines"]
        paths = [str(self.settings.raw / "invoice_lines" / entry.landed) for entry in landed]
        return duckdb.execute(
            f"select invoice_id, customer_id, net_amount::varchar from read_parquet({paths}) order by all"
        ).fetchall()

    def rejected(self, report: LandingReport) -> list[tuple[object, ...]]:
        names = [f.entry.rejected for f in report.files if f.entry.rejected]
        paths = [str(self.settings.raw / "rejected" / str(name)) for name in names]
        if not paths:
            return []
        return duckdb.execute(
            "select source_file, line_number, column_name, raw_value, rule"
            f" from read_parquet({paths}) order by all"
        ).fetchall()


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_row_without_its_partner_waits_for_it(shop: Shop) -> None:
    shop.write("bill_1.csv", BILLS)
    shop.write("client_1.csv", "code;name\nC1;Ann\n")
    first = shop.land()
    assert shop.lines(first) == [("B1", "C1", "10.5000")]
    assert shop.rejected(first) == [("shop/bill_1.csv", 3, "invoice_id", "B2", "no_client")]
    shop.write("client_2.csv", "code;name\nC2;Bob\n")
    second = shop.land()
    assert shop.lines(second) == [("B1", "C1", "10.5000"), ("B2", "C2", "-3.0000")]
    assert shop.rejected(second) == []
    for file in second.files:
        assert file.entry.rows_read == file.entry.rows_loaded + file.entry.rows_rejected


def test_the_same_files_are_landed_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write("bill_1.csv", BILLS)
    shop.write("client_1.csv", "code;name\nC1;Ann\nC2;Bob\n")
    before = shop.land()
    monkeypatch.setattr(
        "dagster_project.lib.extracts.connection.connect",
        lambda *_, **__: pytest.fail("read again"),
    )
    assert shop.land() == before


def test_of_a_key_the_later_delivery_is_joined(shop: Shop) -> None:
    profile = SHOP.replace("invoice_id: number", "invoice_id: {from: number, sql: client.name}")
    shop = Shop(shop.folder, profile)
    shop.write("bill.csv", BILLS)
    shop.write("client_1.csv", "code;name\nC1;Ann\nC2;Bob\n")
    shop.write("client_2.csv", "code;name\nC1;Anna\n")
    assert [line[0] for line in shop.lines(shop.land())] == ["Anna", "Bob"]


def test_a_join_that_doubles_rows_is_refused(shop: Shop) -> None:
    shop = Shop(shop.folder, SHOP.replace("    key: [code]\n", ""))
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", "code;name\nC1;Ann\nC1;Anna\n")
    (error,) = [error for error in shop.land().errors if "bill.csv" in error]
    assert "give one row several partners (line 2)" in error


def test_sql_that_fails_names_the_profile_and_no_value(shop: Shop) -> None:
    shop = Shop(shop.folder, SHOP.replace("net_amount: sum", "net_amount: {sql: this.nothing}"))
    shop.write("bill.csv", BILLS)
    (error,) = [error for error in shop.land().errors if "bill.csv" in error]
    assert "the SQL of the profile shop for invoice_lines fails" in error
    assert "nothing" in error
    shop = Shop(
        shop.folder, SHOP.replace("net_amount: sum", "net_amount: {sql: cast(this.number as int)}")
    )
    (error,) = [error for error in shop.land().errors if "bill.csv" in error]
    assert "ConversionException" in error
    assert "B1" not in error


def test_rows_are_left_out_and_rejected_by_the_profiles_rules(shop: Shop) -> None:
    rules = """
    leave_out: [{reason: test_bill, when: "this.number like 'T%'"}]
    reject: [{rule: too_old, column: invoice_date, when: "this.day < '2020'"}]
    columns:
"""
    at = SHOP.rindex("    columns:\n")
    shop = Shop(shop.folder, SHOP[:at] + rules.lstrip("\n") + SHOP[at + len("    columns:\n") :])
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    shop.write("bill.csv", BILLS + "T1;2026-01-07;C1;1\nB3;2019-01-01;C1;2\nB4;2026-01-08;C1;x\n")
    report = shop.land()
    (entry,) = [f.entry for f in report.files if f.entry.entity == "invoice_lines"]
    assert entry.rows_left_out == {"test_bill": 1}
    assert (entry.rows_read, entry.rows_loaded, entry.rows_rejected) == (4, 2, 2)
    assert shop.rejected(report) == [
        ("shop/bill.csv", 5, "invoice_date", "2019-01-01", "too_old"),
        ("shop/bill.csv", 6, "net_amount", "x", "not_an_amount"),
    ]


def test_a_profile_that_changed_reads_the_files_again(shop: Shop) -> None:
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    assert [line[2] for line in shop.lines(shop.land())] == ["10.5000", "-3.0000"]
    turned = SHOP.replace("net_amount: sum", "net_amount: {from: sum, negative_when: 'true'}")
    changed = Shop(shop.folder, turned)
    assert [line[2] for line in changed.lines(changed.land())] == ["-10.5000", "3.0000"]


def test_a_file_without_its_done_mark_is_left(shop: Shop) -> None:
    shop = Shop(shop.folder, SHOP + "done_files: true\n")
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    shop.write("client.csv.done", "")
    assert shop.land().left == ["shop/bill.csv"]
    shop.write("bill.csv.done", "")
    report = shop.land()
    assert report.left == []
    assert len(shop.lines(report)) == 2


def test_parquet_and_workbooks_are_read_under_the_profile(shop: Shop) -> None:
    folder = shop.folder / "landing" / "shop"
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    day = datetime.date(2026, 1, 5)
    rows = [("B1", day, "C1", Decimal("10.50")), ("B2", day, "C2", Decimal("-3.00"))]
    names = ["Bill no", "Day", "Customer", "Net sum"]
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    pq.write_table(table, folder / "bill_1.parquet")
    cells = [("B3", "C1", "1.5"), ("B4", "C2", "1234567.25")]
    sheet = "".join(
        row(line, text(bill), number("46027", DATE), text(customer), number(amount))
        for line, (bill, customer, amount) in enumerate(cells, start=2)
    )
    write_workbook(folder / "bill_2.xlsx", {"Bills": sheet_table(names) + sheet})
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        archive.writestr("bill_3.csv", BILLS.replace("B1", "B5").replace("B2", "B6"))
        archive.writestr("readme.txt", "not an extract")
    report = shop.land()
    assert [error for error in report.errors if "no extract of" not in error] == []
    assert shop.lines(report) == [
        ("B1", "C1", "10.5000"),
        ("B2", "C2", "-3.0000"),
        ("B3", "C1", "1.5000"),
        ("B4", "C2", "1234567.2500"),
        ("B5", "C1", "10.5000"),
        ("B6", "C2", "-3.0000"),
    ]
    assert "shop/export.zip/bill_3.csv" in [file.file for file in report.files]


def test_an_accounting_file_with_decimal_points_is_the_same(tmp_path: Path) -> None:
    name = "123456789FEC20241231.txt"
    sample = Path(__file__).parents[2] / "fixtures" / "profiles" / "fec" / "landing" / name
    text = sample.read_text(encoding="utf-8-sig")
    sums = []
    for folder, content in (("comma", text), ("point", re.sub(r"(?<=[0-9]),(?=[0-9])", ".", text))):
        shop = Shop(tmp_path / folder)
        shop.write(name, content)
        flags = {"landing": tmp_path / folder / "landing", "out": tmp_path / folder / "out"}
        settings = load_settings(None, {**flags, "profiles": {"shop": "fec"}}, environment={})
        report = land_everything(settings, scratch=tmp_path / folder / "scratch")
        assert [e for e in report.errors if "no extract of" not in e] == []
        sums.append(shop.lines(report))
    assert sums[0] == sums[1] != []


def test_a_french_total_at_the_end_is_no_row_and_a_customer_of_that_name_is(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(
        "factures.csv",
        "N° facture;N° ligne;Code client;Date facture;Montant HT\n"
        "F1;1;C1;05/01/2026;10,50\nTotal 2;1;Total;05/01/2026;1,00\nTotal général;;;;11,50\n",
    )
    flags = {"landing": tmp_path / "landing", "out": tmp_path / "out"}
    settings = load_settings(None, {**flags, "profiles": {"shop": "french_csv"}}, environment={})
    (file,) = land_everything(settings, scratch=tmp_path / "scratch").files
    entry = file.entry
    assert (entry.rows_read, entry.rows_rejected, entry.lines_skipped) == (2, 0, 1)


def test_a_file_waits_for_what_it_is_joined_with(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("bill.csv", BILLS)
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    moving = shop.folder / "landing" / "shop" / "client.csv"
    standing_still = discover.standing_still

    def still_written(paths: list[Path]) -> tuple[dict[Path, os.stat_result], frozenset[Path]]:
        stats, _ = standing_still([path for path in paths if path != moving])
        return stats, frozenset({moving})

    monkeypatch.setattr(discover, "standing_still", still_written)
    report = shop.land()
    assert report.left == ["shop/bill.csv", "shop/client.csv"]
    assert report.files == []


def test_what_continues_a_line_that_could_not_be_read_stays_without_its_values(shop: Shop) -> None:
    profile = SHOP.replace(
        'files: ["bill*"]', 'files: ["bill*"]\n    fill_down: [number, day, customer]'
    )
    shop = Shop(shop.folder, profile)
    shop.write("client.csv", "code;name\nC1;Ann\nC2;Bob\n")
    shop.write(
        "bill.csv",
        'Bill no;Day;Customer;Net sum\nB1;2026-01-05;C1;1\n;;;2\nB2;2026-01-06;"C2;3\n;;;4\nB3;2026-01-06;C2;5\n',
    )
    report = shop.land()
    assert shop.lines(report) == [
        ("B1", "C1", "1.0000"),
        ("B1", "C1", "2.0000"),
        ("B3", "C2", "5.0000"),
    ]
    assert [row[4] for row in shop.rejected(report)] == ["unclosed_quote", "no_client"]


def test_a_parquet_file_takes_the_profile_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    folder = tmp_path / "landing" / "shop"
    folder.mkdir(parents=True)
    columns = {
        "N° facture": ["F1", "F2"],
        "Code client": ["C1", "7,32829E+13"],
        "Date facture": ["05/01/2026", "06/01/2026"],
        "Montant HT": ["10,50", "1,00"],
    }
    pq.write_table(pa.table(columns), folder / "factures.parquet")
    flags = {"landing": tmp_path / "landing", "out": tmp_path / "out"}
    settings = load_settings(None, {**flags, "profiles": {"shop": "french_csv"}}, environment={})
    report = land_everything(settings, scratch=tmp_path / "scratch")
    assert shop.lines(report) == [("F1", "C1", "10.5000")]
    assert [row[4] for row in shop.rejected(report)] == ["damaged_id"]
