"""The tier rules a second time, in plain Python over pandas frames.

This is the independent witness of the gate: every published tier is computed again here from the
published values and must be equal. It therefore shares nothing with the warehouse: it reads no SQL,
no seed and no macro, and it never divides before it compares. Amounts are counted in whole
ten-thousandths as Python integers, which neither overflow nor round.

The rules are those of the Pareto tier: ties stand together, only positive values build the curve,
the account that crosses a line is taken in, left out, or goes to the nearer side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Literal, Self

import pandas as pd

EXACT = Context(prec=60)  # amounts are DECIMAL(38,4): the default context rounds at 28 digits
SHARE_UNITS = 10**12  # shares are published with 12 decimals
UNITS = 10_000  # amounts are counted in ten-thousandths
CUT_UNITS = 1_000_000  # cut points have at most 6 decimals

CrossingAccount = Literal["include", "exclude", "nearest"]
CutRule = Literal["cumulative_share", "absolute_value", "top_n", "quantile", "abc_curve"]


@dataclass(frozen=True)
class SchemeRule:
    """Cut points of one scheme.

    Attributes:
        cut_points: (tier, cut), best tier first. A cut is a cumulative share in 0..1 with at most 6
            decimals, an amount (absolute_value), a number of accounts (top_n) or a share of the accounts
            (quantile); None for abc_curve, which finds the ends of its two tiers.
        lowest_tier: tier of every account that no cut point takes in.
        crossing_account: what becomes of the account that crosses a line; without a say where a cut is an
            amount or the curve's own.
        rule: what the cuts mean.
    """

    cut_points: tuple[tuple[str, Decimal | None], ...]
    lowest_tier: str
    crossing_account: CrossingAccount = "include"
    rule: CutRule = "cumulative_share"

    def __post_init__(self) -> None:
        """Refuse cut points that overlap, leave a gap or name a tier twice."""
        cuts = [cut for _, cut in self.cut_points if cut is not None]
        if self.rule == "abc_curve":
            if len(self.cut_points) != 2 or cuts:
                raise ValueError(f"abc_curve finds the ends of two tiers: {self.cut_points}")
        elif len(cuts) != len(self.cut_points):
            raise ValueError(f"a cut point is missing: {self.cut_points}")
        order = [-cut for cut in cuts] if self.rule == "absolute_value" else [Decimal(0), *cuts]
        if any(low >= high for low, high in pairwise(order)) or any(cut <= 0 for cut in cuts):
            raise ValueError(f"cut points must be above 0 and strictly increasing: {cuts}")
        if cuts and cuts[-1] > 1 and self.rule in ("cumulative_share", "quantile"):
            raise ValueError(f"a cut point is a share of at most 1: {cuts[-1]}")
        if any(cut * CUT_UNITS != int(cut * CUT_UNITS) for cut in cuts):
            raise ValueError(f"a cut point has at most 6 decimals: {cuts}")
        if len(set(self.tiers)) != len(self.tiers):
            raise ValueError(f"a tier is named twice: {self.tiers}")
        if self.crossing_account not in ("include", "exclude", "nearest"):
            raise ValueError(f"crossing_account must be include, exclude or nearest: {self!r}")

    @cached_property
    def cut_units(self) -> tuple[tuple[str, int], ...]:
        """The cut points in millionths."""
        return tuple(
            (tier, int(cut * CUT_UNITS)) for tier, cut in self.cut_points if cut is not None
        )

    @property
    def tiers(self) -> tuple[str, ...]:
        """Every tier of the scheme, best first."""
        return (*(tier for tier, _ in self.cut_points), self.lowest_tier)


def tier_accounts(accounts: pd.DataFrame, rule: SchemeRule) -> pd.DataFrame:
    """Rank accounts by value, cut the curve, and say why.

    Args:
        accounts: one row per account: account_key (unique text), value (Decimal with at most
            4 decimals, or null), optionally population (each has a curve of its own) and
            value_reason (text: the account stays off the curve and gets this reason, as
            margin_unreliable).
        rule: the scheme's cut points.

    Returns:
        One row per input row, same index: account_key, value, rank (from 1, null off the curve),
        share, share_before, cumulative_share, cumulative_share_net (0..1, 12 decimals), tier,
        tier_reason (share, non_positive, no_sales, no_positive_total, or the given value_reason),
        distance (money to the next better tier's smallest positive member; in the best tier 0 or
        less: minus the room above its own line).

    Raises:
        ValueError: an account_key appears twice, or a value has more than 4 decimals.
    """
    if accounts["account_key"].duplicated().any():
        twice = accounts.loc[accounts["account_key"].duplicated(), "account_key"].iloc[0]
        raise ValueError(f"account_key is not unique: {twice!r}")
    populations = accounts.get("population", pd.Series("", index=accounts.index))
    columns = _Columns.of(accounts)
    members: dict[Any, list[int]] = {}
    for position, population in enumerate(nulls_as_none(populations)):
        members.setdefault(population, []).append(position)
    for positions in members.values():
        _cut(columns, positions, rule)
    return pd.DataFrame(
        {
            "account_key": pd.Series(columns.key, dtype=object),
            "value": pd.Series(columns.value, dtype=object),
            "rank": pd.Series(columns.rank, dtype="Int64"),
            "share": pd.Series(columns.share, dtype=float),
            "share_before": pd.Series(columns.share_before, dtype=float),
            "cumulative_share": pd.Series(columns.cumulative_share, dtype=float),
            "cumulative_share_net": pd.Series(columns.net, dtype=float),
            "tier": pd.Series(columns.tier, dtype=object),
            "tier_reason": pd.Series(columns.reason, dtype=object),
            "distance": pd.Series(columns.distance, dtype=object),
        }
    ).set_index(accounts.index)


@dataclass
class _Columns:
    """The accounts on their way through the rules, a list per column and an entry per account.

    `units` is the value in ten-thousandths, None off the curve. An object per account would take
    ten times as long.
    """

    key: list[str]
    value: list[Decimal | None]
    units: list[int | None]
    reason: list[str]
    rank: list[int | None]
    share: list[float | None]
    share_before: list[float | None]
    cumulative_share: list[float | None]
    net: list[float | None]
    tier: list[str]
    distance: list[Decimal | None]

    @classmethod
    def of(cls, accounts: pd.DataFrame) -> Self:
        keys, values = list(accounts["account_key"]), nulls_as_none(accounts["value"])
        given = [None] * len(keys)
        if "value_reason" in accounts:
            given = nulls_as_none(accounts["value_reason"])
        reasons = [
            reason or ("no_sales" if value is None else "share")
            for reason, value in zip(given, values, strict=True)
        ]
        units = [
            None if reason else amount_units(value)
            for reason, value in zip(given, values, strict=True)
        ]
        nothing: list[list[Any]] = [[None] * len(keys) for _ in range(7)]
        return cls(keys, values, units, reasons, *nothing)


def _cut(columns: _Columns, positions: list[int], rule: SchemeRule) -> None:
    valued = [(units, at) for at in positions if (units := columns.units[at]) is not None]
    valued.sort(key=lambda one: columns.key[one[1]])
    valued.sort(key=lambda one: -one[0])
    ranked = [one for one in valued if one[0] > 0]
    total = sum(units for units, _ in ranked)
    for at in positions:
        columns.tier[at] = rule.lowest_tier
    for _, at in valued[len(ranked) :]:
        columns.reason[at] = "non_positive" if total > 0 else "no_positive_total"
    _rank(columns, ranked, total, rule)
    running, net_total = 0, sum(units for units, _ in valued)
    for units, at in valued:
        running += units
        columns.net[at] = exact_ratio(running, net_total) if net_total > 0 else None
    amounts = dict(rule.cut_units) if rule.rule == "absolute_value" else {}
    lines = {tier: cut * UNITS // CUT_UNITS for tier, cut in amounts.items()}
    _measure_distances(columns, valued, ranked_count=len(ranked), tiers=rule.tiers, lines=lines)


def _rank(columns: _Columns, ranked: list[tuple[int, int]], total: int, rule: SchemeRule) -> None:
    """Accounts of one value stand together: one tier, and the sum of all strictly larger values."""
    groups, before, rank = [], 0, 1
    for units, members in groupby(ranked, key=itemgetter(0)):
        tied = [at for _, at in members]
        groups.append(_Group(units, tied, before, rank))
        before += units * len(tied)
        rank += len(tied)
    ends = (0, 0)
    if rule.rule == "abc_curve":
        ends = abc_curve_ends([(group.last_rank, group.through) for group in groups])
    for group in groups:
        tier = _tier_of(group, total, len(ranked), ends, rule)
        share, share_before = exact_ratio(group.units, total), exact_ratio(group.before, total)
        for place, at in enumerate(group.members):
            through = group.before + (place + 1) * group.units
            columns.tier[at], columns.rank[at] = tier, group.first_rank + place
            columns.share[at], columns.share_before[at] = share, share_before
            columns.cumulative_share[at] = exact_ratio(through, total)


@dataclass(frozen=True)
class _Group:
    """Accounts of one value: their value, places, the sum before them, the rank of the first."""

    units: int
    members: list[int]
    before: int
    first_rank: int

    @property
    def through(self) -> int:
        return self.before + self.units * len(self.members)

    @property
    def last_rank(self) -> int:
        return self.first_rank + len(self.members) - 1


def abc_curve_ends(points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where the curve itself ends two tiers, as numbers of accounts; (0, 0) without a point.

    Args:
        points: accounts and value up to each group of equal values, growing.

    Returns:
        The point nearest to (0, 1), and the one nearest to (its share of the accounts, 1). Distances are
        compared at 12 decimals, the fewer accounts win.
    """
    if not points:
        return 0, 0
    count, total = points[-1]
    curve = [(accounts / count, value / total, accounts) for accounts, value in points]
    first = min((round(x * x + (1 - y) * (1 - y), 12), n, x) for x, y, n in curve)
    start = first[2]
    second = min((round((x - start) * (x - start) + (1 - y) * (1 - y), 12), n) for x, y, n in curve)
    return first[1], second[1]


