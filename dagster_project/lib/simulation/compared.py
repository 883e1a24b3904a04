"""Two sets of tiers side by side: those of the live release, and those of the simulated policy."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel

from dagster_project.lib.simulation.workspace import LIVE, Change, Simulated, attach

COVERAGE = "account_coverage"
CAPACITY = "owner_capacity"
PLANNED = "planned_hours"
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


class TierCompared(BaseModel):
    """One final tier before and after; money in reporting currency, shares 0..1 of positive revenue."""

    tier: str
    accounts_before: int
    accounts_after: int
    revenue_before: Decimal
    revenue_after: Decimal
    share_before: float | None
    share_after: float | None
    hours_before: float | None
    hours_after: float | None


class Move(BaseModel):
    """An account whose final tier would be another; `hours` are planned per window, null without a service model."""

    account_key: str
    account_name: str | None
    relationship: str
    owner_id: str | None
    from_tier: str | None
    to_tier: str | None
    from_posture: str | None
    to_posture: str | None
    revenue: Decimal
    gross_margin: Decimal | None
    potential: Decimal | None
    hours_before: float | None
    hours_after: float | None
    reason: str | None


class OwnerCompared(BaseModel):
    """An owner who is overloaded before or after."""

    owner_id: str
    hours_available: float | None
    hours_before: float | None
    hours_after: float | None
    is_overloaded_before: bool
    is_overloaded_after: bool


class Comparison(BaseModel):
    """The answer of a simulation; `owners` is null where the project has no service model."""

    as_of: date
    currency: str
    release_id: str
    changes: list[dict[str, str | None]]
    tiers: list[TierCompared]
    moves: list[Move]
    postures_changed: int
    owners: list[OwnerCompared] | None


def compare(
    simulated: Simulated, *, warehouse: Path, release_id: str, currency: str, as_of: date
) -> Comparison:
    """Reads both; accounts that are excluded on one side are in the moves with no tier there."""
    with duckdb.connect(str(simulated.database)) as connection:
        attach(connection, warehouse)
        has_hours = _has(connection, COVERAGE, PLANNED)
        _sides(connection, has_hours=has_hours)
        return Comparison(
            as_of=as_of,
            currency=currency,
            release_id=release_id,
            changes=[_said(change) for change in (*simulated.changes, *_cuts(connection))],
            tiers=[TierCompared(**row) for row in _rows(connection, TIERS)],
            moves=[Move(**row) for row in _rows(connection, MOVES)],
            postures_changed=_rows(connection, POSTURES)[0]["accounts"],
            owners=_owners(connection) if _has(connection, CAPACITY, "is_overloaded") else None,
        )


def write_moves(moves: Iterable[Move], path: Path) -> None:
    """All moves as CSV (UTF-8, comma), the largest first.

    People open it in a spreadsheet: a text that this would run as a formula is made a text by an apostrophe.
    """
    with path.open("w", encoding="utf-8", newline="") as lines:
        written = csv.DictWriter(lines, list(Move.model_fields))
        written.writeheader()
        written.writerows(
            {name: _as_text(value) for name, value in move.model_dump().items()} for move in moves
        )


def _as_text(value: object) -> object:
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(RUN_BY_SPREADSHEETS) else value
    )


# accounts that the extracts no longer hold are in no total, excluded ones in no tier
SIDE = """
create temp table {side} as
select
    tiers.account_key, tiers.account_name, tiers.relationship, tiers.owner_id, tiers.revenue,
    tiers.gross_margin, tiers.potential, tiers.posture, tiers.tier_reason, tiers.is_excluded,
    case when not tiers.is_excluded then tiers.final_tier end as final_tier,
    {hours} as hours
