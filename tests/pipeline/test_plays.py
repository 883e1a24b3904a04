"""Plays and whitespace as published: by hand, by the reference, and by the truth of the demo company."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.reference_plays import (
    Buyer,
    Facts,
    PeerRule,
    Play,
    SizeBand,
    ranked_plays,
    signals,
    whitespace,
)
from dagster_project.policy import load_policy
from tests.pipeline.pipeline_runs import Refreshed
from tests.pipeline.test_golden import assert_rows_equal, expected

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
PLACES = Decimal("1e-12")
Demo = tuple[Refreshed, Truth]
Rows = list[dict[str, Any]]


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


PLAYBOOK = [
    Play(
        r["play_id"], r["tier"], r["posture"], r["play_trigger"], int(r["priority"]), r["play_kind"]
    )
    for r in seed("tier_plays")
]
URGENCY = {r["play_trigger"]: int(r["urgency"]) for r in seed("play_triggers")}
THRESHOLDS = {
    r["play_trigger"]: Decimal(r["threshold"]) for r in seed("play_triggers") if r["threshold"]
}
TREND_THRESHOLD = next(Decimal(r["threshold"]) for r in seed("risk_rules") if r["rule"] == "trend")
BANDS = tuple(
    SizeBand(
        r["size_band"],
        int(r["min_employees"]),
        int(r["max_employees"]) if r["max_employees"] else None,
    )
    for r in seed("size_bands")
)


def peer_rule() -> PeerRule:
    potential = load_policy(None).potential
    return PeerRule(
        bands=BANDS,
        min_peers=potential.min_peers,
        quantile=potential.peer_quantile,
        threshold=THRESHOLDS["whitespace"],
    )


def buyers(company: Refreshed, families: dict[str, dict[str, Decimal]]) -> dict[str, Buyer]:
    """Every account, with what it bought by family."""
    rows = company.rows(
        "select tiers.*, abm.employee_count from account_tiers as tiers "
        "left join abm_accounts as abm using (account_key)"
    )
    return {
        r["account_key"]: Buyer(
            industry=r["industry"],
            employees=r["employee_count"],
            families=families.get(r["account_key"], {}),
            is_active=r["is_active"],
            is_excluded=r["is_excluded"],
        )
        for r in rows
    }


def assert_whitespace_equal(
    company: Refreshed, families: dict[str, dict[str, Decimal]], rule: PeerRule
) -> Rows:
    """The mart is what the reference makes of the families; the mart's rows."""
    accounts = buyers(company, families)
    wanted = whitespace(accounts, rule)
    rows = company.rows("select * from account_whitespace")
    assert {(r["account_key"], r["product_family"]) for r in rows} == wanted.keys()
    assert len(rows) == len(wanted)
    for row in rows:
        told = wanted[row["account_key"], row["product_family"]]
        wallet = accounts[row["account_key"]].wallet
        parts = {
            "wallet_share": (max(told.revenue, Decimal(0)), wallet),
            "peers_buying_share": (told.peers_buying_count, told.peer_count),
            "peer_wallet_share": (told.peer_wallet_millionths, 1_000_000),
        }
        for name, (part, whole) in parts.items():
            exact = None if part is None or not whole else Decimal(part) / Decimal(whole)
            if exact is None:
                assert row[name] is None, (row, name)
            else:
                assert abs(Decimal(row[name]) - exact) <= PLACES, (row, name)
        found = {
            "buys": told.buys,
            "revenue": told.revenue,
            "peer_count": told.peer_count,
            "peers_buying_count": told.peers_buying_count,
            "peer_revenue": told.peer_revenue,
            "estimated_potential": told.estimated_potential,
            "estimate_basis": "none" if told.peer_count is None else "peers",
            "estimate_method": told.method,
            "is_whitespace": told.is_whitespace,
            "peer_quantile": rule.quantile,
        }
        assert {name: row[name] for name in found} == found, row
    return rows


def test_whitespace_of_the_demo_is_the_references_on_the_truth(demo: Demo) -> None:
    company, truth = demo
    families = {
        key: {family: Decimal(amount) for family, amount in account.family_revenue.items()}
        for key, account in truth.accounts.items()
    }
    rows = assert_whitespace_equal(company, families, peer_rule())
    methods = {row["estimate_method"] for row in rows if row["is_whitespace"]}
    assert methods == {"share_of_wallet", "amount"}
    assert any(row["product_family"] == "unknown" for row in rows)


def test_families_of_adventureworks_add_up_to_its_revenue(adventureworks: Refreshed) -> None:
    rows = adventureworks.rows("select * from account_whitespace")
    bought: dict[str, dict[str, Decimal]] = defaultdict(dict)
    lines = adventureworks.warehouse_rows(
        "select account_sk, account_key, product_family, revenue "
        "from intermediate.int_account_families_bought "
        "inner join intermediate.int_accounts using (account_sk)"
    )
    for line in lines:
        bought[line["account_key"]][line["product_family"]] = line["revenue"]
    accounts = adventureworks.accounts()
    assert {key: sum(families.values()) for key, families in bought.items()} == {
        key: row["revenue"] for key, row in accounts.items() if key in bought
    }
    assert sum(row["revenue"] for row in accounts.values()) == sum(
        sum(families.values()) for families in bought.values()
    )
    assert len({row["product_family"] for row in rows}) > 3
    assert_whitespace_equal(adventureworks, bought, peer_rule())


