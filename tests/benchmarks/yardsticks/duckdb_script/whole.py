"""The whole script: every mart that the product fills from the benchmark's input, in one go."""

from __future__ import annotations

from tests.benchmarks.yardsticks.arguments import Job
from tests.benchmarks.yardsticks.duckdb_script import (
    concentration,
    history,
    months,
    newest,
    windows,
    working,
    write,
)


def run(job: Job) -> None:
    """Writes the raw zone and the marts below the job's output folder."""
    as_of = job.as_of.isoformat()
    with working(job) as connection:
        months.land(connection, job)
        months.build(connection, job)
        windows.build(connection)
        history.build(connection)
        history.explain_moves(connection)
        concentration.build(connection)
        newest.build(connection, as_of)
        marts = {
            "account_monthly": months.MONTHLY,
            "account_tier_history": history.mart(),
            "tier_migration": history.MIGRATION,
            "tier_moves": history.MOVES_MART,
            "portfolio_concentration": "from concentration order by scheme, as_of",
            "pareto_curve": concentration.PARETO_MART.format(as_of=as_of),
            **newest.marts(as_of),
        }
        for mart, query in marts.items():
            write(connection, query, job.mart(mart))
