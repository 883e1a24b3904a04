"""Rule 4 for the final tiers: matrix, patience, new customers, overrides, recomputed for as_of.

Each account is judged. Accounts with the same months, the same first invoice and no override are
one case of `lib/reference_history.py`, which is decided once: a portfolio of any size has a few
thousand cases.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.recomputed import Difference, recomputed_result
from dagster_project.lib.reference import none_if_null
from dagster_project.lib.reference_history import final_tiers
from dagster_project.policy import Policy

Connection = duckdb.DuckDBPyConnection

COMPARED = ("raw_tier", "stable_tier", "override_tier", "final_tier", "is_new_customer")
REMEDY = (
    "The warehouse and lib/reference_history.py disagree on a rule: run the tests of the final "
    "tiers, correct the one that breaks method 5, and build the warehouse again."
)

_RAW_SQL = """
select
    min(accounts.account_key) as account_key,
    count(*) as account_count,
    accounts.is_excluded,
    curve.tier as curve_tier,
    accounts.value_tier,
    coalesce(potentials.tier, 'none') as potential_tier,
    accounts.raw_tier
from marts.account_tiers as accounts
left join marts.pareto_curve as curve
    on accounts.classified_account_key = curve.account_key and curve.scheme = $primary
left join marts.pareto_curve as potentials
    on accounts.classified_account_key = potentials.account_key and potentials.scheme = 'potential'
where accounts.inactive_since is null
group by all
order by 1
"""

# An older first invoice decides nothing: one case for all of them.
_CASES_SQL = """
with as_of as (
    select max(as_of) as as_of from marts.account_tiers
),

months as (
    select
        history.account_key,
        list(history.as_of order by history.as_of) as months,
        list(history.raw_tier order by history.as_of) as raw_tiers,
        max(history.final_tier) filter (where history.as_of = as_of.as_of) as history_tier
    from {history} as history
    cross join as_of
    where
        history.as_of <= as_of.as_of
        and history.as_of > as_of.as_of - to_months($looks_back::integer)
    group by history.account_key
),

overridden as (
    select distinct accounts.account_key
    from intermediate.int_overrides_dated as overrides
    inner join intermediate.int_accounts as accounts on overrides.account_sk = accounts.account_sk
    where overrides.problem is null
)

select
    min(accounts.account_key) as account_key,
    count(*) as account_count,
    accounts.as_of,
    case
        when accounts.first_invoice_date >= accounts.as_of - to_months($looks_back::integer)
            then accounts.first_invoice_date
    end as first_invoice_date,
    months.months,
    months.raw_tiers,
    months.history_tier,
    overridden.account_key as own_case,
    {compared}
from marts.account_tiers as accounts
left join months on accounts.account_key = months.account_key
left join overridden on accounts.account_key = overridden.account_key
where accounts.inactive_since is null
group by all
order by 1
"""

_OVERRIDES_SQL = """
select
    accounts.account_key,
    overrides.override_tier as tier,
    overrides.valid_from,
    overrides.valid_to
