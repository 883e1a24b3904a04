"""Who buys how much, how often, in which months and at which margin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.lib.demo.book import Book

MONTHS = 36
FIRST_MONTH = np.datetime64("2023-11")
LINES = 58_200  # of ordinary invoices; credit notes and the like come on top
LINES_PER_INVOICE = 2.35
_SIGMA = 1.55  # of the lognormal of yearly sales: the best fifth buys about four fifths
_MEDIAN_SALES = 44_000
_MAXIMUM_SALES = 6_400_000
_CORE = 30  # best customers, who stay throughout
_NEGATIVE_MARGIN = 14
_SALES_PER_EMPLOYEE, _TURNOVER_PER_SALES = 11_000, 16


@dataclass(frozen=True)
class Parties:
    """Habits by customer, in the order of ``customer_ids``: EUR a year, months from 0 to 36."""

    customer_ids: list[str]
    currencies: list[str]
    business_units: list[str]
    sales: np.ndarray
    growth: np.ndarray
    invoices_per_month: np.ndarray
    first_month: np.ndarray
    end_month: np.ndarray
    margin_shift: np.ndarray

    def position(self, customer_id: str) -> int:
        """Return the position of a customer."""
        return self.customer_ids.index(customer_id)


def make_parties(book: Book, rng: np.random.Generator) -> Parties:
    """Draw the habits of every ERP customer, and note planted ones in the book's marks."""
    opened = {customer for mark, customer in book.marks.items() if mark.startswith("opened_")}
    ids = [customer for customer in book.customers if customer not in opened]
    count = len(ids)
    sales = np.minimum(
        _MEDIAN_SALES * rng.lognormal(0.0, _SIGMA, size=count),
        _MAXIMUM_SALES * rng.uniform(0.7, 1.0, size=count),
    )
    margin_shift = rng.normal(0.0, 0.035, size=count)
    first, end = _lifetimes(rng, count)
    by_sales = np.argsort(-sales)
    ordinary = [i for i in by_sales if ids[i] not in set(book.marks.values())]
    # a loser of money among the dozen best, and others all along the curve
    losers = [
        ordinary[9],
        *(ordinary[i] for i in np.linspace(120, count - 90, _NEGATIVE_MARGIN - 1, dtype=int)),
    ]
    margin_shift[losers] = rng.uniform(-0.75, -0.55, size=len(losers))
    missing = ordinary[140]
    for i in (*losers, missing, *ordinary[:_CORE]):
        first[i], end[i] = 0, MONTHS
    book.marks["negative_margin_large"] = ids[losers[0]]
    book.marks["cost_missing"] = ids[missing]
    for mark, yearly in (("one_time", 96_000.0), ("intercompany", 640_000.0)):
        i = ids.index(book.marks[mark])
        sales[i], first[i], end[i] = yearly, 0, MONTHS
    currencies = [_currency(book, customer, rng) for customer in ids]
    lifetime = end - first
    frequency = sales**0.38
    scale = LINES / LINES_PER_INVOICE / float((frequency * lifetime).sum())
    return Parties(
        customer_ids=ids,
        currencies=currencies,
        business_units=[book.customers[customer]["business_unit"] for customer in ids],
        sales=sales,
        growth=rng.normal(0.04, 0.12, size=count),
        invoices_per_month=np.clip(frequency * scale, 0.22, 9.0),
        first_month=first,
        end_month=end,
        margin_shift=margin_shift,
    )


def _lifetimes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first and end month: old hands, newcomers of each year and of late, and who left."""
    kind = rng.choice(4, p=[0.66, 0.15, 0.05, 0.14], size=count)
    first = np.zeros(count, dtype=int)
    end = np.full(count, MONTHS)
    first[kind == 1] = rng.integers(2, 28, size=int((kind == 1).sum()))
    first[kind == 2] = rng.integers(30, 35, size=int((kind == 2).sum()))
    end[kind == 3] = rng.integers(4, 28, size=int((kind == 3).sum()))
    return first, end


def _currency(book: Book, customer: str, rng: np.random.Generator) -> str:
    """Return what a customer is invoiced in: its country's currency, but euro for some abroad."""
    own = book.companies[customer].currency
    return "EUR" if customer in book.marks.values() or rng.random() < 0.1 else own


def fit_sizes(book: Book, parties: Parties) -> None:
    """Make the CRM's head counts and turnovers large enough for what the companies buy."""
    sales = dict(zip(parties.customer_ids, parties.sales.tolist(), strict=True))
    for link in book.links:
        row, bought = book.accounts[link.crm_account_id], sales.get(link.erp_customer_id, 0.0)
        employees = int(row["employee_count"]) + int(bought) // _SALES_PER_EMPLOYEE
        row["employee_count"] = str(employees)
        turnover = int(row["company_revenue"]) + _TURNOVER_PER_SALES * int(bought) // 1_000 * 1_000
        row["company_revenue"] = str(turnover)
