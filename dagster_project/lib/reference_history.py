"""The rules over months and over the whole portfolio a second time, apart from the warehouse.

Stability, override and concentration, as `lib/reference.py` has the tiers of one month: for checks
and tests that must not share a line with the SQL they judge.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from dagster_project.lib.reference import (
    SchemeRule,
    amount_units,
    exact_ratio,
    none_if_null,
    tier_accounts,
)


def final_tiers(
    history: pd.DataFrame,
    *,
    tiers: Sequence[str],
    patience: int,
    new_customer_months: int,
    first_invoices: Mapping[str, date],
    overrides: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Hold demotions back, spare new customers, apply overrides.

    Args:
        history: one row per account and month: account_key, as_of (first day of a month), raw_tier
            (null for an account that is not ranked).
        tiers: every tier, best first; the last is the lowest.
        patience: number of months, this one included, whose best raw tier stands.
        new_customer_months: a first invoice later than as_of minus this many months makes a new
            customer.
        first_invoices: account_key -> day of its first invoice; accounts without invoices are
            absent.
        overrides: account_key, tier, valid_from, valid_to (both days count). Of several the latest
            valid_from wins, then the latest valid_to, then the better tier.

    Returns:
        One row per input row, same index: account_key, as_of, raw_tier, is_new_customer,
        stable_tier (null where raw_tier is), override_tier, final_tier.
    """
    raw: dict[str, dict[int, int]] = {}
    months = [_month(day) for day in history["as_of"]]
    for key, month, tier in zip(history["account_key"], months, history["raw_tier"], strict=True):
        if not pd.isna(tier):
            raw.setdefault(key, {})[month] = tiers.index(tier)
    rows = []
    for key, day, tier in zip(
        history["account_key"], history["as_of"], history["raw_tier"], strict=True
    ):
        first = first_invoices.get(key)
        is_new = first is not None and _is_new(first, day, new_customer_months)
        since = _month(day) - patience + 1
        if is_new and first is not None:
            since = min(since, _month(first) + 1)
        best = [rank for month, rank in raw.get(key, {}).items() if since <= month <= _month(day)]
        stable = None if pd.isna(tier) else tiers[min(best)]
        override = _override_of(key, day, overrides, tiers)
        final = override or stable or tiers[-1]
        rows.append((key, day, none_if_null(tier), is_new, stable, override, final))
    names = ["account_key", "as_of", "raw_tier", "is_new_customer"]
    names += ["stable_tier", "override_tier", "final_tier"]
    return pd.DataFrame(rows, columns=names, index=history.index, dtype=object)


def _is_new(first: date, as_of: date, months: int) -> bool:
    """Whether the first invoice lies before as_of, by less than this many whole months."""
    threshold = _month(as_of) - months
    return first < as_of and (_month(first), first.day) > (threshold, as_of.day)


def _override_of(
    key: str, as_of: date, overrides: pd.DataFrame | None, tiers: Sequence[str]
) -> str | None:
    if overrides is None:
        return None
    valid = [
        (start, end, -tiers.index(tier), tier)
        for account, tier, start, end in zip(
            overrides["account_key"],
            overrides["tier"],
            overrides["valid_from"],
            overrides["valid_to"],
            strict=True,
        )
        if account == key and start <= as_of <= end
    ]
    return max(valid)[3] if valid else None


