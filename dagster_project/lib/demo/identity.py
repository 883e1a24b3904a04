"""CRM accounts and ERP customers of the same companies, tied by each rung of the identity ladder, or by none.

A pair that a rung must find shares nothing that a higher rung looks at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dagster_project.lib.demo import identifiers
from dagster_project.lib.demo.book import Book, Link, Row, VatNumber
from dagster_project.lib.demo.companies import Company, CompanyMaker, folded, vocabulary

# one company per number; the rest of the ladder's cases are in `ambiguities.py`
PAIRS = {
    "crm_names_erp": 560,
    "erp_names_crm": 180,
    "both_name": 60,
    "governance": 12,
    "vat_number": 96,
    "registration_number": 44,
    "domain": 48,
    "name_postal_code": 44,
    "invalid_vat": 8,
    "dangling_reference": 2,
}
RULES = {
    "crm_names_erp": "cross_reference",
    "erp_names_crm": "cross_reference",
    "both_name": "cross_reference",
    "invalid_vat": "name_postal_code",
    "dangling_reference": "vat_number",
}
ERP_ONLY = 44
PROSPECTS = 328
PARTNERS = 12
OTHERS = 5
_RENAMED = {"governance", "vat_number", "registration_number", "domain", "dangling_reference"}


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
            "updated_at": f"{np.datetime64('2026-01-05T07:00:00') + self.rng.integers(0, 86_400 * 290)}Z",
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
            "customer_class": str(self.rng.choice(["OEM", "End user", "Distributor", "Integrator"])),
            "business_unit": str(self.rng.choice(vocabulary()["business_units"], p=[0.6, 0.28, 0.12])),
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
        """Return some of a company's identifiers, as a CRM that nobody forces to be complete has them."""
        values = {"website": f"https://www.{company.domain}"} if self.chance(0.8) else {}
        if self.chance(0.4):
            values["email_domain"] = company.domain
        if self.chance(0.45) and company.vat_number:
            values["vat_number"] = company.vat_number
        if self.chance(0.3):
            values["registration_number"] = company.registration_number
        if self.chance(0.35):
            values["linkedin_url"] = f"https://www.linkedin.com/company/{company.domain.split('.')[0]}"
        return values

    def erp_extras(self, company: Company) -> Row:
        """Return the identifiers that a ledger asks for when a customer is opened."""
        values = {"vat_number": company.vat_number} if self.chance(0.85) and company.vat_number else {}
        if self.chance(0.4):
            values["registration_number"] = company.registration_number
        if self.chance(0.5):
            values["email_domain"] = company.domain
        return values


def register_pairs(registrar: Registrar) -> None:
    """Add the companies that both systems know, in the shares of ``PAIRS``, one rung each."""
    for kind, count in PAIRS.items():
        for number in range(count):
            country = None
            if kind in {"vat_number", "dangling_reference", "invalid_vat"}:
                country = str(registrar.rng.choice(identifiers.VAT_LINK_COUNTRIES))
            company = registrar.maker.make(country, renamed=kind in _RENAMED)
            _register_pair(registrar, company, kind, is_odd=number % 2 == 1)


def _register_pair(registrar: Registrar, company: Company, kind: str, *, is_odd: bool) -> None:
    crm, erp = _identifiers_of(registrar, company, kind, is_odd=is_odd)
    account_id = registrar.add_account(company, "customer", **crm)
    customer_id = registrar.add_customer(company, **erp)
    if kind in {"crm_names_erp", "both_name"}:
        registrar.book.accounts[account_id]["erp_customer_id"] = customer_id
    if kind in {"erp_names_crm", "both_name"}:
        registrar.book.customers[customer_id]["crm_account_id"] = account_id
    if kind == "governance":
        registrar.book.identity_links.append(identity_link(account_id, customer_id, "same"))
    registrar.book.links.append(Link(account_id, customer_id, RULES.get(kind, kind)))


def _identifiers_of(
    registrar: Registrar, company: Company, kind: str, *, is_odd: bool
) -> tuple[Row, Row]:
    """Return the identifying values of the CRM's and of the ERP's row of a pair."""
    website = {"website": f"https://www.{company.domain}/"}
    vat = {"vat_number": company.vat_number} if company.vat_number else {}
    renamed = {"account_name": company.trade_name}
    same_place = {"postal_code": company.postal_code, "city": folded(company.city).upper()}
    if kind == "governance":
        return renamed | website, vat
    if kind == "vat_number":
        return renamed | website | {"vat_number": registrar.as_typed(company.vat_number)}, vat
    if kind == "dangling_reference":
        return renamed | vat | {"erp_customer_id": "C999" + company.postal_code[:2].strip()}, vat
    if kind == "registration_number":
        number = {"registration_number": company.registration_number}
        return renamed | number, vat | number
    if kind == "domain":
        crm = website if is_odd else {"email_domain": company.domain}
        return renamed | crm, vat | {"email_domain": company.domain.upper() if is_odd else company.domain}
    if kind == "name_postal_code":
        return {"account_name": company.name} | website, vat | same_place
    if kind == "invalid_vat":
        false = {"vat_number": identifiers.spoilt(company.vat_number)}
        return {"account_name": company.name} | false, false | same_place
    return registrar.crm_extras(company), registrar.erp_extras(company)


def identity_link(account_id: str, customer_id: str, decision: str, *, on: str = "2026-03-16") -> Row:
    """Return a row of ``identity_links``."""
    return {
        "crm_account_id": account_id,
        "erp_customer_id": customer_id,
        "decision": decision,
        "decided_by": "Ingrid Sommer",
        "decided_on": on,
    }


def register_singles(registrar: Registrar) -> None:
    """Add the companies that one system alone knows."""
    for _ in range(ERP_ONLY):
        company = registrar.maker.make()
        registrar.add_customer(company, **registrar.erp_extras(company))
    for account_type, count in (("prospect", PROSPECTS), ("partner", PARTNERS), ("other", OTHERS)):
        for _ in range(count):
            company = registrar.maker.make()
            values = registrar.crm_extras(company)
            if account_type == "prospect" and registrar.chance(0.3):
                amount = round(float(registrar.rng.lognormal(10.8, 1.1)), -3)
                values |= {"declared_potential": f"{amount:.0f}", "potential_currency": company.currency}
            registrar.add_account(company, account_type, **values)
