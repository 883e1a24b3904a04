"""How far the figures can be trusted: potential against what came, rows in and rejected, matches, checks.

No text that a check observed and no rejected value is read: both may hold what a person wrote or is called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.report.reading import Marts, Row

FAILING_ROWS = re.compile(r"^(\d+) failing rows?\b")
POPULATIONS = ("all", "customers", "prospects")


@dataclass(frozen=True)
class Backtest:
    """Potential a window ago; `figures` by (metric, population)."""

    rows: Sequence[Row]
    figures: dict[tuple[str, str], Row]


@dataclass(frozen=True)
class Quality:
    """What came in and what became of it."""

    extracts: Sequence[Row]
    rejected: Sequence[Row]
    rejected_count: int
    matches: Sequence[Row]
    customers: int
    matched: int
    matched_revenue_share: float | None  # of accounts that the CRM knows
    to_review: int
    reconciled: Sequence[Row]
    passed: int
    failed: Sequence[Row]


def read_backtest(marts: Marts) -> Backtest:
    """Empty where the release has none."""
    if "potential_backtest" not in marts.names:
        return Backtest([], {})
    rows = marts.rows("select * from potential_backtest order by metric, population")
    return Backtest(rows, {(row["metric"], row["population"]): row for row in rows})


def read_quality(marts: Marts) -> Quality:
    """From the manifest and the marts of stewardship."""
    matches = marts.rows(
        "select match_rule, count(*) as customers from account_members "
        "where source_entity = 'customers' group by match_rule order by customers desc, match_rule"
    )
    known = marts.row(
        """
        select
            sum(tiers.revenue) as revenue,
            sum(tiers.revenue) filter (where members.account_key is not null) as known_revenue
        from account_tiers as tiers left join (
            select distinct account_key from account_members where source_entity = 'accounts'
        ) as members using (account_key)
        """
    )
    matched = marts.row(
        "select count(*) as customers from account_members where source_entity = 'customers' "
        "and account_key in (select account_key from account_members where source_entity = 'accounts')"
    )
    rejected = marts.rows(
        "select rule, count(*) as n, list(distinct entity || coalesce('.' || column_name, '') "
        "order by entity || coalesce('.' || column_name, '')) as places "
        "from rejected_rows group by rule order by n desc, rule"
    )
    return Quality(
        extracts=_extracts(marts),
        rejected=rejected,
        rejected_count=sum(row["n"] for row in rejected),
        matches=matches,
        customers=sum(row["customers"] for row in matches),
        matched=matched["customers"],
        matched_revenue_share=_share(known["known_revenue"], known["revenue"]),
        to_review=marts.row("select count(*) as n from identity_review")["n"],
        reconciled=marts.rows(
            "select status, count(*) as n from revenue_reconciliation group by status "
            "order by n desc, status"
        )
        if "revenue_reconciliation" in marts.names
        else [],
        passed=sum(check.passed for check in marts.release.manifest.checks),
        failed=_failed(marts),
    )


def _extracts(marts: Marts) -> list[Row]:
    """Per system and entity, in the order of delivery."""
    found: dict[tuple[str, str], Row] = {}
    for file in marts.release.manifest.inputs:
        row = found.setdefault(
            (file.system, file.entity),
            {
                "system": file.system, "entity": file.entity, "files": 0,
                "read": 0, "loaded": 0, "superseded": 0, "rejected": 0,
            },
        )  # fmt: skip
        row["files"] += 1
        for name in ("read", "loaded", "superseded", "rejected"):
            row[name] += getattr(file, f"rows_{name}")
    return list(found.values())


def _failed(marts: Marts) -> list[Row]:
    """Warnings: the name, how many rows, and the remedy, which holds no data."""
    rows = marts.rows(
        "select check_name, asset, severity, observed, remedy from quality_results "
        "where not passed order by severity, check_name, asset"
    )
    for row in rows:
        counted = FAILING_ROWS.match(row.pop("observed") or "")
        row["failing_rows"] = int(counted[1]) if counted else None
    return rows


def _share(part: Any, whole: Any) -> float | None:
    return float((part or 0) / whole) if whole is not None and whole > 0 else None