def move_causes(
    history: pd.DataFrame,
    portfolio: pd.DataFrame,
    *,
    rule: SchemeRule,
    decide: Callable[[str, str | None], str],
) -> pd.DataFrame:
    """Say of every change of final tier what moved it.

    The account's new value is put into the portfolio of the last month in which its raw tier still
    was its old one, all others as they were: where it moves the same way there, its own value moved
    it; where it does so with its new potential, too, that did; else the others.

    Args:
        history: one row per account and month: account_key, classified_account_key (whose value
            counts for it), as_of, population, value, potential_tier, raw_tier, stable_tier,
            override_tier, final_tier.
        portfolio: one row per month and account on the curve: as_of, account_key, population, value.
        rule: cut points of the primary scheme.
        decide: the decision table: value tier and potential tier (or null) -> raw tier.

    Returns:
        account_key, as_of, from_tier (null for a new account), to_tier, move_cause.
    """
    tiers = rule.tiers
    curves = {
        key: list(zip(part["account_key"], part["value"], strict=True))
        for key, part in portfolio.groupby(["as_of", "population"])
    }
    months: dict[str, dict[int, dict[str, Any]]] = {}
    for row in history.to_dict("records"):
        clean = {str(name): none_if_null(value) for name, value in row.items()}
        months.setdefault(clean["account_key"], {})[_month(clean["as_of"])] = clean
    first = min(_month(day) for day in history["as_of"])
    found = []
    for key, own in months.items():
        for month, today in own.items():
            before = own.get(month - 1)
            if month == first or (before and before["final_tier"] == today["final_tier"]):
                continue
            cause = "new_account" if before is None else ""
            if before and before["override_tier"] != today["override_tier"]:
                cause = "override"
            if before and not cause:
                then = max(
                    m for m in own if m < month and own[m]["raw_tier"] == before["stable_tier"]
                )
                value_tier = _tier_put_into(curves, own[then], today, rule)
                promoted = tiers.index(today["final_tier"]) < tiers.index(before["final_tier"])
                cause = "portfolio"
                for named, potential in (
                    ("potential", today["potential_tier"]),
                    ("own_value", own[then]["potential_tier"]),
                ):
                    there = tiers.index(decide(value_tier, potential))
                    apart = there - tiers.index(before["final_tier"])
                    if apart < 0 if promoted else apart > 0:
                        cause = named
            from_tier = before["final_tier"] if before else None
            found.append((key, today["as_of"], from_tier, today["final_tier"], cause))
    names = ["account_key", "as_of", "from_tier", "to_tier", "move_cause"]
    return pd.DataFrame(found, columns=names, dtype=object)


def _tier_put_into(
    curves: Mapping[Any, list[tuple[str, Decimal | None]]],
    then: Mapping[str, Any],
    today: Mapping[str, Any],
    rule: SchemeRule,
) -> str:
    """The value tier of today's value in the portfolio of then; the ends of `abc_curve` stay as drawn."""
    key, value = today["classified_account_key"], today["value"]
    curve = curves.get((then["as_of"], today["population"]), [])
    if value is None or value <= 0:
        return rule.lowest_tier
    if rule.rule == "abc_curve":
        if not curve:
            return rule.lowest_tier
        cut = tier_accounts(pd.DataFrame(curve, columns=["account_key", "value"]), rule)
        lines = cut[cut["tier_reason"] == "share"].groupby("tier")["value"].min().to_dict()
        reached = [tier for tier in rule.tiers if tier in lines and lines[tier] <= value]
        return reached[0] if reached else rule.lowest_tier
    others = [(name, amount) for name, amount in curve if name != key]
    put = pd.DataFrame([*others, (key, value)], columns=["account_key", "value"])
    return str(tier_accounts(put, rule)["tier"].iloc[-1])


def concentration(values: Iterable[Decimal | None]) -> dict[str, float | None]:
    """Measure how much of a portfolio hangs on how few accounts; only positive values count.

    Returns:
        account_count, gini, hhi (0..1), effective_number (1 / hhi), top_1_share, top_5_share,
        top_10_share, top_20_share (share of the value that the largest ceil(n * p) accounts hold),
        accounts_80_count and accounts_80_share (the fewest accounts that reach 80% of the value,
        and their share of all). All but the count are null where no value is positive.
    """
    units = (amount_units(none_if_null(value)) for value in values)
    largest = sorted((unit for unit in units if unit is not None and unit > 0), reverse=True)
    count, total = len(largest), sum(largest)
    weighted = sum((2 * i - count - 1) * v for i, v in enumerate(reversed(largest), start=1))
    squares = sum(v * v for v in largest)
    running, reach = 0, 0
    while 100 * running < 80 * total:
        running += largest[reach]
        reach += 1
    result: dict[str, float | None] = {
        "account_count": float(count),
        "gini": exact_ratio(weighted, count * total),
        "hhi": exact_ratio(squares, total * total),
        "effective_number": exact_ratio(total * total, squares),
        "accounts_80_count": float(reach) if count else None,
        "accounts_80_share": exact_ratio(reach, count),
    }
    for percent in (1, 5, 10, 20):
        top = -(-count * percent // 100)
        result[f"top_{percent}_share"] = exact_ratio(sum(largest[:top]), total)
    return result


def _month(day: date) -> int:
    return day.year * 12 + day.month
