"""What a release says anew: who moved into the best tier, who left it, which of its accounts are at risk."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import BaseModel

from dagster_project.lib.headline import read_headline
from dagster_project.lib.release.live import MANIFEST, LiveRelease

SHOWN = 5


class Mover(BaseModel):
    """One account that changed its tier; None: it was not there before, or is there no longer.

    `revenue` is that of the window. `cause` is None where the published cause is of another move.
    """

    account_key: str
    account_name: str
    from_tier: str | None
    to_tier: str | None
    cause: str | None
    revenue: Decimal


class Moves(BaseModel):
    """All accounts that moved one way: their number, their revenue, the largest of them."""

    accounts: int
    revenue: Decimal
    shown: list[Mover]


class AtRisk(BaseModel):
    """One account of the base with its reasons, the first one first."""

    account_key: str
    account_name: str
    reasons: list[str]
    value_at_risk: Decimal
    is_new: bool | None


class Risk(BaseModel):
    """The base at risk; `new_...` are None where the release before cannot be asked any more.

    `reasons`: accounts by reason, in the order of the reasons; an account may have several.
    """

    accounts: int
    value_at_risk: Decimal
    new_accounts: int | None
    new_value_at_risk: Decimal | None
    reasons: dict[str, int]
    shown: list[AtRisk]


class News(BaseModel):
    """What is new in a release.

    `since` says against what accounts moved: the release before, or, for a first release, the month before.
    """

    release_id: str
    previous_release_id: str | None
    as_of: str
    currency: str
    tier: str
    since: Literal["release", "month"]
    entered: Moves
    left: Moves
    at_risk: Risk
    warnings: int

    @property
    def is_empty(self) -> bool:
        """Whether nobody moved and no account came to be at risk."""
        moved = self.entered.accounts or self.left.accounts
        return self.previous_release_id is not None and not moved and not self.at_risk.new_accounts


# An account that is gone has no tier now; one that was gone before and is back had none.
SINCE_RELEASE = """
    select
        changes.account_key,
        coalesce(nullif(changes.account_name, ''), changes.account_key) as account_name,
        changes.previous_release_tier as from_tier,
        case when tiers.inactive_since is null then changes.final_tier end as to_tier,
        case when tiers.previous_tier = changes.previous_release_tier then tiers.move_cause end as cause,
        tiers.revenue
    from read_parquet($changes) as changes
    inner join read_parquet($tiers) as tiers on changes.account_key = tiers.account_key
"""
SINCE_MONTH = """
    select
        moves.account_key,
        coalesce(nullif(tiers.account_name, ''), moves.account_key) as account_name,
        moves.from_tier,
        moves.to_tier,
        moves.move_cause as cause,
        tiers.revenue
    from read_parquet($moves) as moves
    inner join read_parquet($tiers) as tiers on moves.account_key = tiers.account_key
    where moves.move_kind = 'monthly' and moves.as_of = $as_of
"""
ENTERED = "to_tier = $tier and from_tier is distinct from $tier"
# A sign that the customer gives comes before time that we do not give: most of the base has the latter.
OURS = "coverage"
LEFT = "from_tier = $tier and to_tier is distinct from $tier"


def read_news(release: LiveRelease, *, shown: int = SHOWN) -> News:
    """From the release's own marts, and the base at risk of the release before where it is kept."""
    figures = read_headline(release)
    previous = release.manifest.previous_release_id
    tier = figures.best_tier or "A"
    moved = SINCE_RELEASE if previous else SINCE_MONTH
    given: dict[str, Any] = {"tiers": str(release.mart("account_tiers")), "tier": tier}
    if previous:
        given["changes"] = str(release.mart("account_changes"))
    else:
        given |= {"moves": str(release.mart("tier_moves")), "as_of": release.manifest.as_of}
    with duckdb.connect() as connection:
        return News(
            release_id=release.release_id,
            previous_release_id=previous,
            as_of=figures.as_of,
            currency=figures.currency,
            tier=tier,
            since="release" if previous else "month",
            entered=_moves(connection, moved, ENTERED, given, shown),
            left=_moves(connection, moved, LEFT, given, shown),
            at_risk=_risk(connection, release, shown),
            warnings=sum(not check.passed for check in release.manifest.checks),
        )


def _moves(
    connection: duckdb.DuckDBPyConnection, moved: str, way: str, given: dict[str, Any], shown: int
) -> Moves:
    found = f"select * from ({moved}) where {way}"
    count, revenue = _row(
        connection, f"select count(*), coalesce(sum(revenue), 0) from ({found})", given
    )
    rows = connection.execute(
        f"select * from ({found}) order by revenue desc, account_key limit {shown}", given
    ).fetchall()
    names = list(Mover.model_fields)
    return Moves(
        accounts=count,
        revenue=revenue,
        shown=[Mover.model_validate(dict(zip(names, row, strict=True))) for row in rows],
    )


def _risk(connection: duckdb.DuckDBPyConnection, release: LiveRelease, shown: int) -> Risk:
    before = _base_at_risk_before(release)
    accounts = f"""
        select
            account_key,
            coalesce(nullif(any_value(account_name), ''), account_key) as account_name,
            list(reason order by reason_order) as reasons,
            max(value_at_risk) as value_at_risk,
            {"account_key not in (select account_key from read_parquet($before))" if before else "null"}
                as is_new
        from read_parquet($risk) group by account_key
    """
    given = {"risk": str(release.mart("base_at_risk"))} | (
        {"before": str(before)} if before else {}
    )
    count, value, new, new_value = _row(
        connection,
        "select count(*), coalesce(sum(value_at_risk), 0), count(*) filter (where is_new), "
        f"coalesce(sum(value_at_risk) filter (where is_new), 0) from ({accounts})",
        given,
    )
    rows = connection.execute(
        f"select * from ({accounts}) order by is_new desc nulls last, reasons = ['{OURS}'], "
        f"value_at_risk desc, account_key limit {shown}",
        given,
    ).fetchall()
    reasons = connection.execute(
        "select reason, count(*) from read_parquet($risk) group by reason order by min(reason_order)",
        {"risk": given["risk"]},
    ).fetchall()
    names = list(AtRisk.model_fields)
    return Risk(
        accounts=count,
        value_at_risk=value,
        new_accounts=new if before else None,
        new_value_at_risk=new_value if before else None,
        reasons=dict(reasons),
        shown=[AtRisk.model_validate(dict(zip(names, row, strict=True))) for row in rows],
    )


def _base_at_risk_before(release: LiveRelease) -> Path | None:
    """The mart of the release before; None where there was none or it is kept no longer."""
    previous = release.manifest.previous_release_id
    if previous is None:
        return None
    folder = release.folder.with_name(previous)
    mart = folder / "marts" / release.mart("base_at_risk").name
    return mart if (folder / MANIFEST).is_file() and mart.is_file() else None


def _row(
    connection: duckdb.DuckDBPyConnection, query: str, given: dict[str, Any]
) -> tuple[Any, ...]:
    row = connection.execute(query, given).fetchone()
    assert row is not None
    return row
