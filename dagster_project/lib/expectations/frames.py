"""The frames that the suites judge: marts or aggregates of them, small enough for pandas.

Lines stay in the warehouse: what has many rows per account is summed up by DuckDB to one row each.
"""

import datetime
from itertools import pairwise

import duckdb
import pandas as pd

from dagster_project.policy import Policy

Connection = duckdb.DuckDBPyConnection

NUMBER_COLUMNS = ["column_name", "not_finite_count", "lowest_share", "highest_share"]
CURVE_COLUMNS = [
    "scheme",
    "last_cumulative_share",
    "best_tier_share",
    "best_tier_count_of_include",
]
TOP_PERCENTS = (1, 5, 10, 20)


def account_tiers_contract(connection: Connection, contract: list[str]) -> pd.DataFrame:
    """No row; the columns of the contract that `account_tiers` has, in the mart's order."""
    present = [row[0] for row in connection.execute("describe marts.account_tiers").fetchall()]
    return pd.DataFrame(columns=[name for name in present if name in set(contract)])


def account_tiers(connection: Connection, run_at: datetime.datetime) -> pd.DataFrame:
    """One row per account: money as floats, dates, previous tier (null for a removed account).

    `gross_margin_rate_of_sellers` is null without positive revenue: a net credit has any rate.
    `latest_update` is run_at, or as_of where that is later: a first release dates its rows by
    as_of.
    """
    return connection.execute(
        """
        select
            account_key, as_of, revenue, revenue_previous, gross_margin,
            case when revenue > 0 then gross_margin_rate end as gross_margin_rate_of_sellers,
            last_invoice_date, updated_at,
            greatest(as_of::timestamp, $run_at::timestamp) as latest_update,
            case when inactive_since is null then previous_tier end as previous_tier
        from marts.account_tiers
        order by account_key
        """,
        {"run_at": run_at},
    ).df()


def cost_coverage(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row: share of the window's turnover whose cost is known.

    Null where no cost is known at all (then no margin is published), and where a margin ranks the
    accounts (then a test of dbt decides).
    """
    margin_is_primary = policy.primary.criterion in ("gross_margin", "net_margin")
    return connection.execute(
        """
        select
            case
                when not $margin_is_primary and sum(costed_turnover) > 0
                    then sum(costed_turnover)::double / sum(turnover)::double
            end as cost_coverage
        from intermediate.int_account_windows
        where as_of = (select max(as_of) from marts.account_tiers)
        """,
        {"margin_is_primary": margin_is_primary},
    ).df()


def numbers(connection: Connection, mart: str) -> pd.DataFrame:
    """One row per floating-point column of a mart: name, numbers not finite, bounds of a share.

    `lowest_share` and `highest_share` are null where the column is no share of 0..1 (the net curve
    passes 1 and comes back). Counted in the warehouse: pandas cannot tell NaN from missing, and
    needs no copy of a million rows.
    """
    described = connection.execute(f'describe marts."{mart}"').fetchall()
    rows = []
    for name in (name for name, kind, *_ in described if kind in ("DOUBLE", "FLOAT")):
        is_share = name.endswith(("share", "share_before")) or name == "cost_coverage"
        bounds = f'min("{name}"), max("{name}")' if is_share else "null, null"
        rows.append(f"('{name}', count(*) filter (where not isfinite(\"{name}\")), {bounds})")
    if not rows:
        return pd.DataFrame(columns=NUMBER_COLUMNS)
    found = connection.execute(f'select {", ".join(rows)} from marts."{mart}"').fetchone()
    return pd.DataFrame(list(found or ()), columns=NUMBER_COLUMNS)


def curves(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row per scheme of `pareto_curve` with a positive value, in the policy's order.

    Columns: scheme, last_cumulative_share, best_tier_share (of the ranked accounts; null in a
    population too small to judge), best_tier_count_of_include (null under another crossing rule).
    """
    tiers = connection.execute(
        """
        select
            scheme, tier,
            count(*) as ranked_count,
            max(cumulative_share) as last_cumulative_share
        from marts.pareto_curve
        where value > 0
        group by scheme, tier
        """
    ).df()
    rows = []
    for name, scheme in policy.schemes.items():
        found = tiers[tiers["scheme"] == name]
        ranked = int(found["ranked_count"].sum())
        if not ranked:
            continue
        best = int(found.loc[found["tier"] == scheme.tiers[0], "ranked_count"].sum())
        includes = scheme.crossing_account == "include"
        is_large = ranked >= policy.gate.min_population
        rows.append(
            {
                "scheme": name,
                "last_cumulative_share": found["last_cumulative_share"].max(),
                "best_tier_share": best / ranked if is_large else None,
                "best_tier_count_of_include": float(best) if includes else None,
            }
        )
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)


