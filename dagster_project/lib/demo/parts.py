"""Deliveries: accounts in two versions, invoice lines by year, corrections, rows sent twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dagster_project.lib.demo import faults
from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.landing import LandingFolder
from dagster_project.lib.demo.lines import NO_COST, written

ACCOUNT_COLUMNS = [
    "account_id",
    "account_name",
    "parent_account_id",
    "account_type",
    "erp_customer_id",
    "vat_number",
    "registration_number",
    "website",
    "email_domain",
    "linkedin_url",
    "country_code",
    "city",
    "postal_code",
    "industry",
    "employee_count",
    "company_revenue",
    "declared_potential",
    "potential_currency",
    "owner_id",
    "created_at",
    "updated_at",
    "is_deleted",
    "merged_into_id",
]
CUSTOMER_COLUMNS = [
    "customer_id",
    "customer_name",
    "parent_customer_id",
    "crm_account_id",
    "vat_number",
    "registration_number",
    "email_domain",
    "country_code",
    "city",
    "postal_code",
    "customer_class",
    "business_unit",
    "is_one_time",
    "is_intercompany",
]
LINE_COLUMNS = [
    "invoice_id",
    "line_id",
    "customer_id",
    "invoice_date",
    "document_type",
    "product_id",
    "quantity",
    "net_amount",
    "currency",
    "cost_amount",
    "cost_currency",
    "reverses_invoice_id",
    "is_cancelled",
    "business_unit",
    "is_recurring",
]
_NEWER, _STALE, _MISLEADING = 42, 6, 3
_SENT_TWICE = 15
# amounts of lines in a currency that no rate is quoted for
UNCONVERTED_CURRENCY = "JPY"
UNCONVERTED = (185_000, 285_000)


def repeated(rows: list[Row], count: int) -> list[Row]:
    """Return the rows with ``count`` of them twice."""
    step = len(rows) // count
    return [
        copy
        for n, row in enumerate(rows)
        for copy in [row] * (2 if n % step == 0 and n < step * count else 1)
    ]


def write_accounts(folder: LandingFolder, book: Book, rng: np.random.Generator) -> None:
    """Write a full delivery, and a later one with newer versions and some stale ones."""
    rows = list(book.accounts.values())
    newer = {int(i) for i in rng.choice(len(rows), size=_NEWER, replace=False)}
    customers = list(book.customers)
    first = []
    for position, row in enumerate(rows):
        if position in newer:
            old = row | {"owner_id": "U14", "updated_at": "2025-06-15T07:00:00Z"}
            if position in sorted(newer)[:_MISLEADING]:
                old["erp_customer_id"] = customers[position + 300]
            first.append(old)
        else:
            first.append(row)
    kept = [position for position in range(len(rows)) if position not in newer]
    stale = [
        rows[i] | {"owner_id": "U14", "updated_at": "2024-11-02T07:00:00Z"}
        for i in kept[40 : 40 + _STALE]
    ]
    template = [rows[5].get(column, "") for column in ACCOUNT_COLUMNS]
    bad = faults.value_faults(faults.ACCOUNT_VALUES, ACCOUNT_COLUMNS, template, prefix="A98")
    folder.write_rows(
        "crm/accounts.csv",
        first,
        columns=ACCOUNT_COLUMNS,
        faults=bad,
        superseded=_NEWER,
    )
    later = [rows[i] for i in sorted(newer)] + stale
    folder.write_rows("crm/accounts_2026-10.csv", later, columns=ACCOUNT_COLUMNS, superseded=_STALE)


def corrected(lines: pd.DataFrame, chosen: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lines as first delivered, and the corrected ones delivered later.

    ``lines`` are the final versions; of the invoices chosen, the first was booked a month too early
    and the others at a wrong price.
    """
    is_chosen = lines["invoice_id"].isin(chosen)
    first = lines.copy()
    is_early = lines["invoice_id"] == chosen[0]
    is_wrong = is_chosen & ~is_early
    first.loc[is_early, "invoice_date"] -= np.timedelta64(30, "D")
    first.loc[is_wrong, "net"] = first.loc[is_wrong, "net"] // 1000 * 93 * 10
    has_cost = is_wrong & (first["cost"] != NO_COST)
    first.loc[has_cost, "cost"] = first.loc[has_cost, "cost"] // 1000 * 97 * 10
    return first, lines[is_chosen]


def write_invoice_lines(
    folder: LandingFolder,
    first: pd.DataFrame,
    corrections: pd.DataFrame,
    product_ids: list[str],
) -> None:
    """Write a part per year with all bad lines among them, and the corrections."""
    ordered = first.sort_values(["invoice_date", "invoice_id", "line_id"], kind="stable")
    years = ordered["invoice_date"].dt.year
    for year in (2023, 2024, 2025, 2026):
        rows = written(ordered[years == year], product_ids)
        bad = _bad_lines(year, rows[20])
        superseded = unconvertible = 0
        if year == 2025:
            rows = _twice(rows, _SENT_TWICE)
            superseded = _SENT_TWICE
        if year == 2026:
            superseded = len(corrections)
            unconvertible = len(UNCONVERTED)
            rows += [_in_yen(rows[-number], amount) for number, amount in enumerate(UNCONVERTED, 1)]
        name = f"erp/invoice_lines_{year}.csv" + (".gz" if year == 2024 else "")
        folder.write_csv(
            name,
            LINE_COLUMNS,
            rows,
            faults=bad,
            superseded=superseded,
            unconvertible=unconvertible,
        )
    late = written(corrections, product_ids)
    # the reader rejects this correction, so the line that it would have replaced stands
    position = LINE_COLUMNS.index("net_amount")
    kept = next(
        row
        for row in written(ordered.tail(50), product_ids)
        if row[0] not in set(corrections["invoice_id"])
    )
    spoilt = [*kept[:position], "to be confirmed", *kept[position + 1 :]]
    line = ",".join(spoilt).encode()
    fault = faults.Fault(line, "not_an_amount", "net_amount", "to be confirmed")
    folder.write_csv("erp/invoice_lines_2026_corrections.csv", LINE_COLUMNS, late, faults=[fault])


def _bad_lines(year: int, template: list[str]) -> list[faults.Fault]:
    prefix = f"INV-{year}-98"
    if year == 2023:
        return []
    if year == 2024:
        cut = faults.truncated(LINE_COLUMNS, template, prefix=prefix)
        return [
            *faults.value_faults(faults.INVOICE_VALUES[:8], LINE_COLUMNS, template, prefix=prefix),
            cut,
        ]
    if year == 2025:
        return faults.value_faults(faults.INVOICE_VALUES[8:], LINE_COLUMNS, template, prefix=prefix)
    return faults.structural_faults(LINE_COLUMNS, template, prefix=prefix)


def _twice(rows: list[list[str]], count: int) -> list[list[str]]:
    step = len(rows) // count
    return rows + [rows[n * step] for n in range(count)]


def _in_yen(template: list[str], amount: int) -> list[str]:
    values = dict(zip(LINE_COLUMNS, template, strict=True)) | {
        "invoice_id": f"INV-2026-97{amount}",
        "document_type": "invoice",
        "net_amount": str(amount),
        "currency": UNCONVERTED_CURRENCY,
        "cost_amount": "",
        "cost_currency": "",
        "reverses_invoice_id": "",
        "is_cancelled": "false",
    }
    return [values[column] for column in LINE_COLUMNS]