from intermediate.int_overrides_dated as overrides
inner join intermediate.int_accounts as accounts on overrides.account_sk = accounts.account_sk
where overrides.problem is null
"""


def recompute_final_tiers(connection: Connection, policy: Policy) -> list[CheckResult]:
    """Recompute raw, stable, override and final tier of the current month.

    Args:
        connection: the warehouse; reads `marts.account_tiers`, the raw tiers of earlier months in
            `marts.account_tier_history` (or `intermediate.int_account_final_tiers`, where the
            published history is shorter than the rules look back),
            `intermediate.int_overrides_dated` and `int_accounts`, and the seed `seeds.tier_matrix`.
        policy: tiers, patience, months of a new customer.

    Returns:
        Two results: value and raw tier of every account, and all that follows from the raw tiers.
    """
    groups = _frame(connection, _RAW_SQL, {"primary": policy.primary_scheme})
    raw = list(_raw_differences(groups, _matrix(connection), policy))
    cases = _cases(connection, policy)
    differences = list(_case_differences(cases, _answers(connection, cases, policy)))
    accounts = f"{int(cases['account_count'].sum()):,} accounts"
    return [
        recomputed_result("raw_tier", raw, passed=accounts, remedy=REMEDY),
        recomputed_result(
            "final_tier",
            differences,
            passed=f"{accounts} in {len(cases):,} cases",
            remedy=REMEDY,
        ),
    ]


def _frame(connection: Connection, sql: str, parameters: dict[str, Any]) -> pd.DataFrame:
    frame: pd.DataFrame = connection.execute(sql, parameters).to_arrow_table().to_pandas()
    return frame.astype(object).where(frame.notna(), None)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _matrix(connection: Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute(
        "select value_tier, potential_tier, final_tier from seeds.tier_matrix"
    ).fetchall()
    return {(value, potential): final for value, potential, final in rows}


def _raw_differences(
    groups: pd.DataFrame, matrix: dict[tuple[str, str], str], policy: Policy
) -> Iterator[Difference]:
    """Value tier from the curve, raw tier from the matrix; where it knows none, the value tier."""
    tiers, lowest = policy.primary.tiers, policy.primary.lowest_tier
    known = {potential for _, potential in matrix}
    for group in _records(groups):
        value_tier = None if group["is_excluded"] else group["curve_tier"] or lowest
        potential_tier = group["potential_tier"] if group["potential_tier"] in known else "none"
        decided = matrix.get((value_tier or "", potential_tier))
        raw_tier = decided if decided in tiers else value_tier
        for column, wanted in (("value_tier", value_tier), ("raw_tier", raw_tier)):
            published = group[column]
            if published != wanted:
                yield _said(group, column, published, wanted)


def _cases(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row per case: its first account_key, how many there are, months, raw tiers, published."""
    final = policy.final_tier
    looks_back = max(final.demotion_patience_months, final.new_customer_months + 1)
    published = policy.history_months >= looks_back
    sql = _CASES_SQL.format(
        history="marts.account_tier_history"
        if published
        else "intermediate.int_account_final_tiers",
        compared=", ".join(f"accounts.{column}" for column in COMPARED),
    )
    return _frame(connection, sql, {"looks_back": looks_back})


def _answers(
    connection: Connection, cases: pd.DataFrame, policy: Policy
) -> dict[str, dict[str, Any]]:
    """Ask the reference about each case and its as_of; answers by account_key.

    An account with overrides is asked alone: the reference looks through all that it is given.
    """
    overrides = _frame(connection, _OVERRIDES_SQL, {})
    plain = cases[cases["own_case"].isna()]
    answers = _asked(plain, policy, overrides=None)
    for key, own in overrides.groupby("account_key"):
        answers |= _asked(cases[cases["own_case"] == key], policy, overrides=own)
    return answers


def _asked(
    cases: pd.DataFrame, policy: Policy, *, overrides: pd.DataFrame | None
) -> dict[str, dict[str, Any]]:
    rows: list[tuple[str, date, str | None]] = []
    firsts: dict[str, date] = {}
    known = set(policy.primary.tiers)  # an excluded account has none
    for case in _records(cases):
        if case["months"] is None:
            continue
        rows += [
            (case["account_key"], month, tier)
            for month, tier in zip(case["months"], case["raw_tiers"], strict=True)
            if tier is None or tier in known
        ]
        if case["first_invoice_date"] is not None:
            firsts[case["account_key"]] = case["first_invoice_date"]
    answered = final_tiers(
        pd.DataFrame(rows, columns=["account_key", "as_of", "raw_tier"], dtype=object),
        tiers=policy.primary.tiers,
        patience=policy.final_tier.demotion_patience_months,
        new_customer_months=policy.final_tier.new_customer_months,
        first_invoices=firsts,
        overrides=overrides,
    )
    return {
        answer["account_key"]: answer
        for answer in _records(answered)
        if answer["as_of"] == cases["as_of"].iloc[0]
    }


def _case_differences(
    cases: pd.DataFrame, answers: dict[str, dict[str, Any]]
) -> Iterator[Difference]:
    for case in _records(cases):
        answer = answers.get(case["account_key"])
        if answer is None:
            yield case["account_key"], "no known raw tier of this month in account_tier_history"
            continue
        for column in COMPARED:
            published, wanted = case[column], none_if_null(answer[column])
            if published != wanted:
                yield _said(case, column, published, wanted)
        if case["history_tier"] != case["final_tier"]:
            yield _said(
                case,
                "final_tier of account_tier_history",
                case["history_tier"],
                case["final_tier"],
            )


def _said(row: Mapping[str, Any], column: str, published: object, wanted: object) -> Difference:
    others = row["account_count"] - 1
    name = f"{row['account_key']} and {others:,} like it" if others else row["account_key"]
    said, should = ("null" if value is None else value for value in (published, wanted))
    return name, f"{column} {said}, recomputed {should}"
