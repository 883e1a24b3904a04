"""Rule 4 of the gate: published tiers, ranks and shares equal those recomputed from the values.

The values come out of the marts, the rules out of `lib/reference.py`; nothing of the warehouse's
SQL is used in between. All accounts are compared, none is sampled: those without a value need no
curve and are compared column by column.
"""

from dataclasses import replace
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.policy_sections import Scheme
from dagster_project.lib.reference import SchemeRule, none_if_null, tier_accounts
from dagster_project.policy import CRITERIA, Policy

NAMED_ACCOUNTS = 3
# Published shares are quotients of doubles rounded at 12 places, the reference's are exact: the
# last place may differ by one.
SHARE_TOLERANCE = 1.5e-12
# Schemes that have columns of their own in account_tiers; the values of all stand in pareto_curve.
COLUMN_SCHEMES = CRITERIA
MARGINS = ("gross_margin", "net_margin")
Difference = tuple[str, str]  # account_key, what differs
EXACT_COLUMNS = ("rank", "tier", "distance")
SHARE_COLUMNS = ("share", "share_before", "cumulative_share")
REMEDY = (
    "The warehouse and lib/reference.py disagree on a rule: run the tests of the tiers, correct "
    "the one that breaks method 4, and build the warehouse again."
)


def recompute_tiers(connection: duckdb.DuckDBPyConnection, policy: Policy) -> list[CheckResult]:
    """Recompute every scheme of the policy.

    Args:
        connection: the warehouse; reads `marts.account_tiers` and `marts.pareto_curve`.
        policy: schemes and cut points.

    Returns:
        One result per name of `policy.checked_schemes`; `observed` names up to three differing
        accounts.
    """
    return [
        _recomputed(connection, policy, name)
        if name in policy.schemes
        else replace(recomputed_result(name, [], passed=""), observed="not a scheme of the policy")
        for name in policy.checked_schemes
    ]


def scheme_rule(scheme: Scheme) -> SchemeRule:
    """The rule of a policy's scheme, as the reference takes it."""
    cuts = tuple(scheme.cut_points.items())
    return SchemeRule(cuts, scheme.lowest_tier, scheme.crossing_account, scheme.rule)


def _recomputed(connection: duckdb.DuckDBPyConnection, policy: Policy, scheme: str) -> CheckResult:
    rule = policy.schemes[scheme]
    accounts, curve = _accounts(connection, policy, scheme), _curve(connection, scheme)
    twice = curve.loc[curve["account_key"].duplicated(), "account_key"]
    if not twice.empty:
        found = [(key, f"twice on the curve of {scheme}") for key in twice]
        return recomputed_result(scheme, found, passed="")
    expected = tier_accounts(curve[["account_key", "value", "population"]], scheme_rule(rule))
    # values first: a value that differs explains the ranks and shares that do
    differences = _value_differences(accounts, curve, policy, scheme)
    differences += _population_differences(accounts, curve, policy, scheme)
    differences += _differing(curve, expected, "curve")
    if scheme in COLUMN_SCHEMES:
        on_curve = accounts["classified_account_key"].isin(curve["account_key"])
        ranked = accounts[on_curve].reset_index(drop=True)
        own = expected.set_index("account_key").loc[ranked["classified_account_key"]]
        differences += _differing(ranked, own.reset_index(drop=True), "tiers")
        differences += _off_curve_differences(
            accounts[~on_curve], rule.lowest_tier, computed=len(curve) > 0
        )
    count = f"{len(accounts):,} accounts, {len(curve):,} with a value"
    return recomputed_result(scheme, differences, passed=count)


def _accounts(connection: duckdb.DuckDBPyConnection, policy: Policy, scheme: str) -> pd.DataFrame:
    """One row per account that can be ranked; `own_value` is its own, `tiers_*` what is published.

    Where groups are classified, the members of a group carry the figures of the group.
    """
    criterion = policy.schemes[scheme].criterion
    tiers = ", ".join(
        f'"{scheme}_{column}" as tiers_{column}'
        if scheme in COLUMN_SCHEMES
        else f"null as tiers_{column}"
        for column in (*EXACT_COLUMNS, *SHARE_COLUMNS)
    )
    return _fetched(
        connection,
        f"""
        select
            account_key,
            classified_account_key,
            country_code,
            industry,
            {criterion} as own_value,
            revenue,
            gross_margin,
            cost_coverage,
            {tiers}
        from marts.account_tiers
        where not is_excluded and inactive_since is null
        order by account_key
        """,
    )


def _curve(connection: duckdb.DuckDBPyConnection, scheme: str) -> pd.DataFrame:
    """The published curve of a scheme, one row per account that has a value; `curve_*` is published."""
    return _fetched(
        connection,
        """
        select
            account_key,
            population,
            value,
            case when value > 0 then curve_rank end as curve_rank,
            tier as curve_tier,
            share as curve_share,
            share_before as curve_share_before,
            cumulative_share as curve_cumulative_share,
            cumulative_share_net as curve_cumulative_share_net
        from marts.pareto_curve
        where scheme = $scheme
        order by account_key
        """,
        {"scheme": scheme},
    )


def _fetched(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str] | None = None
) -> pd.DataFrame:
    """Decimals stay Decimals, whole numbers with nulls stay whole, texts Python's: pandas looks its own up slowly."""
    table = connection.execute(sql, parameters or {}).to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    texts = [column.name for column in table.schema if pa.types.is_string(column.type)]
    return frame.astype(dict.fromkeys(texts, object))


