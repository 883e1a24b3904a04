"""Rule 4 for the posture: what to do with each account, decided again from the published tiers.

Accounts that agree in all that decides it are one case, decided once in plain Python.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.recomputed import Difference, recomputed_result
from dagster_project.policy import Policy

Matrix = Mapping[tuple[str, str], tuple[str, str]]  # value tier, potential tier -> tier, posture
REMEDY = (
    "The warehouse and lib/recomputed_posture.py disagree on a posture: run the tests of the final "
    "tiers, correct the one that breaks method 5, and build the warehouse again."
)

# Money, costs and sales are those of the account that is classified, sites of a group together.
_CASES_SQL = """
with as_of as (
    select max(as_of) as as_of from marts.account_tiers
),

classified as (
    select
        tiers.classified_account_key as account_key,
        sum(windows.line_count) as line_count,
        coalesce(
            sum(tiers.gross_margin) < 0
            and sum(windows.costed_turnover)
            >= $min_cost_coverage::decimal(7, 6) * sum(windows.turnover),
            false
        ) as is_unprofitable
    from marts.account_tiers as tiers
    inner join intermediate.int_accounts as accounts on tiers.account_key = accounts.account_key
    inner join intermediate.int_account_windows as windows
        on accounts.account_sk = windows.account_sk
    inner join as_of on windows.as_of = as_of.as_of
    where not tiers.is_excluded and tiers.inactive_since is null
    group by tiers.classified_account_key
),

large as (
    select distinct curve.account_key
    from marts.pareto_curve as curve
    inner join (select unnest($schemes) as scheme, unnest($lowest) as lowest_tier) as schemes
        on curve.scheme = schemes.scheme
    where curve.tier <> schemes.lowest_tier
)

select
    min(tiers.account_key) as account_key,
    count(*) as account_count,
    tiers.is_excluded,
    tiers.value_tier,
    coalesce(potentials.tier, 'none') as potential_tier,
    tiers.final_tier,
    coalesce(classified.line_count, 0) > 0 as has_sales,
    coalesce(classified.is_unprofitable, false) as is_unprofitable,
    large.account_key is not null as is_large,
    tiers.posture
from marts.account_tiers as tiers
left join classified on tiers.classified_account_key = classified.account_key
left join large on tiers.classified_account_key = large.account_key
left join marts.pareto_curve as potentials
    on tiers.classified_account_key = potentials.account_key and potentials.scheme = 'potential'
where tiers.inactive_since is null
group by all
order by 1
"""


def recompute_postures(connection: duckdb.DuckDBPyConnection, policy: Policy) -> CheckResult:
    """Decide the posture of every account again.

    Args:
        connection: the warehouse; reads `marts.account_tiers` and `pareto_curve`,
            `intermediate.int_accounts` and `int_account_windows`, and the seed `seeds.tier_matrix`.
        policy: tiers, schemes, the least known cost of a margin.
    """
    rows = connection.execute("from seeds.tier_matrix").to_arrow_table().to_pylist()
    matrix = {
        (row["value_tier"], row["potential_tier"]): (row["final_tier"], row["posture"])
        for row in rows
    }
    by_revenue = {n: s.lowest_tier for n, s in policy.schemes.items() if s.criterion == "revenue"}
    frame: pd.DataFrame = (
        connection.execute(
            _CASES_SQL,
            {
                "min_cost_coverage": policy.gate.min_cost_coverage,
                "schemes": list(by_revenue),
                "lowest": list(by_revenue.values()),
            },
        )
        .to_arrow_table()
        .to_pandas()
    )
    cases = frame.astype(object).where(frame.notna(), None).to_dict("records")
    differences: list[Difference] = []
    for case in cases:
        wanted = posture_of(case, matrix, policy)
        if case["posture"] != wanted:
            others = case["account_count"] - 1
            name = (
                f"{case['account_key']} and {others:,} like it" if others else case["account_key"]
            )
            differences.append((name, f"posture {case['posture']}, recomputed {wanted}"))
    accounts = f"{sum(case['account_count'] for case in cases):,} accounts"
    return recomputed_result("posture", differences, passed=accounts, remedy=REMEDY)


def posture_of(case: Mapping[Any, Any], matrix: Matrix, policy: Policy) -> str:
    """What to do with an account.

    Args:
        case: is_excluded, value_tier, potential_tier (`none` where there is none), final_tier, has_sales,
            is_unprofitable (a loss at enough known cost), is_large (above the lowest tier by revenue).
        matrix: the decision table.
        policy: tiers and criterion of the primary scheme.
    """
    tiers, final = policy.primary.tiers, case["final_tier"]
    is_ranked = not case["is_excluded"]
    if is_ranked and case["is_unprofitable"] and case["is_large"]:
        return "fix"
    asks_for_sales = policy.primary.criterion != "potential"
    if is_ranked and asks_for_sales and not case["has_sales"] and final != tiers[-1]:
        return "win"
    known = {potential for _, potential in matrix}
    potential = case["potential_tier"] if case["potential_tier"] in known else "none"
    if not is_ranked:
        potential = "none"
    decided, posture = matrix.get((case["value_tier"], potential), (None, ""))
    if is_ranked and decided == final:
        return posture
    if (final, potential) in matrix:
        return matrix[final, potential][1]
    if final == tiers[0]:
        return "defend"
    return "serve lean" if final == tiers[-1] else "maintain"
