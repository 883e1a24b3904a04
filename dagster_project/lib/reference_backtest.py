"""The backtest of potential a second time, in pandas: no line is shared with the SQL that it judges."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pandas as pd

PREDICTORS = ("potential", "revenue_before")


def backtest(accounts: pd.DataFrame) -> dict[tuple[str, str], tuple[float | None, int]]:
    """Figures and numbers of accounts by (metric, population).

    Args:
        accounts: one row per ranked account: relationship (customers, prospects), potential_basis, potential
            (Decimal or null), revenue_before and revenue_since (Decimal).
    """
    found: dict[tuple[str, str], tuple[float | None, int]] = {}
    for population, members in [("all", accounts), *accounts.groupby("relationship")]:
        known = members[members["potential"].notna()]
        covered = _ratio(_gain(known), _gain(members))
        found["covered_revenue_share", str(population)] = (covered, len(members))
    estimated = accounts[accounts["potential"].notna()]
    populations = [("all", estimated), *estimated.groupby("relationship")]
    populations += [(f"basis_{b}", rows) for b, rows in estimated.groupby("potential_basis")]
    for population, members in populations:
        size = len(members)
        top = math.ceil(size / 10)
        gains = {name: _top_gain(members, name, top) for name in PREDICTORS}
        ranks = {name: _spearman(members, name) for name in PREDICTORS}
        total = _gain(members)
        figures = {
            "rank_correlation": ranks["potential"],
            "rank_correlation_last_year": ranks["revenue_before"],
            "top_decile_share": _ratio(gains["potential"], total),
            "lift_over_random": _ratio(gains["potential"] * size, total * top),
            "lift_over_last_year": _ratio(gains["potential"], gains["revenue_before"]),
        }
        found |= {(name, str(population)): (figure, size) for name, figure in figures.items()}
    return found


def _spearman(members: pd.DataFrame, predictor: str) -> float | None:
    """Decimals are ranked exactly, so the correlation of the ranks is Pearson's of whole numbers."""
    places = [
        members[column].map(lambda value: Decimal(value)).rank(method="average")
        for column in (predictor, "revenue_since")
    ]
    if any(place.nunique() < 2 for place in places):
        return None
    return float(places[0].corr(places[1]))


def _top_gain(members: pd.DataFrame, predictor: str, top: int) -> Fraction:
    """The mean over all ways to break ties at the last place."""
    gain, left = Fraction(0), top
    for value in sorted(set(members[predictor]), reverse=True):
        tied = members[members[predictor] == value]
        gain += _gain(tied) * Fraction(min(left, len(tied)), len(tied))
        left -= min(left, len(tied))
    return gain


def _gain(members: pd.DataFrame) -> Fraction:
    return sum((Fraction(max(value, 0)) for value in members["revenue_since"]), Fraction(0))


def _ratio(part: Fraction, whole: Fraction) -> float | None:
    return float(part / whole) if whole else None
