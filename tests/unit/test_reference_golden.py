"""The golden company's hand-worked figures, held against the reference.

The figures of tests/fixtures/golden were worked out on paper; this finds slips of the pen (or of
the reference) without the warehouse.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dagster_project.lib.reference import SchemeRule, tier_accounts
from dagster_project.lib.reference_history import concentration, final_tiers
from dagster_project.lib.reference_potential import (
    Potential,
    PotentialRules,
    costs_to_serve,
    potentials,
)
from dagster_project.lib.reference_values import account_values, make_converter, read_extract

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
ERP = GOLDEN / "landing" / "erp"
RULE = SchemeRule((("A", Decimal("0.80")), ("B", Decimal("0.95"))), "C")
EXCLUDED = "erp:customers:C12"
MIN_COVERAGE = 0.8
MATRIX = read_extract(Path(__file__).parents[2] / "dbt" / "seeds" / "tier_matrix.csv")
BANDS = read_extract(Path(__file__).parents[2] / "dbt" / "seeds" / "size_bands.csv")


def potential_rules(min_peers: int = 8) -> PotentialRules:
    """The default policy's part of potential."""
    bands = [
        (row["size_band"], int(row["min_employees"]), int(row["max_employees"] or 0) or None)
        for row in BANDS.astype(object).where(BANDS.notna(), None).to_dict("records")
    ]
    return PotentialRules(12, 12, min_peers, Decimal("0.75"), bands)


def expected(name: str) -> pd.DataFrame:
    """An expected file as text."""
    return read_extract(GOLDEN / "expected" / f"{name}.csv")


def number(text: Any) -> Decimal | None:
    """An expected figure; empty is null."""
    return None if pd.isna(text) else Decimal(str(text))


def window_values(start: date, end: date) -> pd.DataFrame:
    """Values of every account of the crosswalk, by account_key; null without lines."""
    members = expected("account_members")
    customers = members[members["source_entity"] == "customers"]
    keys = customers.set_index("source_id")["account_key"]
    values = account_values(
        read_extract(ERP / "invoice_lines.csv"),
        make_converter(read_extract(ERP / "exchange_rates.csv"), "EUR"),
        start=start,
        end=end,
        product_costs=read_extract(ERP / "product_costs.csv"),
    )
    values.index = pd.Index(values["customer_id"].map(keys))
    every_key = list(dict.fromkeys(members["account_key"]))
    return values.drop(columns="customer_id").reindex(every_key)


def tiers_at(as_of: date, scheme: str = "revenue") -> pd.DataFrame:
    """Tiers of the ranked accounts at as_of, by account_key."""
    values = window_values(date(as_of.year - 1, as_of.month, 1), as_of)
    ranked = values.drop(index=EXCLUDED)
    unreliable = (scheme == "gross_margin") & (ranked["cost_coverage"] < MIN_COVERAGE)
    frame = pd.DataFrame(
        {
            "account_key": ranked.index,
            "value": list(ranked[scheme].mask(unreliable, None)),
            "value_reason": [("margin_unreliable" if bad else None) for bad in unreliable],
        }
    )
    return tier_accounts(frame, RULE).set_index("account_key")


def estimates(as_of: date, min_peers: int = 8) -> dict[str, Potential]:
    """Potential of every account at as_of."""
    members = expected("account_members")
    keys = members[members["source_entity"] == "accounts"].set_index("source_id")["account_key"]
    crm = read_extract(GOLDEN / "landing" / "crm" / "accounts.csv")
    crm["account_key"] = crm["account_id"].map(keys)
    every_key = pd.DataFrame({"account_key": list(dict.fromkeys(members["account_key"]))})
    accounts = every_key.merge(crm, how="left", on="account_key")
    accounts["is_excluded"] = accounts["account_key"] == EXCLUDED
    opportunities = read_extract(GOLDEN / "landing" / "crm" / "opportunities.csv")
    opportunities["account_key"] = opportunities["account_id"].map(keys)
    values = window_values(date(as_of.year - 1, as_of.month, 1), as_of)
    return potentials(
        accounts,
        {str(key): revenue for key, revenue in values["revenue"].dropna().items()},
        opportunities,
        as_of=as_of,
        converter=make_converter(read_extract(ERP / "exchange_rates.csv"), "EUR"),
        rules=potential_rules(min_peers),
    )


