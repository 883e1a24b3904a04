"""The demo company: Valmont Composants, a maker of industrial components, as its CRM and its ERP see it.

``generate`` fills a landing folder with extracts in the layout of the profile ``generic``, three years of them, in
which everything lies that real ones hold: customers that one system alone knows, credit notes without a sign, merged
accounts, bad lines. ``truth.json`` beside them says what was planted and what must come out, computed here, apart
from the pipeline. The same seed gives the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from dagster_project.lib.demo import crm_life, faults, governance, parts, truth
from dagster_project.lib.demo.ambiguities import register_ambiguities
from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.companies import CompanyMaker
from dagster_project.lib.demo.documents import DocumentMaker, add_documents
from dagster_project.lib.demo.identity import Registrar, register_pairs, register_singles
from dagster_project.lib.demo.landing import LandingFolder
from dagster_project.lib.demo.lines import as_money
from dagster_project.lib.demo.parties import Parties, make_parties
from dagster_project.lib.demo.products import PERIODS, Product, make_products
from dagster_project.lib.demo.rates import Rates, make_rates
from dagster_project.lib.demo.sales import make_sales
from dagster_project.lib.demo.specials import register_groups, register_specials
from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.demo.values import ValueBook, value_accounts

DEFAULT_SEED = 20_260_101
AS_OF = date(2026, 11, 1)
WINDOW = (date(2025, 11, 1), AS_OF)
TRUTH_FILE = "truth.json"
_CORRECTED_INVOICES = 26


@dataclass(frozen=True)
class _Company:
    """Everything that was planted, before any of it is written."""

    book: Book
    parties: Parties
    products: list[Product]
    rates: Rates
    first_lines: pd.DataFrame
    corrections: pd.DataFrame
    values: ValueBook


def generate(landing: Path, *, seed: int = DEFAULT_SEED) -> Truth:
    """Write the demo company's extracts below ``landing``, and ``truth.json`` at its top.

    Args:
        landing: made if need be; files of the same names are replaced.
        seed: of everything drawn.

    Returns:
        What was planted and what must come out of it.
    """
    landing.mkdir(parents=True, exist_ok=True)
    company = _make_company(seed)
    folder = LandingFolder(landing, np.random.default_rng([seed, 9]))
    contacts = _write_crm(folder, company, seed)
    _write_erp(folder, company, seed)
    overrides, override_truths = governance.make_overrides(
        company.book, truth.revenue_tiers(company.book, company.values)
    )
    folder.write_rows("governance/tier_overrides.csv", overrides)
    folder.write_rows("governance/suppressions.csv", governance.make_suppressions(contacts, company.book))
    folder.write_rows("governance/identity_links.csv", company.book.identity_links, superseded=1)
    told = _tell(company, folder, override_truths, seed=seed)
    told.write(landing / TRUTH_FILE)
    return told


def _make_company(seed: int) -> _Company:
    book = _make_book(np.random.default_rng([seed, 1]))
    products = make_products(np.random.default_rng([seed, 2]))
    rates = make_rates(np.random.default_rng([seed, 3]), start=date(2023, 10, 23), end=AS_OF)
    parties = make_parties(book, np.random.default_rng([seed, 4]))
    missing = book.marks["cost_missing"]
    sales = make_sales(parties, products, missing=missing, rng=np.random.default_rng([seed, 5]))
    maker = DocumentMaker(
        sales,
        np.random.default_rng([seed, 6]),
        intercompany=book.marks["intercompany"],
        special=set(book.marks.values()),
    )
    wrong = maker.take(_CORRECTED_INVOICES, since="2026-04-01")["invoice_id"].drop_duplicates().tolist()
    lines = add_documents(maker)
    first_lines, corrections = parts.corrected(lines, wrong)
    keys = [book.key_of_customer(customer) for customer in lines["customer_id"]]
    values = value_accounts(lines, keys, products, rates, window=WINDOW)
    return _Company(book, parties, products, rates, first_lines, corrections, values)


def _make_book(rng: np.random.Generator) -> Book:
    registrar = Registrar(rng, CompanyMaker(rng))
    for step in (register_pairs, register_singles, register_ambiguities, register_specials, register_groups):
        step(registrar)
    return registrar.book


def _write_crm(folder: LandingFolder, company: _Company, seed: int) -> list[Row]:
    """Write the CRM's extracts and return the contacts."""
    rng, book = np.random.default_rng([seed, 7]), company.book
    sales: dict[str, float] = defaultdict(float)
    customers = dict(zip(company.parties.customer_ids, company.parties.sales.tolist(), strict=True))
    for link in book.links:
        sales[link.crm_account_id] += customers.get(link.erp_customer_id, 0.0)
    parts.write_accounts(folder, book, rng)
    folder.write_rows("crm/users.csv", crm_life.make_users(rng))
    contacts = crm_life.make_contacts(book, rng)
    opportunities = crm_life.make_opportunities(book, rng)
    activities = crm_life.make_activities(book, sales, rng)
    for name, rows, planted, prefix, twice in (
        ("crm/contacts.csv", contacts, faults.CONTACT_VALUES, "P98", 3),
        ("crm/opportunities.csv", opportunities, faults.OPPORTUNITY_VALUES, "O98", 2),
        ("crm/activities.csv.gz", activities, faults.ACTIVITY_VALUES, "T98", 4),
    ):
        bad = faults.value_faults(planted, list(rows[0]), list(rows[7].values()), prefix=prefix)
        folder.write_rows(name, parts.repeated(rows, twice), faults=bad, superseded=twice)
    buyers = [account for account in sales if account not in book.deleted]
    folder.write_rows("crm/surveys.csv", crm_life.make_surveys(book, buyers, rng))
    folder.write_copy("crm/surveys_copy.csv", "crm/surveys.csv")
    return contacts


