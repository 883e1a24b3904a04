"""The models of contacts over relations made of the reference's own objects, in an in-memory DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.lib.normal_forms import normalise_host
from dagster_project.lib.reference_contact_rows import CELLS
from dagster_project.lib.reference_contacts import Account, Contact, Suppression

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
BASE = (
    "int_suppressions_normalised",
    "int_contacts_normalised",
    "int_contacts_judged",
    "abm_contacts",
    "exp_all__contacts",
)
EXPORTS = tuple(f"exp_{name}__{part}" for name in CELLS for part in ("contacts", "members"))
MODELS = (*BASE, *EXPORTS)
TEXT, TRUTH = pa.string(), pa.bool_()

CONTACTS = {
    "source_system": TEXT,
    "contact_id": TEXT,
    "account_id": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "email": TEXT,
    "phone": TEXT,
    "job_title": TEXT,
    "buying_role": TEXT,
    "country_code": TEXT,
    "consent_email": TRUTH,
    "consent_ads": TRUTH,
    "opted_out": TRUTH,
}
ACCOUNTS = {
    "account_key": TEXT,
    "account_name": TEXT,
    "final_tier": TEXT,
    "posture": TEXT,
    "relationship": TEXT,
    "country_code": TEXT,
    "city": TEXT,
    "region": TEXT,
    "postal_code": TEXT,
    "ineligible_reason": TEXT,
}
MEMBERS = {
    "account_sk": pa.int64(),
    "account_key": TEXT,
    "source_system": TEXT,
    "source_entity": TEXT,
    "source_id": TEXT,
}
SUPPRESSIONS = {
    "source_system": TEXT,
    "delivery_id": pa.int64(),
    "line_number": pa.int64(),
    "email": TEXT,
    "email_sha256": TEXT,
    "domain": TEXT,
    "account_id": TEXT,
}
IDENTIFIERS = {"kind": TEXT, "raw_value": TEXT, "country_code": TEXT, "normalised": TEXT}


@dataclass(frozen=True)
class ContactModels:
    """The compiled models, and a database to run them in."""

    connection: duckdb.DuckDBPyConnection
    sql: Mapping[str, str]

    def build(
        self,
        contacts: Sequence[Contact],
        accounts: Mapping[str, Account],
        suppressions: Iterable[Suppression] = (),
        *,
        audiences: Sequence[str] = ("A",),
        consent: str | None = None,
    ) -> None:
        """Fills the inputs and builds every model; each account is in each of the audiences.

        `consent`: the word of every line of the seed contact_destinations, instead of its own.
        """
        suppressions = list(suppressions)
        keys = {key: number for number, key in enumerate(accounts, start=1)}
        self._fill("stg_crm__contacts", [_crm_row(contact) for contact in contacts], CONTACTS)
        self._fill(
            "stg_crm__accounts",
            [{"source_system": "crm", "account_id": key, "country_code": None} for key in accounts],
            {"source_system": TEXT, "account_id": TEXT, "country_code": TEXT},
        )
        self._fill(
            "stg_run__phones",
            [
                {"raw_value": phone, "country_code": country, "normalised": phone}
                for phone, country in sorted(
                    {(c.phone, c.country or "") for c in contacts if c.phone}
                )
            ],
            {"raw_value": TEXT, "country_code": TEXT, "normalised": TEXT},
        )
        members = [
            {"account_sk": number, "account_key": key, "source_system": "crm"}
            | {"source_entity": "accounts", "source_id": key}
            for key, number in keys.items()
        ]
        self._fill("int_account_members", members, MEMBERS)
        self._fill(
            "stg_governance__suppressions",
            [{"line_number": number, **vars(row)} for number, row in enumerate(suppressions)],
            SUPPRESSIONS,
        )
        hosts = {row.email.rpartition("@")[2] for row in (*contacts, *suppressions) if row.email}
        hosts |= {row.domain for row in suppressions if row.domain}
        self._fill(
            "stg_run__identifiers",
            [
                {"kind": "host", "raw_value": host, "country_code": ""}
                | {"normalised": normalise_host(host).value}
                for host in sorted(hosts)
            ],
            IDENTIFIERS,
        )
        self._fill(
            "int_accounts_suppressed",
            [
                {"account_sk": keys[key], "suppressed_by": account.suppressed_by}
                for key, account in accounts.items()
                if account.suppressed_by
            ],
            {"account_sk": pa.int64(), "suppressed_by": TEXT},
        )
        self._fill("abm_accounts", [_account_row(*item) for item in accounts.items()], ACCOUNTS)
        self._fill(
            "account_tiers",
            [{"account_key": key, "revenue": account.revenue} for key, account in accounts.items()],
            {"account_key": TEXT, "revenue": pa.decimal128(18, 4)},
        )
        self._fill(
            "exp_all__members",
            [{"audience": name, "account_key": key} for name in audiences for key in accounts],
            {"audience": TEXT, "account_key": TEXT},
        )
        with (SEEDS / "contact_destinations.csv").open(encoding="utf-8", newline="") as stream:
            seed = list(csv.DictReader(stream))
        if consent is not None:
            seed = [line | {"consent": consent} for line in seed]
        self._fill("contact_destinations", seed, dict.fromkeys(seed[0], TEXT))
        for name in MODELS:
            self.connection.execute(f"create or replace table {name} as {self.sql[name]}")

    def release(self, audiences: Sequence[str]) -> duckdb.DuckDBPyConnection:
        """The database with the schemas that the audience files are written from."""
        self.connection.execute("create schema if not exists exports")
        self.connection.execute("create schema if not exists seeds")
        for name in EXPORTS:
            self.connection.execute(f"create or replace table exports.{name} as from {name}")
        self.connection.execute(
            "create or replace table seeds.audiences as "
            "select unnest(?::varchar[]) as audience, null::varchar as wider_audience",
            [list(audiences)],
        )
        return self.connection

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query says, by column."""
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _fill(
        self, name: str, rows: list[dict[str, Any]], schema: Mapping[str, pa.DataType]
    ) -> None:
        table = pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items())))
        self.connection.register("incoming", table)
        self.connection.execute(f"create or replace table {name} as select * from incoming")


def _crm_row(contact: Contact) -> dict[str, Any]:
    system, _, number = contact.key.partition(":")
    row = {name: value for name, value in vars(contact).items() if name in CONTACTS}
    return row | {
        "source_system": system,
        "contact_id": number,
        "account_id": contact.account_key,
        "country_code": contact.country,
        "buying_role": None,
    }


def _account_row(key: str, account: Account) -> dict[str, Any]:
    return {
        "account_key": key,
        "account_name": account.name,
        "final_tier": "A",
        "posture": "grow",
        "relationship": "customer",
        "country_code": account.country,
        "city": account.city,
        "region": account.region,
        "postal_code": account.postal_code,
        "ineligible_reason": account.reason,
    }
