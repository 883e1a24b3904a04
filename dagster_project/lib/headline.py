"""The figures that sum a release up: per tier, and the four that everybody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
from pydantic import BaseModel

from dagster_project.lib.release.live import LiveRelease


class TierFigures(BaseModel):
    """One final tier; money in reporting currency of the window, shares 0..1."""

    tier: str
    accounts: int
    customers: int
    prospects: int
    revenue: Decimal
    revenue_share: float | None
    gross_margin: Decimal | None


class Headline(BaseModel):
    """A release in one look; excluded accounts are counted apart."""

    release_id: str
    as_of: str
    currency: str
    accounts: int
    revenue: Decimal
    excluded_accounts: int
    excluded_value: Decimal
    best_tier: str | None
    best_tier_share_of_revenue: float | None
    best_tier_share_of_accounts: float | None
    accounts_making_80_percent: int | None
    tiers: list[TierFigures]
    marts: Path
    database: Path
    report: Path | None


def read_headline(release: LiveRelease) -> Headline:
    """From the release's own marts."""
    policy = release.manifest.policy
    with duckdb.connect() as connection:
        tiers = _tiers(connection, release.mart("account_tiers"), policy.tiers if policy else ())
        excluded = connection.execute(
            "select count(*), coalesce(sum(revenue), 0) from read_parquet(?) where is_excluded",
            [str(release.mart("account_tiers"))],
        ).fetchone()
        making_80 = connection.execute(
            "select accounts_making_80_count from read_parquet(?) where scheme = 'revenue' and as_of = ?",
            [str(release.mart("portfolio_concentration")), release.manifest.as_of],
        ).fetchone()
    assert excluded is not None
    accounts = sum(tier.accounts for tier in tiers)
    best = tiers[0] if tiers else None
    return Headline(
        release_id=release.release_id,
        as_of=release.manifest.as_of.isoformat(),
        currency=release.manifest.reporting_currency,
        accounts=release.manifest.totals.accounts,
        revenue=release.manifest.totals.revenue,
        excluded_accounts=excluded[0],
        excluded_value=excluded[1],
        best_tier=best.tier if best else None,
        best_tier_share_of_revenue=best.revenue_share if best else None,
        best_tier_share_of_accounts=best.accounts / accounts if best and accounts else None,
        accounts_making_80_percent=making_80[0] if making_80 else None,
        tiers=tiers,
        marts=release.folder / "marts",
        database=release.folder.parent.parent / "marts.duckdb",
        report=release.report if release.report.is_file() else None,
    )


def _tiers(
    connection: duckdb.DuckDBPyConnection, account_tiers: Path, best_first: Sequence[str]
) -> list[TierFigures]:
    """In the policy's order; others by name. Shares are of positive revenue, as on the curve."""
    rows = connection.execute(
        """
        select
            final_tier, count(*), count(*) filter (where relationship = 'customer'),
            count(*) filter (where relationship = 'prospect'), sum(revenue),
            sum(greatest(revenue, 0))::double
            / nullif(sum(sum(greatest(revenue, 0))) over (), 0)::double,
            sum(gross_margin)
        from read_parquet($tiers) where not is_excluded and inactive_since is null
        group by final_tier
        """,
        {"tiers": str(account_tiers)},
    ).fetchall()
    names = list(TierFigures.model_fields)
    places = {tier: place for place, tier in enumerate(best_first)}
    return sorted(
        (TierFigures.model_validate(dict(zip(names, row, strict=True))) for row in rows),
        key=lambda found: (places.get(found.tier, len(places)), found.tier),
    )