from {catalog}marts.account_tiers as tiers
{coverage}
where tiers.inactive_since is null
"""

# best first by the new policy, then tiers that only the old one had
TIERS = f"""
with places as (
    select cut_points.tier, min(cut_points.tier_rank) as place
    from (
        select cut_points.tier, cut_points.tier_rank
        from raw.policy_cut_points as cut_points
        inner join raw.policy_schemes as schemes using (scheme) where schemes.is_primary
        union all
        select cut_points.tier, 1000 + cut_points.tier_rank
        from {LIVE}.raw.policy_cut_points as cut_points
        inner join {LIVE}.raw.policy_schemes as schemes using (scheme) where schemes.is_primary
    ) as cut_points
    group by cut_points.tier
),
both_sides as (
    select 'before' as side, * from before union all by name select 'after' as side, * from after
),
summed as (
    select
        side, final_tier, count(*) as accounts, sum(revenue) as revenue, sum(hours)::double as hours,
        sum(greatest(revenue, 0))::double
        / nullif(sum(sum(greatest(revenue, 0))) over (partition by side), 0)::double as share
    from both_sides where final_tier is not null group by side, final_tier
)
select
    places.tier,
    coalesce(before.accounts, 0) as accounts_before, coalesce(after.accounts, 0) as accounts_after,
    coalesce(before.revenue, 0) as revenue_before, coalesce(after.revenue, 0) as revenue_after,
    before.share as share_before, after.share as share_after,
    before.hours as hours_before, after.hours as hours_after
from places
left join summed as before on before.side = 'before' and before.final_tier = places.tier
left join summed as after on after.side = 'after' and after.final_tier = places.tier
order by places.place
"""

MOVES = """
select
    account_key, after.account_name, after.relationship, after.owner_id,
    before.final_tier as from_tier, after.final_tier as to_tier,
    before.posture as from_posture, after.posture as to_posture,
    after.revenue, after.gross_margin, after.potential, before.hours as hours_before, after.hours as hours_after,
    after.tier_reason as reason
from after
left join before using (account_key)
where before.final_tier is distinct from after.final_tier
order by after.revenue desc, account_key
"""

POSTURES = """
select count(*) as accounts from after inner join before using (account_key)
where before.final_tier = after.final_tier and before.posture is distinct from after.posture
"""

OWNERS = f"""
select
    coalesce(before.owner_key, after.owner_key) as owner_id,
    coalesce(after.available_hours, before.available_hours)::double as hours_available,
    before.needed_hours::double as hours_before, after.needed_hours::double as hours_after,
    coalesce(before.is_overloaded, false) as is_overloaded_before,
    coalesce(after.is_overloaded, false) as is_overloaded_after
from marts.{CAPACITY} as after
full join {LIVE}.marts.{CAPACITY} as before on before.owner_key = after.owner_key
where before.is_overloaded or after.is_overloaded
order by hours_after - hours_available desc nulls last, owner_id
"""

CUTS = """
with said as (
    select
        'before' as side, scheme, tier, tier_rank, {said} as said
    from {live}.raw.policy_cut_points
    union all
    select 'after' as side, scheme, tier, tier_rank, {said} as said from raw.policy_cut_points
)
select
    'schemes.' || scheme || '.' || tier as name,
    any_value(said) filter (where side = 'before') as before,
    any_value(said) filter (where side = 'after') as after
from said
group by scheme, tier
having before is distinct from after
order by scheme, min(tier_rank), tier
""".format(
    live=LIVE,
    said="rule || coalesce(' ' || coalesce(cut_value::varchar, (cut_millionths / 1000000)::varchar), '')",
)


def _sides(connection: duckdb.DuckDBPyConnection, *, has_hours: bool) -> None:
    for side, catalog in (("before", f"{LIVE}."), ("after", "")):
        joined = f"left join {catalog}marts.{COVERAGE} as coverage using (account_key)"
        connection.execute(
            SIDE.format(
                side=side,
                catalog=catalog,
                hours=f"coverage.{PLANNED}" if has_hours else "null::double",
                coverage=joined if has_hours else "",
            )
        )


def _has(connection: duckdb.DuckDBPyConnection, mart: str, column: str) -> bool:
    """Whether both sides have the mart with the column."""
    found = connection.execute(
        "select count(distinct database_name) from duckdb_columns() "
        "where schema_name = 'marts' and table_name = ? and column_name = ?",
        [mart, column],
    ).fetchone()
    return found is not None and found[0] == 2


def _cuts(connection: duckdb.DuckDBPyConnection) -> list[Change]:
    return [Change(**row) for row in _rows(connection, CUTS)]


def _owners(connection: duckdb.DuckDBPyConnection) -> list[OwnerCompared]:
    return [OwnerCompared(**row) for row in _rows(connection, OWNERS)]


def _said(change: Change) -> dict[str, str | None]:
    return {"name": change.name, "before": change.before, "after": change.after}


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
