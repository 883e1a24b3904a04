"""Writes what each system delivers: CRM, ERP and governance, every file of the landing folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dagster_project.lib.demo import crm_life, erp_tables, faults, governance, parts, people
from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.landing import LandingFolder
from dagster_project.lib.demo.opportunities import make_opportunities
from dagster_project.lib.demo.parties import Parties
from dagster_project.lib.demo.products import Product
from dagster_project.lib.demo.rates import Rates
from dagster_project.lib.demo.service import ServiceTruth, minutes_in_window, plant_service
from dagster_project.lib.demo.values import ValueBook

# the strategic account hears from us as if it bought for so much a year
_COURTED_LIKE = 3_000_000.0


@dataclass(frozen=True)
class Company:
    """Everything that was planted, before any of it is written."""

    book: Book
    parties: Parties
    products: list[Product]
    rates: Rates
    first_lines: pd.DataFrame
    corrections: pd.DataFrame
    values: ValueBook

    def final_lines(self) -> pd.DataFrame:
        """Return the lines as they stand once the corrections have come."""
        is_corrected = self.first_lines["invoice_id"].isin(self.corrections["invoice_id"])
        return pd.concat([self.first_lines[~is_corrected], self.corrections], ignore_index=True)

    def sales_by_account(self) -> dict[str, float]:
        """Return the yearly sales, roughly, by CRM account."""
        customers = dict(zip(self.parties.customer_ids, self.parties.sales.tolist(), strict=True))
        sales: dict[str, float] = defaultdict(float)
        for link in self.book.links:
            sales[link.crm_account_id] += customers.get(link.erp_customer_id, 0.0)
        return sales


@dataclass(frozen=True)
class CrmDelivery:
    """What later steps need of the CRM's extracts: contacts, and the time planted in activities.

    ``withdrawals`` are later versions of some contacts, in a file of their own.
    """

    contacts: list[Row]
    withdrawals: list[Row]
    service: list[ServiceTruth]
    minutes: dict[str, int]


def write_crm(
    folder: LandingFolder,
    company: Company,
    revenue_tiers: dict[str, str],
    rng: np.random.Generator,
) -> CrmDelivery:
    """Write the CRM's extracts, surveys twice."""
    book, sales = company.book, company.sales_by_account()
    parts.write_accounts(folder, book, rng)
    folder.write_rows("crm/users.csv", crm_life.make_users(rng))
    contacts = people.add_twins(crm_life.make_contacts(book, rng))
    withdrawals = people.withdrawals(contacts)
    opportunities = make_opportunities(book, rng)
    courted = {book.marks["strategic"]: _COURTED_LIKE}
    overrides, _ = governance.make_overrides(book, revenue_tiers)
    activities, service = plant_service(
        crm_life.make_activities(book, sales | courted, rng),
        book,
        revenue_tiers,
        spared={row["account_id"] for row in overrides},
    )
    for name, rows, planted, prefix, twice, replaced in (
        ("crm/contacts.csv", contacts, faults.CONTACT_VALUES, "P98", 3, len(withdrawals)),
        ("crm/opportunities.csv", opportunities, faults.OPPORTUNITY_VALUES, "O98", 2, 0),
        ("crm/activities.csv.gz", activities, faults.ACTIVITY_VALUES, "T98", 4, 0),
    ):
        bad = faults.value_faults(planted, list(rows[0]), list(rows[7].values()), prefix=prefix)
        superseded = twice + replaced
        folder.write_rows(name, parts.repeated(rows, twice), faults=bad, superseded=superseded)
    folder.write_rows("crm/contacts_withdrawals.csv", withdrawals)
    buyers = [account for account in sales if account not in book.deleted]
    folder.write_rows("crm/surveys.csv", crm_life.make_surveys(book, buyers, rng))
    folder.write_copy("crm/surveys_copy.csv", "crm/surveys.csv")
    return CrmDelivery(contacts, withdrawals, service, minutes_in_window(activities))


def write_erp(folder: LandingFolder, company: Company, rng: np.random.Generator) -> None:
    """Write the ERP's extracts."""
    customers = list(company.book.customers.values())
    folder.write_rows("erp/customers.csv", customers, columns=parts.CUSTOMER_COLUMNS)
    product_ids = [product.product_id for product in company.products]
    parts.write_invoice_lines(folder, company.first_lines, company.corrections, product_ids)
    folder.write_rows("erp/products.csv", erp_tables.product_rows(company.products))
    folder.write_rows("erp/product_costs.csv", erp_tables.product_cost_rows(company.products))
    folder.write_rates("erp/exchange_rates.parquet", company.rates.days, company.rates.quotes)
    parties = company.parties
    costs = erp_tables.make_account_costs(parties.customer_ids, parties.sales.tolist(), rng)
    totals = erp_tables.control_total_rows(company.final_lines())
    folder.write_rows("erp/control_totals.csv", totals)
    columns, template = list(costs[0]), [costs[3][column] for column in costs[0]]
    bad = faults.value_faults(faults.ACCOUNT_COST_VALUES, columns, template, prefix=template[0])
    folder.write_rows("erp/account_costs.csv", parts.repeated(costs, 2), faults=bad, superseded=2)


def write_governance(
    folder: LandingFolder, book: Book, contacts: list[Row], revenue_tiers: dict[str, str]
) -> tuple[list[governance.OverrideTruth], list[Row]]:
    """Write what stewards and managers decided; return what is expected of overrides, and the suppressions."""
    overrides, expected = governance.make_overrides(book, revenue_tiers)
    folder.write_rows("governance/tier_overrides.csv", overrides)
    suppressions = governance.make_suppressions(contacts, book)
    folder.write_rows("governance/suppressions.csv", suppressions)
    folder.write_rows("governance/identity_links.csv", book.identity_links, superseded=1)
    return expected, suppressions
