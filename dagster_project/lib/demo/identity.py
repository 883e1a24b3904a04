"""CRM accounts and ERP customers of the same companies, tied by one rung of the ladder or none.

A pair that a rung must find shares nothing that a higher rung looks at.
"""

from __future__ import annotations

from dagster_project.lib.demo import identifiers
from dagster_project.lib.demo.book import Link, Row
from dagster_project.lib.demo.companies import Company, folded
from dagster_project.lib.demo.registrar import Registrar

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
_RENAMED = {
    "governance",
    "vat_number",
    "registration_number",
    "domain",
    "dangling_reference",
}


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
    same_place = {
        "postal_code": company.postal_code,
        "city": folded(company.city).upper(),
    }
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
        return renamed | crm, vat | {
            "email_domain": company.domain.upper() if is_odd else company.domain
        }
    if kind == "name_postal_code":
        return {"account_name": company.name} | website, vat | same_place
    if kind == "invalid_vat":
        false = {"vat_number": identifiers.spoilt(company.vat_number)}
        return {"account_name": company.name} | false, false | same_place
    return registrar.crm_extras(company), registrar.erp_extras(company)


def identity_link(
    account_id: str, customer_id: str, decision: str, *, on: str = "2026-03-16"
) -> Row:
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
    for account_type, count in (
        ("prospect", PROSPECTS),
        ("partner", PARTNERS),
        ("other", OTHERS),
    ):
        for _ in range(count):
            company = registrar.maker.make()
            values = registrar.crm_extras(company)
            if account_type == "prospect" and registrar.chance(0.3):
                amount = round(float(registrar.rng.lognormal(10.8, 1.1)), -3)
                values |= {
                    "declared_potential": f"{amount:.0f}",
                    "potential_currency": company.currency,
                }
            registrar.add_account(company, account_type, **values)
