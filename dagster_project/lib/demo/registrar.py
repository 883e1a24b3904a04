"""Adds a company to the CRM or the ERP, each with its own ids, spelling and gaps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dagster_project.lib.demo.book import Book, Row, VatNumber
from dagster_project.lib.demo.companies import Company, CompanyMaker, folded, vocabulary


@dataclass
class Registrar:
    """Writes companies into the two systems, each with its own ids, spelling and gaps."""

    rng: np.random.Generator
    maker: CompanyMaker
    book: Book = field(default_factory=Book)
    _accounts: int = 10_000
    _customers: int = 200_000

    def chance(self, probability: float) -> bool:
        """Return true with the probability."""
        return bool(self.rng.random() < probability)

    def add_account(self, company: Company, account_type: str, **values: str) -> str:
        """Add a CRM account with name and place of the company, and return its id."""
        self._accounts += int(self.rng.integers(1, 9))
        account_id = f"A{self._accounts}"
        size = round(float(self.rng.lognormal(4.6, 1.1))) + 3
        founded = np.datetime64("2015-01-01T08:00:00") + self.rng.integers(0, 86_400 * 3_900)
        touched = np.datetime64("2026-01-05T07:00:00") + self.rng.integers(0, 86_400 * 290)
        row: Row = {
            "account_id": account_id,
            "account_name": company.legal_name if self.chance(0.6) else company.name,
            "account_type": account_type,
            "country_code": company.country,
            "city": company.city,
            "postal_code": company.postal_code,
            "industry": company.industry,
            "employee_count": str(size),
            "company_revenue": f"{size * int(self.rng.integers(90, 320))}000",
            "owner_id": f"U{1 + int(self.rng.integers(0, len(vocabulary()['users']) - 1)):02d}",
            "created_at": f"{founded}Z",
            "updated_at": f"{touched}Z",
            "is_deleted": "false",
        }
        self.book.accounts[account_id] = row | values
        self.book.companies[account_id] = company
        self._note_vat("crm", "accounts", account_id, values)
        return account_id

    def add_customer(self, company: Company, **values: str) -> str:
        """Add an ERP customer as the ledger writes it, and return its id."""
        self._customers += int(self.rng.integers(1, 30))
        customer_id = f"C{self._customers}"
        name = company.legal_name if self.chance(0.5) else folded(company.legal_name).upper()
        row: Row = {
            "customer_id": customer_id,
            "customer_name": name,
            "country_code": company.country,
            "city": folded(company.billing_city).upper(),
            "postal_code": company.billing_postal_code,
            "customer_class": str(
                self.rng.choice(["OEM", "End user", "Distributor", "Integrator"])
            ),
            "business_unit": str(
                self.rng.choice(vocabulary()["business_units"], p=[0.6, 0.28, 0.12])
            ),
            "is_one_time": "false",
            "is_intercompany": "false",
        }
        self.book.customers[customer_id] = row | values
        self.book.companies[customer_id] = company
        self._note_vat("erp", "customers", customer_id, values)
        return customer_id

    def _note_vat(self, system: str, entity: str, row_id: str, values: Row) -> None:
        number = values.get("vat_number")
        if number:
            company = self.book.companies[row_id]
            is_valid = number.replace(" ", "").upper() == company.vat_number.replace(" ", "")
            self.book.vat_numbers.append(VatNumber(system, entity, row_id, number, is_valid))

    def as_typed(self, number: str) -> str:
        """Return a number as a sales person types it: with blanks, in lower case, or as it is."""
        style = int(self.rng.integers(0, 4))
        if style == 0:
            return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}".strip()
        return number.lower() if style == 1 else number

    def crm_extras(self, company: Company) -> Row:
        """Return some identifiers, as a CRM that nobody forces to be complete has them."""
        values = {"website": f"https://www.{company.domain}"} if self.chance(0.8) else {}
        if self.chance(0.4):
            values["email_domain"] = company.domain
        if self.chance(0.45) and company.vat_number:
            values["vat_number"] = company.vat_number
        if self.chance(0.3):
            values["registration_number"] = company.registration_number
        if self.chance(0.35):
            values["linkedin_url"] = (
                f"https://www.linkedin.com/company/{company.domain.split('.')[0]}"
            )
        return values

    def erp_extras(self, company: Company) -> Row:
        """Return the identifiers that a ledger asks for when a customer is opened."""
        values = (
            {"vat_number": company.vat_number} if self.chance(0.85) and company.vat_number else {}
        )
        if self.chance(0.4):
            values["registration_number"] = company.registration_number
        if self.chance(0.5):
            values["email_domain"] = company.domain
        return values
