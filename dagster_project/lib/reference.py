"""The tier rules a second time, in plain Python over pandas frames.

This is the independent witness of the gate: every published tier is computed again here from the
published values and must be equal. It therefore shares nothing with the warehouse: it reads no SQL,
no seed and no macro, and it never divides before it compares. Amounts are counted in whole
ten-thousandths as Python integers, which neither overflow nor round.

The rules are those of the Pareto tier: ties stand together, only positive values build the curve,
the account that crosses a line is taken in, left out, or goes to the nearer side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import groupby
from typing import Any, Literal

import pandas as pd

EXACT = Context(prec=60)  # amounts are DECIMAL(38,4): the default context rounds at 28 digits
SHARE_UNITS = 10**12  # shares are published with 12 decimals
CUT_UNITS = 1_000_000  # cut points have at most 6 decimals

CrossingAccount = Literal["include", "exclude", "nearest"]


@dataclass(frozen=True)
class SchemeRule:
    """Cut points of one scheme.

    Attributes:
        cut_points: (tier, cumulative share in 0..1 with at most 6 decimals), best tier first.
        lowest_tier: tier of every account that no cut point takes in.
        crossing_account: what becomes of the account that crosses a line.
    """

    cut_points: tuple[tuple[str, Decimal], ...]
    lowest_tier: str
    crossing_account: CrossingAccount = "include"

    def __post_init__(self) -> None:
        """Refuse cut points that overlap, leave a gap or name a tier twice."""
        cuts = [cut for _, cut in self.cut_points]
        if any(low >= high for low, high in zip([Decimal(0), *cuts], cuts, strict=False)):
            raise ValueError(f"cut points must be above 0 and strictly increasing: {cuts}")
        if cuts and cuts[-1] > 1:
            raise ValueError(f"a cut point is a share of at most 1: {cuts[-1]}")
        if any(cut * CUT_UNITS != int(cut * CUT_UNITS) for cut in cuts):
            raise ValueError(f"a cut point has at most 6 decimals: {cuts}")
        if len(set(self.tiers)) != len(self.tiers):
            raise ValueError(f"a tier is named twice: {self.tiers}")
        if self.crossing_account not in ("include", "exclude", "nearest"):
            raise ValueError(f"crossing_account must be include, exclude or nearest: {self!r}")

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
    reasons = accounts.get("value_reason", pd.Series(None, index=accounts.index, dtype=object))
    members: dict[Any, list[_Account]] = {}
    ordered: list[_Account] = []
    columns = (accounts["account_key"], accounts["value"], reasons, populations)
    for key, value, reason, population in zip(*columns, strict=True):
        account = _Account(key, none_if_null(value), none_if_null(reason))
        ordered.append(account)
        members.setdefault(none_if_null(population), []).append(account)
    for population_members in members.values():
        _cut(population_members, rule)
    return pd.DataFrame(
        {
            "account_key": pd.Series([a.key for a in ordered], dtype=object),
            "value": pd.Series([a.value for a in ordered], dtype=object),
            "rank": pd.Series([a.rank for a in ordered], dtype="Int64"),
            "share": pd.Series([a.share for a in ordered], dtype=float),
            "share_before": pd.Series([a.share_before for a in ordered], dtype=float),
            "cumulative_share": pd.Series([a.cumulative_share for a in ordered], dtype=float),
            "cumulative_share_net": pd.Series([a.net for a in ordered], dtype=float),
            "tier": pd.Series([a.tier for a in ordered], dtype=object),
            "tier_reason": pd.Series([a.reason for a in ordered], dtype=object),
            "distance": pd.Series([a.distance for a in ordered], dtype=object),
        }
    ).set_index(accounts.index)


class _Account:
    """One account on its way through the rules; `units`: its value in ten-thousandths."""

    def __init__(self, key: str, value: Decimal | None, given_reason: str | None) -> None:
        self.key = key
        self.value = value
        self.units = None if given_reason else amount_units(value)
        self.reason = given_reason or ("no_sales" if value is None else "share")
        self.rank: int | None = None
        self.share: float | None = None
        self.share_before: float | None = None
        self.cumulative_share: float | None = None
        self.net: float | None = None
        self.tier = ""
        self.distance: Decimal | None = None


def _cut(accounts: list[_Account], rule: SchemeRule) -> None:
    valued = sorted((a for a in accounts if a.units is not None), key=lambda a: (-_of(a), a.key))
    ranked = [a for a in valued if _of(a) > 0]
    total = sum(_of(a) for a in ranked)
    for account in accounts:
        account.tier = rule.lowest_tier
        if account.units is not None and account.units <= 0:
            account.reason = "non_positive" if total > 0 else "no_positive_total"
    for first_rank, before, tied in _ties(ranked):
        tier = _tier_of(before, before + sum(_of(a) for a in tied), total, rule)
        for offset, account in enumerate(tied):
            account.tier = tier
            account.rank = first_rank + offset
            account.share = exact_ratio(_of(account), total)
            account.share_before = exact_ratio(before, total)
            account.cumulative_share = exact_ratio(before + (offset + 1) * _of(account), total)
    running, net_total = 0, sum(_of(a) for a in valued)
    for account in valued:
        running += _of(account)
        account.net = exact_ratio(running, net_total) if net_total > 0 else None
    _measure_distances(valued, ranked, tiers=rule.tiers)


def _ties(ranked: list[_Account]) -> Iterator[tuple[int, int, list[_Account]]]:
    """Yield (rank of the first, sum of all strictly larger values, accounts of one value)."""
    rank, before = 1, 0
    for units, group in groupby(ranked, key=_of):
        tied = list(group)
        yield rank, before, tied
        rank, before = rank + len(tied), before + units * len(tied)


def _tier_of(before: int, through: int, total: int, rule: SchemeRule) -> str:
    for tier, cut in rule.cut_points:
        line = int(cut * CUT_UNITS) * total
        gap_before, gap_through = line - CUT_UNITS * before, CUT_UNITS * through - line
        takes_in = {
            "include": gap_before > 0,
            "exclude": gap_through <= 0,
            "nearest": gap_through <= 0 or (gap_before > 0 and gap_through <= gap_before),
        }
        if takes_in[rule.crossing_account]:
            return tier
    return rule.lowest_tier


def _measure_distances(
    valued: list[_Account], ranked: list[_Account], *, tiers: Sequence[str]
) -> None:
    lines: dict[str, int] = {}
    for account in ranked:
        lines[account.tier] = min(_of(account), lines.get(account.tier, _of(account)))
    for account in valued:
        target = tiers[max(0, tiers.index(account.tier) - 1)]
        if target in lines:
            account.distance = Decimal(lines[target] - _of(account)).scaleb(-4, EXACT)


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


def _of(account: _Account) -> int:
    assert account.units is not None
    return account.units


def exact_ratio(numerator: int, denominator: int) -> float | None:
    """Divide exactly, round half up at 12 decimals; only then a float; null over 0."""
    if denominator == 0:
        return None
    return (2 * numerator * SHARE_UNITS + denominator) // (2 * denominator) / SHARE_UNITS


def none_if_null(value: Any) -> Any:
    """None for whatever pandas takes for missing."""
    return None if value is None or pd.isna(value) else value
