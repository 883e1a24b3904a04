"""The ERP's smaller tables: products, standard costs, and what customers cost beside the goods."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from dagster_project.lib.demo.book import Row
from dagster_project.lib.demo.lines import as_money
from dagster_project.lib.demo.products import PERIODS, Product


def product_rows(products: list[Product]) -> list[Row]:
    """Return the rows of ``products``."""
    return [
        {"product_id": p.product_id, "product_name": p.name, "product_family": p.family}
        for p in products
    ]


def product_cost_rows(products: list[Product]) -> list[Row]:
    """Return the rows of ``product_costs``, one per product and period."""
    return [
        {
            "product_id": product.product_id,
            "valid_from": str(start),
            "valid_to": str(end or ""),
            "unit_cost": as_money(cost * 100),
            "currency": product.cost_currency,
        }
        for product in products
        for cost, (start, end) in zip(product.unit_costs, PERIODS, strict=False)
    ]


def control_total_rows(lines: pd.DataFrame) -> list[Row]:
    """Return the ledger's revenue of each month and currency, of the month's last day.

    ``lines`` are the final versions. The few in a currency without rates are not the ledger's: it says nothing of
    them.
    """
    booked = lines[lines["left_out"] == ""]
    last_day = booked["invoice_date"] + pd.offsets.MonthEnd(0)
    sums = booked.assign(month=last_day).groupby(["month", "currency"])["net"].sum().reset_index()
    return [
        {
            "month": str(pd.Timestamp(row["month"]).date()),
            "currency": str(row["currency"]),
            "amount": as_money(int(row["net"])),
        }
        for row in sums.to_dict(orient="records")
    ]


def make_account_costs(
    customers: list[str], sales: list[float], rng: np.random.Generator
) -> list[Row]:
    """Return yearly rebates of the larger customers, and freight and service at random."""
    rows = []
    for customer, yearly in zip(customers, sales, strict=True):
        for year in (2024, 2025, 2026):
            if yearly > 150_000:
                rebate = {
                    "cost_type": "rebate",
                    "amount": f"{yearly * float(rng.uniform(0.01, 0.04)):.2f}",
                }
                rows.append(
                    {
                        "customer_id": customer,
                        "cost_date": str(date(year, 10, 31)),
                        "currency": "EUR",
                    }
                    | rebate
                )
            if rng.random() < 0.35:
                kind = str(rng.choice(["freight", "service", "other"], p=[0.6, 0.3, 0.1]))
                extra = {
                    "cost_type": kind,
                    "amount": f"{float(rng.lognormal(5.5, 0.8)):.2f}",
                }
                day = str(date(year, int(rng.integers(1, 11)), int(rng.integers(1, 29))))
                rows.append({"customer_id": customer, "cost_date": day, "currency": "EUR"} | extra)
    return rows