def _write_erp(folder: LandingFolder, company: _Company, seed: int) -> None:
    rng = np.random.default_rng([seed, 8])
    folder.write_rows("erp/customers.csv", list(company.book.customers.values()), columns=parts.CUSTOMER_COLUMNS)
    product_ids = [product.product_id for product in company.products]
    parts.write_invoice_lines(folder, company.first_lines, company.corrections, product_ids)
    folder.write_rows(
        "erp/products.csv",
        [{"product_id": p.product_id, "product_name": p.name, "product_family": p.family} for p in company.products],
    )
    folder.write_rows("erp/product_costs.csv", _product_costs(company.products))
    folder.write_rates("erp/exchange_rates.parquet", company.rates.days, company.rates.quotes)
    costs = crm_life.make_account_costs(company.parties.customer_ids, company.parties.sales.tolist(), rng)
    template = list(costs[3].values())
    bad = faults.value_faults(faults.ACCOUNT_COST_VALUES, list(costs[0]), template, prefix=costs[3]["customer_id"])
    folder.write_rows("erp/account_costs.csv", parts.repeated(costs, 2), faults=bad, superseded=2)


def _product_costs(products: list[Product]) -> list[Row]:
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


def _tell(
    company: _Company, folder: LandingFolder, overrides: list[governance.OverrideTruth], *, seed: int
) -> Truth:
    """Gather the truth."""
    book, values = company.book, company.values
    accounts = truth.account_truths(book, values, window=WINDOW)
    left_out = pd.concat([company.first_lines["left_out"]]).value_counts().to_dict()
    left_out.pop("", None)
    return Truth(
        seed=seed,
        as_of=str(AS_OF),
        window_start=str(WINDOW[0]),
        reporting_currency="EUR",
        files=dict(sorted(folder.files.items())),
        faults=folder.faults,
        totals=truth.totals(book, values, accounts),
        monthly_revenue={month: truth.as_text(amount) for month, amount in sorted(values.monthly.items())},
        left_out_lines={str(reason): int(count) for reason, count in sorted(left_out.items())},
        accounts=accounts,
        links=book.links,
        review=book.review,
        no_links=book.no_links,
        merged=book.merged,
        deleted=book.deleted,
        placeholders=[key for key, account in accounts.items() if account.is_placeholder],
        excluded=truth.excluded_accounts(book),
        parents=book.parents,
        cut_parents=book.cut_parents,
        vat_numbers=book.vat_numbers,
        overrides=overrides,
        strategic_account=truth.crm_key(book.marks["strategic"]),
        cost_missing_account=book.key_of_customer(book.marks["cost_missing"]),
        negative_margin_large_account=book.key_of_customer(book.marks["negative_margin_large"]),
        negative_margin_accounts=[
            key for key, a in accounts.items() if a.gross_margin and a.gross_margin.startswith("-")
        ],
    )