def histories(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row per account that the extracts hold, with the months of its history.

    Columns: account_key, month_count, month_span (from first to last month),
    month_count_with_invoices (months since the first invoice, at most history_months).
    """
    return connection.execute(
        """
        with months as (
            select
                account_key,
                count(*) as month_count,
                date_diff('month', min(as_of), max(as_of)) + 1 as month_span
            from marts.account_tier_history
            group by account_key
        )
        select
            accounts.account_key,
            coalesce(months.month_count, 0) as month_count,
            coalesce(months.month_span, 0) as month_span,
            least(
                coalesce(date_diff('month', accounts.first_invoice_date, accounts.as_of), 0),
                $history_months
            ) as month_count_with_invoices
        from marts.account_tiers as accounts
        left join months on accounts.account_key = months.account_key
        where accounts.inactive_since is null
        order by accounts.account_key
        """,
        {"history_months": policy.history_months},
    ).df()


def months(connection: Connection) -> pd.DataFrame:
    """One row per calendar month from the first of `account_monthly` to the last closed one."""
    return connection.execute(
        """
        with present as (
            select month::date as month, count(*) as row_count
            from marts.account_monthly
            group by month
        ),

        run as (
            select max(as_of) as as_of from marts.account_tiers
        ),

        calendar as (
            select
                unnest(generate_series(
                    min(present.month)::timestamp,
                    greatest(max(present.month)::timestamp, run.as_of - interval 1 month),
                    interval 1 month
                ))::date as month,
                run.as_of
            from present
            cross join run
            group by run.as_of
        )

        select calendar.month, calendar.as_of, coalesce(present.row_count, 0) as row_count
        from calendar
        left join present on calendar.month = present.month
        order by calendar.month
        """
    ).df()


def currency_lists(connection: Connection) -> pd.DataFrame:
    """One row per distinct list of currencies of `account_monthly`."""
    return connection.execute(
        "select distinct currencies from marts.account_monthly order by currencies"
    ).df()


def portfolio_concentration(connection: Connection) -> pd.DataFrame:
    """The whole mart: one row per scheme and month."""
    return connection.execute(
        "select * from marts.portfolio_concentration order by scheme, as_of"
    ).df()


def concentration_steps(connection: Connection) -> pd.DataFrame:
    """One row per scheme, month, denominator and two neighbouring top groups, with both shares."""
    steps = [
        (of, smaller, larger)
        for of in ("active", "all")
        for smaller, larger in pairwise(TOP_PERCENTS)
    ]
    selects = [
        f"select scheme, as_of, 'top {smaller}% to {larger}% of {of}' as step, "
        f"top_{smaller}_percent_of_{of}_share as smaller_group_share, "
        f"top_{larger}_percent_of_{of}_share as larger_group_share "
        "from marts.portfolio_concentration"
        for of, smaller, larger in steps
    ]
    return connection.execute(f"{' union all '.join(selects)} order by scheme, as_of, step").df()


def account_coverage(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row per account of `account_coverage`: account_key, hours_per_year (null without data)."""
    return connection.execute(
        """
        select account_key, actual_hours::double * 12 / $window_months as hours_per_year
        from marts.account_coverage
        order by account_key
        """,
        {"window_months": policy.window_months},
    ).df()


def owner_capacity(connection: Connection, policy: Policy) -> pd.DataFrame:
    """One row per owner: owner_key, available_hours_per_year (null where unknown)."""
    return connection.execute(
        """
        select owner_key, available_hours::double * 12 / $window_months as available_hours_per_year
        from marts.owner_capacity
        order by owner_key
        """,
        {"window_months": policy.window_months},
    ).df()