def _differing(published: pd.DataFrame, expected: pd.DataFrame, mart: str) -> list[Difference]:
    """Accounts whose columns in one mart (`curve` or `tiers`) are not the expected ones."""
    found: list[Difference] = []
    for column in EXACT_COLUMNS:
        name = f"{mart}_{column}"
        if name in published:
            found += _named(published, expected[column], name)
    shares = SHARE_COLUMNS if mart == "tiers" else (*SHARE_COLUMNS, "cumulative_share_net")
    for column in shares:
        found += _named(published, expected[column], f"{mart}_{column}", tolerance=SHARE_TOLERANCE)
    return found


def _named(
    published: pd.DataFrame,
    expected: pd.Series,
    name: str,
    *,
    tolerance: float | None = None,
) -> list[Difference]:
    said, wanted = published[name], expected.astype(object).where(expected.notna(), None)
    if tolerance is not None:
        equal = (said.astype(float) - wanted.astype(float)).abs() <= tolerance
    else:
        equal = said.astype(object) == wanted
    apart = ~((said.isna() & wanted.isna()) | equal)
    mart, _, column = name.partition("_")
    label = {"curve": "pareto_curve", "tiers": "account_tiers"}[mart]
    return [
        (key, f"{column} {_shown(published_value)} in {label}, recomputed {_shown(right_value)}")
        for key, published_value, right_value in zip(
            published.loc[apart, "account_key"], said[apart], wanted[apart], strict=True
        )
    ]


def _value_differences(
    accounts: pd.DataFrame, curve: pd.DataFrame, policy: Policy, scheme: str
) -> list[Difference]:
    """The curve holds every account with money, with its published value, and no other account."""
    criterion = policy.schemes[scheme].criterion
    known = accounts["own_value"].notna()
    sums = accounts[known].groupby("classified_account_key")["own_value"].sum().to_dict()
    sizes = accounts.groupby("classified_account_key").size().to_dict()
    on_curve = dict(zip(curve["account_key"], curve["value"], strict=True))
    found = [
        (key, "on the curve, and excluded or unknown in account_tiers")
        for key in on_curve
        if key not in sizes
    ]
    for key, value in on_curve.items():
        own = sums.get(key)
        if key in sizes and own != value:
            figures = f"{_shown(own)} in account_tiers, {value} on the curve"
            found.append((key, f"{criterion} {figures}"))
    left_out = known & (accounts["own_value"] != Decimal(0))
    left_out &= ~accounts["classified_account_key"].isin(on_curve)
    # a group's coverage is not published: only accounts that are ranked by themselves tell
    alone = accounts["classified_account_key"].map(sizes) == 1
    if criterion in MARGINS:
        coverage, minimum = accounts["cost_coverage"].astype(float), policy.gate.min_cost_coverage
        left_out &= alone & (coverage >= float(minimum) + SHARE_TOLERANCE)
        unreliable = alone & (coverage < float(minimum) - SHARE_TOLERANCE)
        unreliable &= accounts["classified_account_key"].isin(on_curve)
        found += [
            (key, f"on the curve with less than {minimum} of its costs known")
            for key in accounts.loc[unreliable, "account_key"]
        ]
    found += [
        (row["account_key"], f"{criterion} {row['own_value']} is not on the curve")
        for row in accounts[left_out].to_dict("records")
    ]
    return found


def _population_differences(
    accounts: pd.DataFrame, curve: pd.DataFrame, policy: Policy, scheme: str
) -> list[Difference]:
    """Each account stands on the curve of its own country or industry; of business units the mart is silent."""
    column = {"country": "country_code", "industry": "industry"}.get(
        policy.schemes[scheme].population
    )
    if column is None:
        return []
    own = accounts.set_index("account_key")[column]
    return [
        (key, f"on the curve of {population}, and its {column} is {_shown(own.get(key))}")
        for key, population in zip(curve["account_key"], curve["population"], strict=True)
        if key in own.index and population != (none_if_null(own[key]) or "unknown")
    ]


def _off_curve_differences(
    off_curve: pd.DataFrame, lowest_tier: str, *, computed: bool
) -> list[Difference]:
    """Without a value: lowest tier, no rank, share or distance; not computed: no tier at all."""
    if not computed and off_curve["tiers_tier"].isna().all():
        return []
    tier = pd.Series(lowest_tier, index=off_curve.index, dtype=object)
    nothing = pd.Series(None, index=off_curve.index, dtype=object)
    found = _named(off_curve, tier, "tiers_tier")
    for column in ("rank", "distance", *SHARE_COLUMNS):
        found += _named(off_curve, nothing, f"tiers_{column}")
    return found


def _shown(value: object) -> str:
    return "null" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def recomputed_result(
    what: str, differences: list[Difference], *, passed: str, remedy: str = REMEDY
) -> CheckResult:
    """The result of one comparison; it names the first differing accounts and counts the others."""
    by_account: dict[str, str] = {}
    for key, text in differences:
        by_account.setdefault(key, text)
    named = [f"{key}: {text}" for key, text in by_account.items()][:NAMED_ACCOUNTS]
    left = len(by_account) - len(named)
    if left:
        named.append(f"and {left:,} accounts more")
    return CheckResult(
        check_name=f"account_tiers_{what}_recomputed",
        asset="account_tiers",
        severity="error",
        passed=not by_account,
        observed="; ".join(named) or f"{passed}: all equal",
        remedy=remedy,
    )
