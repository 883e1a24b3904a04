"""The core of the yardstick: account x month, windows and tiers by the curves, in three narrow marts.

It is what the scripts in Polars, pandas and Spark do too, and what they are compared with. The same code as
the whole script, stopped after the curves: no patience, no moves, no concentration, no plays, risk or coverage.
"""

from __future__ import annotations

from tests.benchmarks.yardsticks.arguments import Job, run_from_command_line
from tests.benchmarks.yardsticks.duckdb_script import months, windows, working, write

HISTORY = """
with sorted as (
    select * from margin_curve inner join accounts using (account) order by account, w
)
select
    sorted.account_key,
    first_day(sorted.w) as as_of,
    money(sorted.revenue) as revenue,
    money(sorted.margin) as gross_margin,
    {revenue},
    {margin}
from sorted
inner join revenue_lines using (w)
inner join margin_lines using (w)
"""
SCHEME = """
case when sorted.{scheme}_value > 0 then share(sorted.{scheme}_value, {scheme}_lines.total) end
    as {name}_share,
case
    when sorted.{scheme}_value > 0
        then share(sorted.{scheme}_before - {scheme}_lines.sum_before, {scheme}_lines.total)
end as {name}_share_before,
tier(rank_of(sorted.{scheme}_value, {scheme}_lines.a_line, {scheme}_lines.b_line)) as {name}_tier
"""

TIERS = """
select
    *,
    case when revenue > 0 then row_number() over (order by revenue desc, account_key) end as revenue_rank
from '{history}'
where as_of = date '{as_of}'
order by account_key
"""

MONTHLY = """
select
    account_key,
    first_day(m) as month,
    money(revenue) as revenue,
    money(cost) as cost,
    case when costed_line_count > 0 then money(costed_revenue - cost) end as gross_margin,
    invoice_count
from (select * from account_months inner join accounts using (account) order by account, m)
"""


def run(job: Job) -> None:
    """Writes the raw zone and the three marts below the job's output folder."""
    history = job.mart("account_tier_history")
    schemes = {
        scheme: SCHEME.format(scheme=scheme, name=name)
        for scheme, name in (("revenue", "revenue"), ("margin", "gross_margin"))
    }
    with working(job) as connection:
        months.land(connection, job)
        months.build(connection, job)
        windows.build(connection)
        write(connection, HISTORY.format(**schemes), history)
        tiers = TIERS.format(history=history, as_of=job.as_of)
        write(connection, tiers, job.mart("account_tiers"))
        write(connection, MONTHLY, job.mart("account_monthly"))


if __name__ == "__main__":
    run_from_command_line(run, __doc__)