def potential_tiers(as_of: date) -> pd.DataFrame:
    """Tiers of the ranked accounts by potential, by account_key."""
    found = {key: found for key, found in estimates(as_of).items() if key != EXCLUDED}
    frame = pd.DataFrame(
        {
            "account_key": list(found),
            "value": pd.Series([potential.amount for potential in found.values()], dtype=object),
        }
    )
    return tier_accounts(frame, RULE).set_index("account_key")


def raw_tiers_at(as_of: date) -> dict[str, str]:
    """What the decision table makes of value and potential."""
    cells = {
        (row["value_tier"], row["potential_tier"]): row["final_tier"]
        for row in MATRIX.to_dict("records")
    }
    potential = potential_tiers(as_of)
    found = {}
    for key, tier in tiers_at(as_of)["tier"].items():
        row = potential.loc[str(key)]
        found[str(key)] = cells[tier, "none" if pd.isna(row["value"]) else row["tier"]]
    return found


@pytest.fixture(scope="module")
def raw_tiers() -> pd.DataFrame:
    """Raw tiers as worked out: one row per account, one column per as_of."""
    return expected("raw_tiers").set_index("account_key")


def test_window_values() -> None:
    values = window_values(date(2025, 1, 1), date(2026, 1, 1))
    for key, row in expected("account_tiers").set_index("account_key").iterrows():
        measured = values.loc[str(key)]
        assert number(row["revenue"]) == (number(measured["revenue"]) or 0), key
        margin = number(measured["gross_margin"])
        assert number(row["gross_margin"]) == (0 if pd.isna(measured["revenue"]) else margin), key
        assert number(row["cost_coverage"]) == number(measured["cost_coverage"]), key
    totals = expected("totals").set_index("measure")["value"].map(Decimal)
    assert values["revenue"].dropna().sum() == totals["revenue"]
    assert values["gross_margin"].dropna().sum() == totals["gross_margin"]
    assert values.loc[EXCLUDED, "revenue"] == totals["excluded_value"]
    assert values["line_count"].dropna().sum() == totals["lines_booked_in_window"]


@pytest.mark.parametrize(("name", "min_peers"), [("account_tiers", 8), ("net_margin_policy", 7)])
def test_potentials(name: str, min_peers: int) -> None:
    measured = estimates(date(2026, 1, 1), min_peers)
    worked = expected(name).set_index("account_key")
    assert set(measured) == set(worked.index)
    for key, row in worked.iterrows():
        found = measured[str(key)]
        assert found.amount == number(row["potential"]), key
        assert found.basis == row["potential_basis"], key
        assert found.peer_count == number(row["potential_peer_count"]), key


def test_net_margins() -> None:
    costs = costs_to_serve(
        read_extract(ERP / "account_costs.csv"),
        make_converter(read_extract(ERP / "exchange_rates.csv"), "EUR"),
        start=date(2025, 1, 1),
        end=date(2026, 1, 1),
    )
    customers = {
        str(row["account_key"]): str(row["source_id"])
        for row in expected("account_members").to_dict("records")
        if row["source_entity"] == "customers"
    }
    for key, row in expected("account_tiers").set_index("account_key").iterrows():
        rebates, served = costs.get(customers.get(str(key), ""), (Decimal(0), Decimal(0)))
        assert (rebates, served) == (number(row["rebates"]), number(row["cost_to_serve"])), key
        margin = number(row["gross_margin"])
        assert margin is not None
        assert margin - rebates - served == number(row["net_margin"]), key


def test_months_add_up() -> None:
    for _, row in expected("account_monthly").iterrows():
        start = date.fromisoformat(row["month"])
        end = (pd.Timestamp(start) + pd.DateOffset(months=1)).date()
        measured = window_values(start, end).loc[row["account_key"]]
        assert number(row["revenue"]) == number(measured["revenue"]), dict(row)
        assert number(row["gross_margin"]) == number(measured["gross_margin"]), dict(row)


