"""Potential and net margin of every account against the reference, which shares no SQL with the warehouse."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.reference_potential import (
    Potential,
    PotentialRules,
    costs_to_serve,
    months_later,
    potentials,
)
from dagster_project.lib.reference_values import Converter, make_converter
from dagster_project.lib.warehouse.dbt_project import PROJECT
from dagster_project.policy import load_policy
from tests.pipeline.pipeline_runs import Refreshed

ACCOUNTS = """
select
    account_key, is_excluded, industry,
    employee_count::varchar as employee_count,
    declared_potential::varchar as declared_potential,
    potential_currency
from intermediate.int_accounts
"""
OPPORTUNITIES = """
select
    members.account_key,
    opportunities.* replace (
        amount::varchar as amount, probability::varchar as probability,
        close_date::varchar as close_date, is_closed::varchar as is_closed,
        is_won::varchar as is_won, created_at::varchar as created_at,
        updated_at::varchar as updated_at
    )
from staging.stg_crm__opportunities as opportunities
inner join marts.account_members as members
    on members.source_entity = 'accounts'
    and members.source_system = opportunities.source_system
    and members.source_id = opportunities.account_id
"""
COSTS = """
select
    members.account_key || '|' || members.source_id as customer_id,
    costs.cost_date::varchar as cost_date, costs.cost_type, costs.amount::varchar as amount,
    costs.currency
from staging.stg_erp__account_costs as costs
inner join marts.account_members as members
    on members.source_entity = 'customers'
    and members.source_system = costs.source_system
    and members.source_id = costs.customer_id
"""
RATES = """
select
    rate_date::varchar as rate_date, from_currency, to_currency, rate::varchar as rate,
    units::varchar as units
from staging.stg_erp__exchange_rates
"""


def frame(company: Refreshed, query: str) -> pd.DataFrame:
    """Rows of the warehouse as an extract: text, and None where nothing stands."""
    return pd.DataFrame(company.warehouse_rows(query), dtype=object)


def rules() -> PotentialRules:
    """The default policy and the seed of size bands."""
    policy = load_policy(None)
    with (PROJECT / "seeds" / "size_bands.csv").open(encoding="utf-8") as lines:
        bands = [
            (row["size_band"], int(row["min_employees"]), int(row["max_employees"] or 0) or None)
            for row in csv.DictReader(lines)
        ]
    return PotentialRules(
        policy.window_months,
        policy.potential.horizon_months,
        policy.potential.min_peers,
        policy.potential.peer_quantile,
        bands,
    )


def estimated(
    company: Refreshed, as_of: date, currency: str, revenue: dict[str, Decimal]
) -> dict[str, Potential]:
    """The reference's potential of every account."""
    opportunities = frame(company, OPPORTUNITIES)
    return potentials(
        frame(company, ACCOUNTS),
        revenue,
        None if opportunities.empty else opportunities,
        as_of=as_of,
        converter=converter(company, currency),
        rules=rules(),
    )


def converter(company: Refreshed, currency: str) -> Converter:
    """The rates of the company."""
    rates = frame(company, RATES)
    return make_converter(None if rates.empty else rates, currency)


def told(row: dict[str, Any]) -> Potential:
    return Potential(row["potential"], row["potential_basis"], row["peer_count"])


def test_every_published_potential_of_the_demo(demo: tuple[Refreshed, Truth]) -> None:
    company, truth = demo
    published = company.rows(
        "select account_key, revenue, potential, potential_basis, "
        "potential_peer_count as peer_count from account_tiers where inactive_since is null"
    )
    revenue = {row["account_key"]: row["revenue"] for row in published}
    wanted = estimated(company, date.fromisoformat(str(truth.as_of)), "EUR", revenue)
    found = {row["account_key"]: told(row) for row in published}
    assert found == wanted
    bases = Counter(potential.basis for potential in wanted.values())
    assert set(bases) == {"declared", "pipeline", "peers", "none"}, bases


@pytest.mark.parametrize("months_before", [1, 13])
def test_every_potential_of_an_earlier_month_of_the_demo(
    demo: tuple[Refreshed, Truth], months_before: int
) -> None:
    company, truth = demo
    as_of = months_later(date.fromisoformat(str(truth.as_of)), -months_before)
    rows = company.warehouse_rows(
        "select accounts.account_key, windows.revenue, potentials.* "
        "from intermediate.int_account_potentials as potentials "
        "inner join intermediate.int_accounts as accounts using (account_sk) "
        "inner join intermediate.int_account_windows as windows using (account_sk, as_of) "
        f"where as_of = date '{as_of}'"
    )
    wanted = estimated(company, as_of, "EUR", {row["account_key"]: row["revenue"] for row in rows})
    found = {row["account_key"]: told(row) for row in rows}
    assert len(found) > 1000
    # who is a peer is asked of the accounts that existed then
    assert found == {key: wanted[key] for key in found}


def test_every_published_net_margin_of_the_demo(demo: tuple[Refreshed, Truth]) -> None:
    company, truth = demo
    end = date.fromisoformat(str(truth.as_of))
    costs = costs_to_serve(
        frame(company, COSTS), converter(company, "EUR"), start=months_later(end, -12), end=end
    )
    by_account: dict[str, tuple[Decimal, Decimal]] = {}
    for customer, (rebates, served) in costs.items():
        before = by_account.get(key := customer.split("|")[0], (Decimal(0), Decimal(0)))
        by_account[key] = before[0] + rebates, before[1] + served
    rows = company.rows("select * from account_tiers where inactive_since is null")
    for row in rows:
        rebates, served = by_account.get(row["account_key"], (Decimal(0), Decimal(0)))
        assert (row["rebates"], row["cost_to_serve"]) == (rebates, served), row["account_key"]
        margin = row["gross_margin"]
        net = None if margin is None else margin - rebates - served
        assert row["net_margin"] == net, row["account_key"]
    assert sum(rebates + served for rebates, served in costs.values()) > 0


def test_every_published_potential_of_adventureworks(adventureworks: Refreshed) -> None:
    published = adventureworks.rows(
        "select account_key, revenue, potential, potential_basis, "
        "potential_peer_count as peer_count from account_tiers where inactive_since is null"
    )
    revenue = {row["account_key"]: row["revenue"] for row in published}
    wanted = estimated(adventureworks, date(2014, 1, 1), "USD", revenue)
    assert {row["account_key"]: told(row) for row in published} == wanted
