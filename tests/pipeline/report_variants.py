"""Releases that lack something, made from the demo company's marts, and what their report says of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.report.write import write_report

HOSTILE = (
    "<script>alert(1)</script>",
    '"quotes" & \'more\'"><img src=x onerror=alert(1)>',
    "\u202eגורם \u200fSarl",
    "control\x1b[31m characters",
    "W" * 120,
)
NAMED = (
    "case curve_rank "
    + " ".join(
        f"when {rank} then {chr(39)}{name.replace(chr(39), chr(39) * 2)}{chr(39)}"
        for rank, name in enumerate(HOSTILE, 1)
    )
    + " end"
)
FIRST_FIVE = (
    "account_key in (select account_key from pareto_curve "
    "where scheme = 'revenue' and curve_rank <= 5)"
)
NOTHING = "select * from {mart} where false"
HISTORY = ("tier_moves", "tier_migration")

# mart -> the query that makes it anew; {mart} is the one of the demo company
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "no_margin": {
        "account_tiers": "select * replace (null::decimal(18, 4) as gross_margin) from {mart}",
        "account_monthly": "select * replace (null::decimal(18, 4) as gross_margin, "
        "0::decimal(18, 4) as costed_revenue) from {mart}",
        "pareto_curve": "select * from {mart} where scheme <> 'gross_margin'",
    },
    "one_month": {
        **dict.fromkeys(HISTORY, NOTHING),
        "portfolio_concentration": "select * from {mart} "
        "where month = (select max(month) from {mart})",
        "potential_backtest": "select * replace (null::double as figure, null::boolean as is_met) "
        "from {mart}",
    },
    "five": {
        "account_tiers": f"select tiers.* replace ({NAMED} as account_name) from {{mart}} as tiers "
        "inner join (select account_key, curve_rank from pareto_curve where scheme = 'revenue' "
        "and curve_rank <= 5) using (account_key)",
        "pareto_curve": f"""
            select * replace (
                row_number() over ranked as curve_rank,
                sum(greatest(value, 0)) over ranked / sum(greatest(value, 0)) over of_scheme
                    as cumulative_share,
                sum(value) over ranked / sum(value) over of_scheme as cumulative_share_net
            ) from {{mart}} where {FIRST_FIVE}
            window ranked as (partition by scheme order by value desc, account_key),
                of_scheme as (partition by scheme)""",
        "account_coverage": f"select * replace ({chr(39)}{HOSTILE[0]}{chr(39)} as account_name) "
        f"from {{mart}} where {FIRST_FIVE}",
        "base_at_risk": f"select * from {{mart}} where {FIRST_FIVE}",
        "tier_moves": f"select * from {{mart}} where {FIRST_FIVE}",
    },
    "loss": {
        "pareto_curve": "select * replace (case when scheme <> 'revenue' then null "
        "else cumulative_share_net end as cumulative_share_net, "
        "case when scheme <> 'revenue' then -abs(value) else value end as value) from {mart}",
    },
    "empty": {},
}
SAID_OF: Mapping[str, tuple[str, ...]] = {
    "no_margin": ("No cost is known, so there is no whale curve", "Aucun coût n’est connu"),
    "one_month": (
        "This is the first month, so nothing can have moved yet.",
        "Only one month is known; a line needs two.",
        "There is too little history to compare the potential",
        "L’historique est trop court",
    ),
    "five": (
        "5 accounts",
        "No A account warns by what it does.",
        "No account changed its final tier in the last month.",
    ),
    "loss": ("shares of a total that is not positive say nothing",),
    "empty": (
        "No account is ranked yet.",
        "there is no Pareto curve to draw",
        "No account of the best tier shows a warning sign.",
        "The release holds no such comparison.",
        "No row was rejected.",
    ),
}


def variant(release: LiveRelease, folder: Path, name: str) -> Path:
    """The report of a copy of the release with other marts."""
    shutil.copytree(release.folder / "marts", folder / "marts")
    queries = VARIANTS[name] or {mart.name: NOTHING for mart in release.manifest.marts}
    with duckdb.connect() as connection:
        for mart in release.manifest.marts:
            connection.execute(
                f"create view {mart.name} as from read_parquet('{release.mart(mart.name)}')"
            )
        for mart, query in queries.items():
            target = folder / "marts" / f"{mart}.parquet"
            connection.execute(f"copy ({query.format(mart=mart)}) to '{target}' (format parquet)")
    manifest = release.manifest
    if name in ("no_margin", "empty"):
        totals = manifest.totals.model_copy(update={"gross_margin": None})
        manifest = manifest.model_copy(update={"totals": totals})
    return write_report(replace(release, folder=folder, manifest=manifest))
