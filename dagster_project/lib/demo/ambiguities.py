"""Identities that must not be guessed: twins, shared domains, decisions, merges, deletions."""

from __future__ import annotations

from dagster_project.lib.demo.book import Link, NoLink, Row
from dagster_project.lib.demo.companies import folded, vocabulary
from dagster_project.lib.demo.identity import identity_link
from dagster_project.lib.demo.registrar import Registrar

DUMMY_VAT = "FR00000000000"
_TWIN_RULES = (
    "vat_number",
    "vat_number",
    "vat_number",
    "vat_number",
    "registration_number",
    "name_postal_code",
    "name_postal_code",
)


def register_ambiguities(registrar: Registrar) -> None:
    """Add every case of this module."""
    for rule in _TWIN_RULES:
        _add_twins(registrar, rule)
    _add_shared_domain(registrar)
    _add_public_domains(registrar)
    _add_decided_apart(registrar)
    _add_decided_twice(registrar)
    _add_dummy_vat(registrar)
    _add_second_customers(registrar)
    _add_merges(registrar)
    _add_deleted(registrar)


def _add_twins(registrar: Registrar, rule: str) -> None:
    """Add two CRM accounts that fit one ERP customer equally well."""
    company = registrar.maker.make(str(registrar.rng.choice(["FR", "DE", "IT"])), renamed=True)
    shared: dict[str, tuple[Row, Row]] = {
        "vat_number": (
            {"vat_number": company.vat_number, "account_name": company.trade_name},
            {"vat_number": company.vat_number},
        ),
        "registration_number": (
            {
                "registration_number": company.registration_number,
                "account_name": company.trade_name,
            },
            {"registration_number": company.registration_number},
        ),
        "name_postal_code": (
            {"account_name": company.name},
            {"postal_code": company.postal_code, "city": folded(company.city).upper()},
        ),
    }
    crm, erp = shared[rule]
    twins = [registrar.add_account(company, "other", **crm) for _ in range(2)]
    customer_id = registrar.add_customer(company, **erp)
    registrar.book.review.append(NoLink(customer_id, twins, rule))


def _add_shared_domain(registrar: Registrar) -> None:
    """Add two holdings whose companies share a web domain, and a customer that has it too."""
    for country in ("FR", "DE"):
        head = registrar.maker.make(country)
        accounts = [
            registrar.add_account(
                registrar.maker.make(country), "other", website=f"www.{head.domain}"
            )
            for _ in range(3)
        ]
        customer_id = registrar.add_customer(
            registrar.maker.make(country), email_domain=head.domain
        )
        registrar.book.no_links.append(NoLink(customer_id, accounts, "shared_domain"))


def _add_public_domains(registrar: Registrar) -> None:
    """Add small companies whose mail is with a public provider."""
    for domain in vocabulary()["public_domains"]:
        account_id = registrar.add_account(registrar.maker.make(), "prospect", email_domain=domain)
        customer_id = registrar.add_customer(registrar.maker.make(), email_domain=domain)
        registrar.book.no_links.append(NoLink(customer_id, [account_id], "public_domain"))


def _add_decided_apart(registrar: Registrar) -> None:
    """Add pairs that a rung would tie, and that a steward declared different."""
    for rung in ("vat_number", "domain", "name_postal_code"):
        company = registrar.maker.make("FR")
        crm = {
            "vat_number": {"vat_number": company.vat_number},
            "domain": {"website": f"https://{company.domain}"},
            "name_postal_code": {},
        }[rung]
        erp = {
            "vat_number": {"vat_number": company.vat_number},
            "domain": {"email_domain": company.domain},
            "name_postal_code": {"postal_code": company.postal_code},
        }[rung]
        account_id = registrar.add_account(company, "other", **crm)
        other = registrar.maker.make("FR")
        name = company.legal_name if rung == "name_postal_code" else other.legal_name
        customer_id = registrar.add_customer(company, **erp, customer_name=name)
        registrar.book.identity_links.append(identity_link(account_id, customer_id, "different"))
        registrar.book.no_links.append(NoLink(customer_id, [account_id], "governance_different"))


def _add_decided_twice(registrar: Registrar) -> None:
    """Add a pair declared different, then the same: the later decision stands."""
    company = registrar.maker.make("BE", renamed=True)
    account_id = registrar.add_account(company, "customer", account_name=company.trade_name)
    customer_id = registrar.add_customer(company, vat_number=company.vat_number)
    registrar.book.identity_links += [
        identity_link(account_id, customer_id, "same", on="2026-06-02"),
        identity_link(account_id, customer_id, "different", on="2025-11-20"),
    ]
    registrar.book.links.append(Link(account_id, customer_id, "governance"))


def _add_dummy_vat(registrar: Registrar) -> None:
    """Add companies whose VAT number was filled in to satisfy a form."""
    accounts = [
        registrar.add_account(registrar.maker.make("FR"), "prospect", vat_number=DUMMY_VAT)
        for _ in range(2)
    ]
    customer_id = registrar.add_customer(registrar.maker.make("FR"), vat_number=DUMMY_VAT)
    registrar.book.no_links.append(NoLink(customer_id, accounts, "invalid_vat_number"))


def _add_second_customers(registrar: Registrar) -> None:
    """Give six CRM accounts a second ERP customer (another site), which names them."""
    first = [link for link in registrar.book.links if link.rule == "cross_reference"]
    for link in first[10:70:10]:
        company = registrar.book.companies[link.crm_account_id]
        name = f"{folded(company.name).upper()} {folded(company.billing_city).upper()}"
        customer_id = registrar.add_customer(
            company, customer_name=name, crm_account_id=link.crm_account_id
        )
        registrar.book.links.append(Link(link.crm_account_id, customer_id, "cross_reference"))


def _add_merges(registrar: Registrar) -> None:
    """Merge duplicates whose reference to the ERP now is the survivor's, once by way of another."""
    book = registrar.book
    for position in range(4):
        company = registrar.maker.make("FR" if position % 2 else "DE")
        customer_id = registrar.add_customer(company, **registrar.erp_extras(company))
        survivor = registrar.add_account(company, "customer", website=f"https://{company.domain}")
        chain = [survivor] + [
            registrar.add_account(company, "customer", is_deleted="true")
            for _ in range(2 if position == 3 else 1)
        ]
        for older, newer in zip(chain[1:], chain, strict=False):
            book.accounts[older]["merged_into_id"] = newer
            book.merged[older] = newer
        book.accounts[chain[-1]]["erp_customer_id"] = customer_id
        book.links.append(Link(survivor, customer_id, "cross_reference"))


def _add_deleted(registrar: Registrar) -> None:
    """Delete three CRM accounts that money hangs on, and two that none does."""
    book = registrar.book
    for position in range(5):
        company = registrar.maker.make()
        account_id = registrar.add_account(
            company, "customer" if position < 3 else "prospect", is_deleted="true"
        )
        book.deleted.append(account_id)
        if position < 3:
            customer_id = registrar.add_customer(company, crm_account_id=account_id)
            book.links.append(Link(account_id, customer_id, "cross_reference"))
