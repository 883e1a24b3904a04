"""An independent reading of what a notice tells: plain Python over published rows, no SQL shared with `notices`.

It knows nothing of the marts `account_changes` and `tier_moves`, which the notice is made of: moves since the last
release are two releases' tiers held against each other, moves since the last month two months of the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def tiers_now(account_tiers: Iterable[Row]) -> dict[str, str]:
    """Tier by account, of the accounts that the extracts hold."""
    return {r["account_key"]: r["final_tier"] for r in account_tiers if r["inactive_since"] is None}


def tiers_of_month(history: Iterable[Row], as_of: date) -> dict[str, str]:
    """Tier by account as of a month."""
    return {r["account_key"]: r["final_tier"] for r in history if r["as_of"] == as_of}


def moved(
    before: Mapping[str, str], now: Mapping[str, str], tier: str
) -> tuple[set[str], set[str]]:
    """Accounts that came into the tier, and accounts that left it or are gone."""
    had = {key for key, held in before.items() if held == tier}
    has = {key for key, held in now.items() if held == tier}
    return has - had, had - has


def at_risk(base_at_risk: Iterable[Row]) -> dict[str, Decimal]:
    """Value at risk by account, once for each however many reasons there are."""
    return {row["account_key"]: row["value_at_risk"] for row in base_at_risk}
