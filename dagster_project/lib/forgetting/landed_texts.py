"""Landed rows that are no rows of an entity: those that a profile joins others with, and rejected ones."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.matcher import PLACEHOLDER, Matcher
from dagster_project.lib.release.content import columns_of

# Rows that say something of an account by the account's id; books (invoice lines, costs) stay.
OF_ACCOUNTS = {
    "accounts": ("account_id", "accounts"),
    "contacts": ("account_id", "accounts"),
    "opportunities": ("account_id", "accounts"),
    "activities": ("account_id", "accounts"),
    "surveys": ("account_id", "accounts"),
    "customers": ("customer_id", "customers"),
}

PHONES = frozenset(["phone", "mobile", "phone_work", "phone_mobile"])
# Columns of the rows that a profile joins others with, where they are about a person or describe a company.
DESCRIBING = frozenset(
    [
        "name",
        "first_name",
        "last_name",
        "email",
        *PHONES,
        "title",
        "role",
        "buying_role",
        "linkedin_url",
        "website",
        "domain",
        "vat",
        "vat_number",
        "registration",
        "registration_number",
        "region",
        "city",
        "zip",
        "postal_code",
        "industry",
        "employees",
        "revenue",
        "annual_revenue",
        "potential",
        "owner",
    ]
)


def edit_layout(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    edit: tables.Edit,
    entry: LedgerEntry,
    matcher: Matcher,
) -> None:
    """Rows that others are joined with stay under their ids; what they say of a person or company goes."""
    columns = {name for name, kind in columns_of(connection, relation) if kind == "VARCHAR"}
    layout = entry.entity.rpartition(".")[2]
    conditions = []
    if "first_name" in columns and "email" in columns:
        found = tables.fitting(connection, relation, "email", matcher.email)
        conditions += [tables.is_one_of("email", found)] if found else []
        for name in sorted(columns & PHONES):
            conditions += tables.only_numbers(connection, relation, matcher, phone=name)
    if "id" in columns:
        found = tables.fitting(
            connection,
            relation,
            "id",
            lambda text: (
                matcher.contact_of_layout(entry.system, text)
                if layout in ("contacts", "persons")
                else layout in ("accounts", "companies", "organizations", "partners")
                and (
                    matcher.account(entry.system, "accounts", text)
                    or matcher.account(entry.system, "customers", text)
                )
            ),
        )
        conditions += [tables.is_one_of("id", found)] if found else []
    if conditions:
        for name in sorted(columns & DESCRIBING):
            edit.set_where(" or ".join(conditions), "null", name)


def rejected_edit(
    connection: duckdb.DuckDBPyConnection, path: Path, entry: LedgerEntry, matcher: Matcher
) -> tables.Edit:
    """Rejected rows stay, and are counted; the text of those that name somebody goes whole."""
    relation = tables.parquet(path)

    def names_one(text: str) -> bool:
        return matcher.replaced(text) != text or _names_account(text, entry, matcher)

    edit = tables.Edit()
    for column in ("raw_value", "raw_line"):
        found = tables.fitting(connection, relation, column, names_one)
        if found:
            edit.cells[column] = (
                f"case when {tables.is_one_of(column, found)} then {literal(PLACEHOLDER)} "
                f"else {identifier(column)} end"
            )
    return edit


def _names_account(text: str, entry: LedgerEntry, matcher: Matcher) -> bool:
    """Whether a line that could not be read holds the id of a forgotten account, or contact."""
    if not (matcher.has("account") or matcher.has("contact")):
        return False
    kind = OF_ACCOUNTS.get(entry.entity, ("", "accounts"))[1]
    is_known = entry.entity in OF_ACCOUNTS
    words = {word.strip(" \"'") for word in text.replace(";", ",").replace("\t", ",").split(",")}
    return is_known and any(
        matcher.account(entry.system, kind, word)
        or (entry.entity == "contacts" and matcher.contact(entry.system, word))
        for word in words
        if word
    )
