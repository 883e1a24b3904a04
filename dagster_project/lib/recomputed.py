"""Rule 4 of the gate: published tiers, ranks and shares equal those recomputed from the values.

The values come out of the marts, the rules out of `lib/reference.py`; nothing of the warehouse's
SQL is used in between. All accounts are compared, none is sampled: those without a value need no
curve and are compared column by column.
"""

from decimal import Decimal

import duckdb
import pandas as pd

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.reference import SchemeRule, tier_accounts
from dagster_project.policy import Policy

NAMED_ACCOUNTS = 3
# Published shares are quotients of doubles rounded at 12 places, the reference's are exact: the
# last place may differ by one.
SHARE_TOLERANCE = 1.5e-12
# Schemes that have columns of their own in account_tiers; the values of all stand in pareto_curve.
COLUMN_SCHEMES = ("revenue", "gross_margin", "potential")
# Criteria whose amount stands in account_tiers.
VALUE_COLUMNS = ("revenue", "gross_margin", "potential")
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
        One result per scheme, in the policy's order; `observed` names up to three differing
        accounts.
    """
    return [_recomputed(connection, policy, name) for name in policy.schemes]


def _recomputed(connection: duckdb.DuckDBPyConnection, policy: Policy, scheme: str) -> CheckResult:
    rule = policy.schemes[scheme]
    if rule.rule != "cumulative_share" or rule.population != "all":
        observed = f"{rule.rule} over population {rule.population} cannot be recomputed yet"
        return recomputed_result(scheme, [(scheme, observed)], passed="")
    published = _published(connection, policy, scheme)
    twice = published.loc[published["account_key"].duplicated(), "account_key"]
    if not twice.empty:
        found = [(key, f"twice on the curve of {scheme}") for key in twice]
        return recomputed_result(scheme, found, passed="")
    on_curve = published[published["value"].notna()].reset_index(drop=True)
    off_curve = published[published["value"].isna()]
    cuts = tuple(rule.cut_points.items())
    expected = tier_accounts(
        on_curve[["account_key", "value"]],
        SchemeRule(cuts, rule.lowest_tier, rule.crossing_account),
    )
    # values first: a value that differs explains the ranks and shares that do
    differences = _value_differences(published, policy, scheme)
    differences += _differing(on_curve, expected, "curve")
    if scheme in COLUMN_SCHEMES:
        differences += _differing(on_curve, expected, "tiers")
        differences += _off_curve_differences(
            off_curve, rule.lowest_tier, computed=len(on_curve) > 0
        )
    count = f"{len(published):,} accounts, {len(on_curve):,} with a value"
    return recomputed_result(scheme, differences, passed=count)


def _published(connection: duckdb.DuckDBPyConnection, policy: Policy, scheme: str) -> pd.DataFrame:
    """One row per account that can be ranked, by account_key; decimals stay Decimals.

    `value` is the curve's, `own_value` the account's; `curve_*` and `tiers_*` what each mart
    published.
    """
    criterion = policy.schemes[scheme].criterion
    own = f"accounts.{criterion}" if criterion in VALUE_COLUMNS else "null::decimal(18, 4)"
    tiers = ", ".join(
        f'accounts."{scheme}_{column}" as tiers_{column}'
        if scheme in COLUMN_SCHEMES
        else f"null as tiers_{column}"
        for column in (*EXACT_COLUMNS, *SHARE_COLUMNS)
    )
    table = connection.execute(
        f"""
        select
            coalesce(accounts.account_key, curve.account_key) as account_key,
            accounts.account_key is not null as is_rankable,
            curve.value as value,
            {own} as own_value,
            accounts.cost_coverage,
            case when curve.value > 0 then curve.curve_rank end as curve_rank,
            curve.tier as curve_tier,
            curve.share as curve_share,
            curve.share_before as curve_share_before,
            curve.cumulative_share as curve_cumulative_share,
            curve.cumulative_share_net as curve_cumulative_share_net,
            {tiers}
        from (
            select * from marts.account_tiers where not is_excluded and inactive_since is null
        ) as accounts
        full join (
            select * from marts.pareto_curve where scheme = $scheme
        ) as curve on accounts.account_key = curve.account_key
        order by 1
        """,
        {"scheme": scheme},
    ).to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    return frame


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


def _value_differences(published: pd.DataFrame, policy: Policy, scheme: str) -> list[Difference]:
    """The curve holds every account with money, with its published value, and no other account."""
    rankable = published["is_rankable"].astype(bool)
    found = [
        (key, "on the curve, and excluded or unknown in account_tiers")
        for key in published.loc[~rankable, "account_key"]
    ]
    criterion = policy.schemes[scheme].criterion
    if criterion not in VALUE_COLUMNS:
        return found
    own, value = published["own_value"], published["value"]
    on_curve = value.notna() & rankable
    left_out = value.isna() & own.notna() & (own != Decimal(0))
    if criterion == "gross_margin":
        coverage, minimum = published["cost_coverage"].astype(float), policy.gate.min_cost_coverage
        left_out &= coverage >= float(minimum) + SHARE_TOLERANCE
        unreliable = on_curve & (coverage < float(minimum) - SHARE_TOLERANCE)
        found += [
            (key, f"on the curve with less than {minimum} of its costs known")
            for key in published.loc[unreliable, "account_key"]
        ]
    for row in published[on_curve & (own.isna() | (own != value))].to_dict("records"):
        figures = f"{_shown(row['own_value'])} in account_tiers, {row['value']} on the curve"
        found.append((row["account_key"], f"{criterion} {figures}"))
    for row in published[left_out].to_dict("records"):
        found.append((row["account_key"], f"{criterion} {row['own_value']} is not on the curve"))
    return found


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
