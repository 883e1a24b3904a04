"""Bad lines of every kind: each is a good row with one thing wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

STRUCTURAL = (
    "ragged_line",
    "unclosed_quote",
    "nul_byte",
    "invalid_byte",
    "field_too_long",
)
# one more than the longest text field of the systems that are read (Salesforce: 131,072 characters)
TOO_LONG = 131_073

# rule, column, value
INVOICE_VALUES = (
    ("not_an_amount", "net_amount", "douze mille"),
    ("not_an_amount", "net_amount", "1.234,56"),
    ("not_an_amount", "net_amount", "12 450.00"),
    ("not_an_amount", "net_amount", "N/A"),
    ("not_an_amount", "net_amount", "#REF!"),
    ("not_an_amount", "net_amount", "4.310,00 EUR"),
    ("not_an_amount", "cost_amount", "see attachment"),
    ("not_an_amount", "cost_amount", "1,2,3"),
    ("not_a_number", "quantity", "une palette"),
    ("not_a_number", "quantity", "3 pcs"),
    ("not_a_number", "quantity", "--"),
    ("not_a_date", "invoice_date", "2025-02-30"),
    ("not_a_date", "invoice_date", "31/12/2025"),
    ("not_a_date", "invoice_date", "2024-13-01"),
    ("not_a_date", "invoice_date", "0000-00-00"),
    ("not_a_date", "invoice_date", "hier"),
    ("not_a_boolean", "is_cancelled", "maybe"),
    ("not_a_boolean", "is_recurring", "peut-être"),
    ("not_a_boolean", "is_cancelled", "7"),
    ("not_a_currency", "currency", "EURO"),
    ("not_a_currency", "currency", "ZZZ"),
    ("not_a_currency", "currency", "€"),
    ("not_a_currency", "cost_currency", "US dollar"),
    ("unknown_document_type", "document_type", "memo"),
    ("unknown_document_type", "document_type", "facture fournisseur"),
    ("unknown_document_type", "document_type", "??"),
    ("missing_value", "net_amount", ""),
    ("missing_value", "customer_id", ""),
    ("missing_value", "invoice_date", ""),
    ("missing_value", "currency", ""),
    ("out_of_range", "net_amount", "999999999999999999.99"),
    ("out_of_range", "cost_amount", "-100000000000000.00"),
)
ACCOUNT_VALUES = (
    ("not_a_timestamp", "updated_at", "yesterday"),
    ("not_a_number", "employee_count", "about 200"),
    ("not_a_country", "country_code", "Germany"),
)
CONTACT_VALUES = (
    ("not_a_boolean", "consent_email", "peut-être"),
    ("not_a_country", "country_code", "Deutschland"),
    ("missing_value", "account_id", ""),
)
OPPORTUNITY_VALUES = (
    ("not_a_number", "probability", "high"),
    ("not_a_timestamp", "created_at", "12.03.2025 10h"),
)
ACTIVITY_VALUES = (
    ("not_an_allowed_word", "activity_type", "carrier pigeon"),
    ("not_a_number", "duration_minutes", "1h30"),
    ("not_a_date", "activity_date", "last Tuesday"),
)
ACCOUNT_COST_VALUES = (("not_an_allowed_word", "cost_type", "gift"),)


@dataclass(frozen=True)
class Fault:
    """A bad line without its line break; ``column`` is None where the line itself is broken."""

    line: bytes
    rule: str
    column: str | None
    raw_value: str
    is_last: bool = False


def value_faults(
    planted: Sequence[tuple[str, str, str]],
    columns: Sequence[str],
    template: Sequence[str],
    *,
    prefix: str,
) -> list[Fault]:
    """Return a bad line per value: the template with an id of its own and the value in place."""
    faults = []
    for number, (rule, column, value) in enumerate(planted, start=1):
        row = [f"{prefix}{number:03d}", *template[1:]]
        row[list(columns).index(column)] = value
        faults.append(Fault(_line(row), rule, column, value))
    return faults


def structural_faults(
    columns: Sequence[str], template: Sequence[str], *, prefix: str
) -> list[Fault]:
    """Return lines that are broken as lines, whatever their values."""
    position = list(columns).index("product_id")

    def broken(number: int, rule: str, value: bytes) -> Fault:
        row = [cell.encode() for cell in [f"{prefix}{number:03d}", *template[1:]]]
        row[position] = value
        return Fault(b",".join(row), rule, None, value.decode("cp1252"))

    row = [f"{prefix}901", *template[1:]]
    return [
        Fault(_line(row[:-3]), "ragged_line", None, ""),
        Fault(_line([f"{prefix}902", *row[1:], "", "approved"]), "ragged_line", None, ""),
        Fault(f"{prefix}903".encode(), "ragged_line", None, ""),
        broken(904, "unclosed_quote", b'"DRV-100'),
        broken(905, "unclosed_quote", b'"2 inch valve'),
        broken(906, "nul_byte", b"VLV\x00105"),
        broken(907, "nul_byte", b"\x00"),
        broken(908, "invalid_byte", "Pièce".encode("cp1252")),
        broken(909, "invalid_byte", b"HYD-\xff\xfe"),
        broken(910, "field_too_long", b"X" * TOO_LONG),
    ]


def truncated(columns: Sequence[str], template: Sequence[str], *, prefix: str) -> Fault:
    """Return a last line that a broken transfer cut off."""
    row = [f"{prefix}999", *template[1:6]]
    return Fault(_line(row), "ragged_line", None, "", is_last=True)


def _line(row: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(row)
    return buffer.getvalue().encode()
