"""Every cause of a move of the demo company, against the reference that puts each account back."""

from __future__ import annotations

import csv
from collections import Counter

import pandas as pd

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.recomputed import scheme_rule
from dagster_project.lib.reference_history import move_causes
from dagster_project.lib.warehouse.dbt_project import PROJECT
from dagster_project.policy import load_policy
from tests.pipeline.pipeline_runs import Refreshed

HISTORY = """
select
    finals.account_key,
    owners.account_key as classified_account_key,
    finals.as_of,
    finals.value_population as population,
    finals.value,
    finals.potential_tier,
    finals.raw_tier,
    finals.stable_tier,
    finals.override_tier,
    finals.final_tier
from intermediate.int_account_final_tiers as finals
inner join intermediate.int_account_hierarchies as hierarchies using (account_sk)
inner join intermediate.int_accounts as owners
    on hierarchies.classified_account_sk = owners.account_sk
"""
PORTFOLIO = """
select accounts.account_key, tiers.as_of, tiers.population, tiers.value
from intermediate.int_account_scheme_tiers as tiers
inner join intermediate.int_accounts as accounts using (account_sk)
where tiers.is_primary and tiers.value is not null
"""


def compared(company: Refreshed, *, each: int = 1) -> Counter[str]:
    """Asserts that the published monthly moves are the reference's; their causes, counted.

    `each` third account, say, and all with an override: the reference cuts a whole portfolio for every move.
    """
    policy = load_policy(None)
    with (PROJECT / "seeds" / "tier_matrix.csv").open(encoding="utf-8", newline="") as lines:
        matrix = {
            (row["value_tier"], row["potential_tier"]): row["final_tier"]
            for row in csv.DictReader(lines)
        }
    rows = company.warehouse_rows(HISTORY)
    looked_at = {row["account_key"] for row in rows if row["override_tier"]}
    looked_at |= set(sorted({row["account_key"] for row in rows})[::each])
    causes = move_causes(
        pd.DataFrame([row for row in rows if row["account_key"] in looked_at], dtype=object),
        pd.DataFrame(company.warehouse_rows(PORTFOLIO), dtype=object),
        rule=scheme_rule(policy.primary),
        decide=lambda value, potential: matrix[value, potential or "none"],
    )
    moves = company.rows("select * from tier_moves where move_kind = 'monthly'")
    published = [row for row in moves if row["account_key"] in looked_at]
    months = {row["as_of"] for row in published}
    expected = {
        (row["account_key"], row["as_of"], row["to_tier"]): row["move_cause"]
        for row in causes.to_dict("records")
        if row["as_of"] >= min(months)
    }
    assert {
        (row["account_key"], row["as_of"], row["to_tier"]): row["move_cause"] for row in published
    } == expected
    return Counter(expected.values())


def test_demo_moves_have_the_causes_of_the_reference(demo: tuple[Refreshed, Truth]) -> None:
    causes = compared(demo[0], each=3)
    assert set(causes) == {"own_value", "potential", "portfolio", "new_account", "override"}


def test_golden_moves_have_the_causes_of_the_reference(golden: Refreshed) -> None:
    assert sum(compared(golden).values()) > 0
