"""The SQL that finds who speaks for a domain and which sites stand with a group, held against the reference."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_project.lib import reference_account_audiences as reference
from tests.dbt.compiled import compiled_nodes

MODELS = (
    "int_domains_silenced",
    "exp_all__members",
    "exp_all__domains",
    "exp_demandbase__members",
    "exp_6sense__members",
    "exp_6sense__accounts",
)
TEXT, MONEY = pa.string(), pa.decimal128(18, 4)
ACCOUNTS = {
    "account_key": TEXT,
    "account_name": TEXT,
    "final_tier": TEXT,
    "relationship": TEXT,
    "country_code": TEXT,
    "website_domain": TEXT,
    "email_domain": TEXT,
    "crm_account_id": TEXT,
    "is_suppressed": pa.bool_(),
    "ineligible_reason": TEXT,
    "is_eligible": pa.bool_(),
}
TIERS = {
    "account_key": TEXT,
    "ultimate_parent_account_key": TEXT,
    "relationship": TEXT,
    "revenue": MONEY,
    "potential": MONEY,
}
NUMBER = pa.int64()
MEMBERS = {
    "account_sk": NUMBER,
    "source_system": TEXT,
    "source_entity": TEXT,
    "source_id": TEXT,
}
IDENTIFIERS = {**MEMBERS, "kind": TEXT, "normalised": TEXT}
LINES = {"audience": TEXT, "tier": TEXT, "relationship": TEXT}
SEED = [
    {"audience": "A", "tier": "A", "relationship": "any"},
    {"audience": "A+B", "tier": "A", "relationship": "any"},
    {"audience": "A+B", "tier": "B", "relationship": "any"},
    {"audience": "prospects_A", "tier": "A", "relationship": "prospect"},
    {"audience": "win_back", "tier": "any", "relationship": "former"},
]
# Per account: tier, relationship, country, domains (website, e-mail, of another member), has a CRM account, why
# not, revenue, potential, number of the group's ultimate parent.
Domains = tuple[str | None, str | None, str | None]
Drawn = tuple[str, str, str | None, Domains, bool, str | None, int, int | None, int]
names = st.sampled_from(["one.com", "two.com", "three.com", None, None])
ONE, TWO, NONE = ("one.com",) * 3, ("two.com",) * 3, (None,) * 3
accounts = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C"]),
        st.sampled_from(["customer", "prospect", "former"]),
        st.sampled_from(["FR", "DE", None]),
        st.tuples(names, names, names),
        st.booleans(),
        st.sampled_from([None, None, None, "suppressed", "inactive"]),
        st.integers(0, 2),
        st.none() | st.integers(0, 2),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def warehouse(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """An empty database, and the compiled models."""
    models = compiled_nodes(tmp_path_factory, *MODELS)
    with duckdb.connect() as connection:
        yield connection, models


@example([("A", "customer", "FR", ONE, True, None, 2, None, 0)] * 2)
@example(
    [
        ("A", "prospect", "FR", ONE, True, None, 0, 1, 0),
        ("C", "customer", "DE", NONE, True, None, 2, None, 0),
        ("C", "prospect", "DE", NONE, True, None, 0, None, 0),
        ("C", "prospect", "FR", TWO, True, "suppressed", 0, None, 3),
        ("C", "prospect", "FR", TWO, False, None, 0, None, 0),
    ]
)
@example(
    [
        ("A", "prospect", "FR", ("one.com", "two.com", None), True, None, 0, 1, 0),
        ("A", "prospect", "FR", ("three.com", "two.com", None), True, "suppressed", 0, 1, 1),
        ("A", "prospect", "FR", (None, None, "one.com"), True, "suppressed", 0, 1, 2),
    ]
)
@settings(max_examples=60, deadline=None)
@given(accounts)
def test_domains_and_sites_are_those_of_the_reference(
    warehouse: tuple[duckdb.DuckDBPyConnection, dict[str, str]], drawn: list[Drawn]
) -> None:
    connection, models = warehouse
    rows, tiers = filled(drawn)
    domains = {f"k{number}": set(d[3]) - {None} for number, d in enumerate(drawn)}
    members = [
        {"account_sk": number, "source_system": "crm", "source_entity": "accounts"}
        | {"source_id": row["account_key"]}
        for number, row in enumerate(rows)
    ]
    identifiers = [
        member | {"kind": kind, "normalised": domain}
        for member in members
        for kind, domain in [
            ("name", "one.com"),
            *(("domain", d) for d in domains[member["source_id"]]),
        ]
    ]
    silenced = [{"account_sk": n} for n, row in enumerate(rows) if row["is_suppressed"]]
    for name, content, schema in (
        ("int_account_members", members, MEMBERS),
        ("int_identity_identifiers", identifiers, IDENTIFIERS),
        ("int_accounts_suppressed", silenced, {"account_sk": NUMBER}),
        ("abm_accounts", rows, ACCOUNTS),
        ("account_tiers", list(tiers.values()), TIERS),
        ("audiences", SEED, LINES),
    ):
        table = pa.Table.from_pylist(content, schema=pa.schema(list(schema.items())))
        connection.register("incoming", table)
        connection.execute(f"create or replace table {name} as select * from incoming")
    for name in MODELS:
        connection.execute(f"create or replace table {name} as {models[name]}")
    reasons = reference.domain_reasons(rows, tiers, domains)
    found = connection.execute("select account_key, ineligible_reason from exp_all__domains")
    assert dict(found.fetchall()) == reasons
    demandbase = connection.execute(
        "select audience, account_key, ineligible_reason from exp_demandbase__members order by all"
    ).fetchall()
    assert demandbase == sorted(
        (audience, key, reasons[key])
        for audience, members in reference.members(rows, SEED).items()
        for key in members
    )
    sites: dict[str, set[Any]] = {audience: set() for audience in reference.members(rows, SEED)}
    for audience, *site in connection.execute(
        "select audience, account_name, country, domain from exp_6sense__accounts"
    ).fetchall():
        sites[audience].add(tuple(site))
    assert sites == reference.site_rows(rows, tiers, SEED, domains)


def filled(drawn: list[Drawn]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The rows of abm_accounts, and those of account_tiers by account."""
    rows, tiers = [], {}
    for number, (tier, relation, country, named, in_crm, reason, *figures) in enumerate(drawn):
        revenue, potential, parent = figures
        key = f"k{number}"
        rows.append(
            {
                "account_key": key,
                "account_name": f"name {number % 5}",
                "final_tier": tier,
                "relationship": relation,
                "country_code": country,
                "website_domain": named[0] or named[1],
                "email_domain": named[1] or named[0],
                "crm_account_id": key if in_crm else None,
                "is_suppressed": reason == "suppressed",
                "ineligible_reason": reason,
                "is_eligible": reason is None,
            }
        )
        tiers[key] = {
            "account_key": key,
            "ultimate_parent_account_key": f"k{parent}" if parent < len(drawn) else key,
            "relationship": relation,
            "revenue": Decimal(revenue),
            "potential": None if potential is None else Decimal(potential),
        }
    return rows, tiers