def _tier_of(group: _Group, total: int, count: int, ends: tuple[int, int], rule: SchemeRule) -> str:
    if rule.rule == "abc_curve":
        for (tier, _), end in zip(rule.cut_points, ends, strict=True):
            if group.last_rank <= end:
                return tier
        return rule.lowest_tier
    before, through, whole = group.before, group.through, total
    if rule.rule in ("top_n", "quantile"):
        before, through = group.first_rank - 1, group.last_rank
        whole = count if rule.rule == "quantile" else 1
    for tier, cut in rule.cut_units:
        line = cut * whole
        gap_before, gap_through = line - CUT_UNITS * before, CUT_UNITS * through - line
        if rule.rule == "absolute_value":
            takes_in = CUT_UNITS * group.units >= cut * UNITS
        elif rule.crossing_account == "include":
            takes_in = gap_before > 0
        elif rule.crossing_account == "exclude":
            takes_in = gap_through <= 0
        else:
            takes_in = gap_through <= 0 or (gap_before > 0 and gap_through <= gap_before)
        if takes_in:
            return tier
    return rule.lowest_tier


def _measure_distances(
    columns: _Columns,
    valued: list[tuple[int, int]],
    *,
    ranked_count: int,
    tiers: Sequence[str],
    lines: Mapping[str, int],
) -> None:
    """To the smallest member of the better tier, or to its `lines`, where the rule draws them itself."""
    # Ranked accounts come the largest first: the last of a tier is its smallest.
    lines = {columns.tier[at]: units for units, at in valued[:ranked_count]} | dict(lines)
    better = dict(zip(tiers, [tiers[0], *tiers], strict=False))
    for units, at in valued:
        line = lines.get(better[columns.tier[at]])
        if line is not None:
            columns.distance[at] = Decimal(line - units).scaleb(-4, EXACT)


def amount_units(value: Decimal | None) -> int | None:
    """Count an amount in ten-thousandths.

    Raises:
        TypeError: the value is no Decimal (DuckDB's `.df()` turns decimals into floats: fetch
            Arrow).
        ValueError: the value has more than 4 decimals.
    """
    if value is None:
        return None
    if not isinstance(value, Decimal):
        raise TypeError(f"an amount is a Decimal, never a {type(value).__name__}: {value!r}")
    scaled = value.scaleb(4, EXACT)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"an amount has at most 4 decimals: {value}")
    return units


def exact_ratio(numerator: int, denominator: int) -> float | None:
    """Divide exactly, round half up at 12 decimals; only then a float; null over 0."""
    if denominator == 0:
        return None
    return (2 * numerator * SHARE_UNITS + denominator) // (2 * denominator) / SHARE_UNITS


def nulls_as_none(values: pd.Series) -> list[Any]:
    """The values in order, None for whatever pandas takes for missing."""
    plain = values.astype(object)
    return list(plain.where(plain.notna(), None))


def none_if_null(value: Any) -> Any:
    """None for whatever pandas takes for missing."""
    return None if value is None or pd.isna(value) else value