def facts_of(company: Refreshed) -> dict[str, Facts]:
    """What the signals are read from, out of published marts and the CRM's own rows."""
    whitespace_keys = {
        r["account_key"]
        for r in company.rows("select account_key from account_whitespace where is_whitespace")
    }
    moves = {
        r["account_key"]: r["direction"]
        for r in company.rows(
            "select account_key, direction from tier_moves "
            "where as_of = (select max(as_of) from account_tiers)"
        )
    }
    member_of = {
        r["source_id"]: r["account_key"]
        for r in company.rows("select * from account_members where source_entity = 'accounts'")
    }
    as_of = company.live.manifest.as_of
    open_keys = {
        member_of[r["account_id"]]
        for r in company.warehouse_rows("select * from staging.stg_crm__opportunities")
        if r["account_id"] in member_of
        and not (r["is_closed"] or r["is_won"])
        and r["close_date"] is not None
        and r["close_date"] >= as_of
    }
    covered = {
        r["account_key"]: (r["turnover"], r["costed_turnover"])
        for r in company.warehouse_rows(
            "select account_key, turnover, costed_turnover "
            "from intermediate.int_account_windows "
            "inner join intermediate.int_accounts using (account_sk) "
            f"where as_of = date '{as_of}'"
        )
    }
    found = {}
    for key, row in company.accounts().items():
        if row["is_active"] and not row["is_excluded"]:
            turnover, costed = covered.get(key, (Decimal(0), Decimal(0)))
            found[key] = Facts(
                relationship=row["relationship"],
                final_tier=row["final_tier"],
                potential_tier=row["potential_tier"],
                revenue=row["revenue"],
                revenue_previous=row["revenue_previous"],
                gross_margin=row["gross_margin"],
                turnover=turnover,
                costed_turnover=costed,
                has_invoice=row["first_invoice_date"] is not None,
                is_new_customer=row["is_new_customer"],
                move=moves.get(key),
                has_whitespace=key in whitespace_keys,
                has_open_opportunity=key in open_keys,
                risk_reasons=frozenset((row["risk_reasons"] or "").split(", ")),
                coverage_status=row["coverage_status"],
            )
    return found


@pytest.mark.parametrize("company", ["demo", "adventureworks"])
def test_plays_are_the_references(company: str, request: pytest.FixtureRequest) -> None:
    made = request.getfixturevalue(company)
    refreshed: Refreshed = made[0] if company == "demo" else made
    policy = load_policy(None)
    accounts = refreshed.accounts()
    wanted = {}
    for key, facts in facts_of(refreshed).items():
        held = signals(
            facts,
            lowest_tier=policy.primary.lowest_tier,
            trend_threshold=TREND_THRESHOLD,
            min_cost_coverage=policy.gate.min_cost_coverage,
        )
        plays = ranked_plays(
            facts.final_tier,
            accounts[key]["posture"],
            held,
            playbook=PLAYBOOK,
            urgency=URGENCY,
        )
        assert plays, f"no play fits {key}: the playbook lacks a play of * for always"
        for rank, play in enumerate(plays, start=1):
            wanted[key, rank] = (play.play_id, play.trigger, play.kind)
    found = {
        (r["account_key"], r["play_rank"]): (r["play_id"], r["play_trigger"], r["play_kind"])
        for r in refreshed.rows("select * from account_plays")
    }
    assert found == wanted
    assert len({trigger for _, trigger, _ in found.values()}) >= (9 if company == "demo" else 3)


def test_next_play_is_the_first_one(demo: Demo) -> None:
    company = demo[0]
    plays = company.rows("select * from account_plays inner join tier_playbook using (play_id)")
    ranked = {(r["account_key"], r["play_rank"]): r for r in plays}
    rows = company.warehouse_rows(
        "select plays.*, accounts.account_key from intermediate.int_account_next_plays as plays "
        "inner join intermediate.int_accounts as accounts using (account_sk)"
    )
    assert {r["account_key"] for r in rows} == {key for key, _ in ranked}
    for row in rows:
        first, second = ranked[row["account_key"], 1], ranked[row["account_key"], 2]
        assert (row["next_play_id"], row["second_play_id"]) == (first["play_id"], second["play_id"])
        assert row["play_trigger"] == first["play_trigger"]
        assert row["next_play_title_fr"] == first["title_fr"]
        assert row["play_effort_hours"] == first["effort_hours"]


@pytest.mark.parametrize(
    ("mart", "key"),
    [
        ("account_plays", ("account_key", "play_rank")),
        ("account_whitespace", ("account_key", "product_family")),
    ],
)
def test_golden_company_is_as_worked_out(
    golden: Refreshed, mart: str, key: tuple[str, ...]
) -> None:
    assert_rows_equal(golden.rows(f"select * from {mart}"), expected(mart), key)


def test_only_the_windows_months_are_kept_by_family(golden: Refreshed) -> None:
    rows = golden.warehouse_rows(
        "select distinct month_index from intermediate.int_customer_family_months"
    )
    months = {row["month_index"] for row in rows}
    assert months <= set(range(2025 * 12 + 1, 2026 * 12 + 1))
    assert {2025 * 12 + 1, 2025 * 12 + 12} <= months
