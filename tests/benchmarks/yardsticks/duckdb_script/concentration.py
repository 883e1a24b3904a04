"""How much of the whole the largest accounts have, for every window and both schemes, and the newest curves.

The largest accounts of the ABC curve end where it comes nearest to (0 accounts, everything); the next ones where
it then comes nearest to (as many accounts as the first, everything).
"""

from __future__ import annotations

import duckdb

from tests.benchmarks.yardsticks.duckdb_script import history

PLACED = """
create or replace temp view placed as
select
    curve.w,
    curve.account,
    curve.{scheme}_value as value,
    curve.{scheme}_place - lines.places_before as place,
    curve.{scheme}_through - lines.sum_before as through,
    lines.total,
    lines.active_count,
    lines.account_count
from margin_curve as curve
inner join {scheme}_lines as lines using (w)
where curve.{scheme}_value > 0
"""

# A point of the curve is the last of equal values. Nearest: at twelve places, of equals the one of fewer accounts.
CONCENTRATION = """
with points as (
    select
        w,
        max(place) as place,
        max(through) as through,
        max(place)::double / any_value(active_count) as x,
        1 - max(through)::double / any_value(total) as short_of_one
    from placed
    group by w, value
),
firsts as (
    select
        w,
        arg_min(
            {{'place': place, 'through': through, 'x': x}},
            {{'d': round(x * x + short_of_one * short_of_one, 12), 'place': place}}
        ) as point
    from points
    group by w
),
seconds as (
    select
        points.w,
        arg_min(
            {{'place': points.place, 'through': points.through}},
            {{
                'd': round(
                    (points.x - firsts.point.x) * (points.x - firsts.point.x)
                    + points.short_of_one * points.short_of_one,
                    12
                ),
                'place': points.place
            }}
        ) as point
    from points
    inner join firsts using (w)
    group by points.w
),
summed as (
    select
        w,
        any_value(account_count) as account_count,
        any_value(active_count) as active_count,
        any_value(total) as total,
        sum((active_count + 1 - 2 * place) * value) as gini_sum,
        sum(value::hugeint * value) as square_sum,
        {tops},
        count(*) filter (100 * (through - value) < 80 * total) as accounts_making_80,
        count(*) filter (10 * value >= total) as major_customer_count
    from placed
    group by w
)
select
    '{name}' as scheme,
    first_day(summed.w) as as_of,
    first_day(summed.w - 1) as month,
    summed.account_count,
    summed.active_count,
    money(summed.total)::decimal(38, 4) as total,
    share(summed.gini_sum, summed.active_count * summed.total::double) as gini,
    share(summed.square_sum, summed.total::double * summed.total) as hhi,
    share(summed.total::double * summed.total, summed.square_sum) as effective_count,
    {top_shares},
    summed.accounts_making_80 as accounts_making_80_count,
    share(summed.accounts_making_80, summed.active_count) as accounts_making_80_of_active_share,
    share(summed.accounts_making_80, summed.account_count) as accounts_making_80_of_all_share,
    summed.major_customer_count,
    firsts.point.place as abc_curve_first_count,
    share(firsts.point.through, summed.total) as abc_curve_first_share,
    seconds.point.place as abc_curve_second_count,
    share(seconds.point.through, summed.total) as abc_curve_second_share
from summed
inner join firsts using (w)
inner join seconds using (w)
"""

# The newest window's curves, one account after the other.
PARETO = """
create table pareto as
with newest as (
    {newest}
),
summed as (
    select
        *,
        row_number() over curve as curve_rank,
        sum(greatest(value, 0)) over curve as through,
        sum(value) over curve as through_net,
        sum(value) over (partition by scheme) as total_net
    from newest
    window curve as (partition by scheme order by value desc, account rows unbounded preceding)
)
select
    scheme,
    curve_rank,
    account,
    value,
    case when value > 0 then share(value, total) end as share,
    case when value > 0 then share(before, total) end as share_before,
    case when value > 0 then share(through, total) end as cumulative_share,
    case when total_net > 0 then share(through_net, total_net) end as cumulative_share_net,
    rank
from summed
"""
PARETO_MART = """
select
    scheme,
    'all' as population,
    curve_rank,
    account_key,
    date '{as_of}' as as_of,
    money(value) as value,
    share,
    share_before,
    cumulative_share,
    cumulative_share_net,
    tier(rank) as tier
from pareto
inner join accounts using (account)
order by scheme, curve_rank
"""
NEWEST = """
select
    '{name}' as scheme,
    tiers.account,
    tiers.{scheme}_value as value,
    tiers.{scheme}_before as before,
    tiers.{rank} as rank,
    lines.total
from tiers
inner join {scheme}_lines as lines using (w)
where tiers.w = 36 and tiers.{scheme}_value is not null
"""
TOPS = [(percent, of) for of in ("active", "all") for percent in (1, 5, 10, 20)]


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables `concentration` and `pareto`."""
    counts = {"active": "active_count", "all": "account_count"}
    tops = ", ".join(
        f"sum(value) filter (100 * (place - 1) < {percent} * {counts[of]}) as top_{percent}_{of}"
        for percent, of in TOPS
    )
    shares = ", ".join(
        f"share(summed.top_{percent}_{of}, summed.total) as top_{percent}_percent_of_{of}_share"
        for percent, of in TOPS
    )
    into = "create table concentration as"
    for scheme, name, _ in history.SCHEMES:
        connection.execute(PLACED.format(scheme=scheme))
        query = CONCENTRATION.format(name=name, tops=tops, top_shares=shares)
        connection.execute(f"{into} {query}")
        into = "insert into concentration"
    newest = "union all".join(
        NEWEST.format(scheme=scheme, name=name, rank=rank) for scheme, name, rank in history.SCHEMES
    )
    connection.execute(PARETO.format(newest=newest))
