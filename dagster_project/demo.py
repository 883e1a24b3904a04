"""The demo company: Valmont Composants, a maker of industrial components, as CRM and ERP see it.

``generate`` fills a landing folder with extracts in the layout of the profile ``generic``, three
years of them, in which everything lies that real ones hold: customers that one system alone knows,
credit notes without a sign, merged accounts, bad lines. ``truth.json`` beside them says what was
planted and what must come out, computed here, apart from the pipeline. The same seed gives the
same bytes.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from dagster_project.lib.demo import expected, parts
from dagster_project.lib.demo.ambiguities import register_ambiguities
from dagster_project.lib.demo.book import Book
from dagster_project.lib.demo.companies import CompanyMaker
from dagster_project.lib.demo.delivery import Company, write_crm, write_erp, write_governance
from dagster_project.lib.demo.documents import DocumentMaker, add_documents
from dagster_project.lib.demo.identity import register_pairs, register_singles
from dagster_project.lib.demo.landing import LandingFolder
from dagster_project.lib.demo.parties import fit_sizes, make_parties
from dagster_project.lib.demo.people import people_truths
from dagster_project.lib.demo.products import make_products
from dagster_project.lib.demo.rates import make_rates
from dagster_project.lib.demo.registrar import Registrar
from dagster_project.lib.demo.sales import make_sales
from dagster_project.lib.demo.specials import register_groups, register_specials
from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.demo.values import value_accounts

DEFAULT_SEED = 20_260_101
AS_OF = date(2026, 11, 1)
WINDOW = (date(2025, 11, 1), AS_OF)
TRUTH_FILE = "truth.json"
_FIRST_RATE = date(2023, 10, 23)
_CORRECTED_INVOICES = 26


def generate(landing: Path, *, seed: int = DEFAULT_SEED) -> Truth:
    """Write the demo company's extracts below ``landing``, and ``truth.json`` at its top.

    Args:
        landing: made if need be; files of the same names are replaced.
        seed: of everything drawn.

    Returns:
        What was planted and what must come out of it.
    """
    # each part draws from a stream of its own, so that a change in one moves nothing in the others
    streams = (np.random.default_rng([seed, number]) for number in range(12))
    landing.mkdir(parents=True, exist_ok=True)
    folder = LandingFolder(landing, next(streams))
    company = _plant(*(next(streams) for _ in range(6)))
    revenue_tiers = expected.revenue_tiers(company.book, company.values)
    crm = write_crm(folder, company, revenue_tiers, next(streams))
    write_erp(folder, company, next(streams))
    overrides, suppressions = write_governance(folder, company.book, crm.contacts, revenue_tiers)
    people = people_truths(crm.contacts, crm.withdrawals, suppressions, company.book)
    told = expected.tell(company, folder, overrides, crm, people, seed=seed, window=WINDOW)
    told.write(landing / TRUTH_FILE)
    return told


def _plant(
    for_book: np.random.Generator,
    for_products: np.random.Generator,
    for_rates: np.random.Generator,
    for_parties: np.random.Generator,
    for_sales: np.random.Generator,
    for_documents: np.random.Generator,
) -> Company:
    """Draw the company's customers and everything that they bought."""
    book = _register(for_book)
    products = make_products(for_products)
    rates = make_rates(for_rates, start=_FIRST_RATE, end=AS_OF)
    parties = make_parties(book, for_parties)
    fit_sizes(book, parties)
    sales = make_sales(parties, products, missing=book.marks["cost_missing"], rng=for_sales)
    maker = DocumentMaker(
        sales,
        for_documents,
        intercompany=book.marks["intercompany"],
        special=set(book.marks.values()),
    )
    wrong = maker.take(_CORRECTED_INVOICES, since="2026-04-01")
    lines = add_documents(maker)
    first_lines, corrections = parts.corrected(lines, sorted(set(wrong["invoice_id"])))
    keys = [book.key_of_customer(customer) for customer in lines["customer_id"]]
    values = value_accounts(lines, keys, products, rates, window=WINDOW)
    return Company(book, parties, products, rates, first_lines, corrections, values)


def _register(rng: np.random.Generator) -> Book:
    registrar = Registrar(rng, CompanyMaker(rng))
    register_pairs(registrar)
    register_singles(registrar)
    register_ambiguities(registrar)
    register_specials(registrar)
    register_groups(registrar)
    return registrar.book