@pytest.mark.parametrize("scheme", ["revenue", "gross_margin", "potential"])
def test_scheme_tiers(scheme: str) -> None:
    worked = expected("scheme_tiers")
    worked = worked[worked["scheme"] == scheme].set_index("account_key")
    as_of = date(2026, 1, 1)
    measured = potential_tiers(as_of) if scheme == "potential" else tiers_at(as_of, scheme)
    assert set(worked.index) == set(measured.index)
    for key, row in worked.iterrows():
        for column in ("value", "rank", "share", "share_before", "cumulative_share", "distance"):
            assert number(row[column]) == number(measured.loc[str(key), column]), (key, column)
        assert number(row["cumulative_share_net"]) == number(
            measured.loc[str(key), "cumulative_share_net"]
        )
        assert row["tier"] == measured.loc[str(key), "tier"], key
        reason = str(measured.loc[str(key), "tier_reason"])
        if scheme == "potential":
            reason = reason.replace("no_sales", "no_potential")
        assert row["tier_reason"] == reason, key


def test_raw_tiers_of_five_months(raw_tiers: pd.DataFrame) -> None:
    for as_of in raw_tiers.columns:
        assert raw_tiers_at(date.fromisoformat(as_of)) == raw_tiers[as_of].to_dict(), as_of


def test_final_tiers_and_moves(raw_tiers: pd.DataFrame) -> None:
    history = raw_tiers.reset_index().melt("account_key", var_name="as_of", value_name="raw_tier")
    excluded = pd.DataFrame({"account_key": EXCLUDED, "as_of": raw_tiers.columns, "raw_tier": None})
    history = pd.concat([history, excluded.astype(object)], ignore_index=True)
    history["as_of"] = history["as_of"].map(date.fromisoformat)
    overrides = read_extract(GOLDEN / "landing" / "governance" / "tier_overrides.csv")
    overrides["account_key"] = "crm:accounts:" + overrides["account_id"]
    for column in ("valid_from", "valid_to"):
        overrides[column] = overrides[column].map(date.fromisoformat)
    accounts = expected("account_tiers").set_index("account_key")
    invoiced = accounts["first_invoice_date"].dropna()
    finals = final_tiers(
        history,
        tiers=RULE.tiers,
        patience=3,
        new_customer_months=6,
        first_invoices={str(key): date.fromisoformat(day) for key, day in invoiced.items()},
        overrides=overrides,
    )
    last = finals[finals["as_of"] == date(2026, 1, 1)].set_index("account_key")
    for column in ("raw_tier", "stable_tier", "override_tier", "final_tier"):
        measured = last[column].reindex(accounts.index).fillna("")
        assert measured.to_dict() == accounts[column].fillna("").to_dict(), column
    assert last["is_new_customer"].astype(bool).sum() == 1

    wide = finals.pivot(index="account_key", columns="as_of", values="final_tier")
    worked = expected("final_tiers").set_index("account_key")
    for as_of in worked.columns:
        assert wide[date.fromisoformat(as_of)].to_dict() == worked[as_of].to_dict(), as_of
    moves = {
        (after, key, worked.loc[key, before], worked.loc[key, after])
        for before, after in zip(worked.columns[:-1], worked.columns[1:], strict=True)
        for key in worked.index
        if worked.loc[key, before] != worked.loc[key, after]
    }
    columns = ["as_of", "account_key", "from_tier", "to_tier"]
    assert moves == set(expected("tier_moves")[columns].itertuples(index=False, name=None))


def test_concentration() -> None:
    worked = expected("portfolio_concentration").set_index("measure")["value"].map(float)
    measured = concentration(list(tiers_at(date(2026, 1, 1))["value"]))
    names = {
        "account_count": "active_count",
        "effective_number": "effective_count",
        "accounts_80_count": "accounts_making_80_count",
        "accounts_80_share": "accounts_making_80_of_active_share",
    }
    for measure, value in measured.items():
        worked_name = names.get(measure, measure.replace("_share", "_percent_of_active_share"))
        assert value == worked[worked_name if worked_name in worked else measure], measure
