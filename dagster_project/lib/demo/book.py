"""What the generator writes of companies, and what it knows of them, gathered step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.lib.demo.companies import Company

Row = dict[str, str]

CRM_SYSTEM, CRM_ENTITY = "crm", "accounts"
ERP_SYSTEM, ERP_ENTITY = "erp", "customers"


def crm_key(account_id: str) -> str:
    """Return the account key of a CRM account."""
    return f"{CRM_SYSTEM}:{CRM_ENTITY}:{account_id}"


def erp_key(customer_id: str) -> str:
    """Return the account key of an ERP customer that is an account of its own."""
    return f"{ERP_SYSTEM}:{ERP_ENTITY}:{customer_id}"


@dataclass(frozen=True)
class Link:
    """An ERP customer that is a CRM account, and the first rule of the ladder that says so."""

    crm_account_id: str
    erp_customer_id: str
    rule: str


@dataclass(frozen=True)
class NoLink:
    """An ERP customer that must stay an account of its own although a CRM account looks like it."""

    erp_customer_id: str
    crm_account_ids: list[str]
    reason: str


@dataclass(frozen=True)
class VatNumber:
    """A VAT number as written in an extract, and whether its check digits hold."""

    system: str
    entity: str
    id: str
    vat_number: str
    is_valid: bool


@dataclass
class Book:
    """Rows of ``accounts`` and ``customers`` by id, and what is planted in them.

    ``companies`` leads from an ERP customer or a CRM account to the company it is; ``marks`` names
    single accounts that later steps and tests need (``strategic``, ``one_time``, ...).
    """

    accounts: dict[str, Row] = field(default_factory=dict)
    customers: dict[str, Row] = field(default_factory=dict)
    identity_links: list[Row] = field(default_factory=list)
    companies: dict[str, Company] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    review: list[NoLink] = field(default_factory=list)
    no_links: list[NoLink] = field(default_factory=list)
    vat_numbers: list[VatNumber] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    cut_parents: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    _linked: dict[str, str] | None = None

    def survivor(self, account_id: str) -> str:
        """Return the CRM account that a merged one has become."""
        while account_id in self.merged:
            account_id = self.merged[account_id]
        return account_id

    def key_of_customer(self, customer_id: str) -> str:
        """Return the account key under which an ERP customer is counted."""
        if self._linked is None or len(self._linked) != len(self.links):
            self._linked = {link.erp_customer_id: link.crm_account_id for link in self.links}
        crm = self._linked.get(customer_id)
        return crm_key(crm) if crm else erp_key(customer_id)
