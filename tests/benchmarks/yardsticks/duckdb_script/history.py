"""From curves to tiers: patience, posture, new customers, and how accounts moved and why.

An account's tiers of 36 windows are bits of two numbers, one for A and one for B (a window without either bit is
one in C, or before the account was there): what its tier was over some windows is one operation on them.
"""

from __future__ import annotations

import duckdb

MACROS = """
create macro any_of(bits, first, last) as
    (bits & ((1::bigint << (last + 1)) - (1::bigint << greatest(first, 0)))) <> 0;
create macro is_new(first_invoice_date, w) as
    coalesce(first_invoice_date > first_day(w - 6) and first_invoice_date < first_day(w), false);
"""

TIER_BITS = """
create table tier_bits as
select
    curve.account,
    coalesce(sum(1::bigint << curve.w) filter (curve.revenue_value >= lines.a_line), 0)::bigint as a_bits,
    coalesce(
        sum(1::bigint << curve.w)
            filter (curve.revenue_value < lines.a_line and curve.revenue_value >= lines.b_line),
        0
    )::bigint as b_bits
from margin_curve as curve
inner join revenue_lines as lines using (w)
group by curve.account
"""

# A demotion needs three months in a row; a new customer's patience reaches back to its first invoice.
STABLE = """
case
    when {w} < first_window then null
    when any_of(a_bits, {first}, {w}) then 1
    when any_of(b_bits, {first}, {w}) then 2
    else 3
end::tinyint
"""
FIRST = """
{w} + 1 - case when is_new(first_invoice_date, {w}) then greatest(3, {w} - first_invoice_m) else 3 end
"""

TIERS = """
create table tiers as
with ranked as (
    select
        curve.account,
        curve.w,
        curve.revenue,
        curve.margin,
        curve.invoice_count,
        curve.is_idle,
        curve.is_covered,
        curve.revenue_value,
        curve.margin_value,
        case when curve.revenue_value > 0 then curve.revenue_before - revenue_lines.sum_before end
            as revenue_before,
        case when curve.margin_value > 0 then curve.margin_before - margin_lines.sum_before end
            as margin_before,
        rank_of(curve.revenue_value, revenue_lines.a_line, revenue_lines.b_line) as raw_rank,
        rank_of(curve.margin_value, margin_lines.a_line, margin_lines.b_line) as margin_rank,
        facts.first_window,
        facts.first_invoice_date,
        facts.first_invoice_m,
        bits.a_bits,
        bits.b_bits
    from margin_curve as curve
    inner join revenue_lines using (w)
    inner join margin_lines using (w)
    inner join account_facts as facts using (account)
    inner join tier_bits as bits using (account)
)
select
    * exclude (first_window, first_invoice_date, first_invoice_m, a_bits, b_bits),
    {before} as rank_before,
    {now} as stable_rank,
    {after} as rank_after,
    is_new(first_invoice_date, w) as is_new_customer
from ranked
"""

HISTORY = """
with sorted as (
    select tiers.*, accounts.account_key
    from tiers
    inner join accounts using (account)
    order by tiers.account, tiers.w
)
select
    sorted.account_key,
    first_day(sorted.w) as as_of,
    first_day(sorted.w - 1) as month,
    money(sorted.revenue) as revenue,
    money(sorted.margin) as gross_margin,
    sorted.invoice_count,
    {revenue},
    {margin},
    tier(sorted.raw_rank) as value_tier,
    tier(sorted.raw_rank) as raw_tier,
    tier(sorted.stable_rank) as stable_tier,
    tier(sorted.stable_rank) as final_tier,
    {posture} as posture,
    sorted.is_new_customer
from sorted
inner join revenue_lines using (w)
inner join margin_lines using (w)
"""
# to the line of the next tier, where somebody is in it; in A to its own
DISTANCE = """
money(
    case
        when {rank} < 3 then {scheme}_lines.a_line
        when {scheme}_lines.b_line < {scheme}_lines.a_line then {scheme}_lines.b_line
    end - {scheme}_value
)
"""
SCHEME = """
case when sorted.{scheme}_value > 0 then share(sorted.{scheme}_value, {scheme}_lines.total) end
    as {name}_share,
case when sorted.{scheme}_value > 0 then share(sorted.{scheme}_before, {scheme}_lines.total) end
    as {name}_share_before,
tier(sorted.{rank}) as {name}_tier,
{distance} as {name}_distance
"""
POSTURE = """
case
    when margin < 0 and raw_rank < 3 and is_covered then 'fix'
    when is_idle and stable_rank < 3 then 'win'
    when stable_rank = 1 then 'defend'
    when stable_rank = 2 then 'maintain'
    else 'serve lean'
end
"""
# the script's name of a scheme, the product's, and the column of an account's tier by it
SCHEMES = (("revenue", "revenue", "raw_rank"), ("margin", "gross_margin", "margin_rank"))

# Each row counts twice: as the month that it is, and as the one before the next.
MIGRATION = """
with counted as (
    select w, rank_before, stable_rank, 1 as account_count, 0 as revenue_before, revenue
    from tiers
    union all
    select w + 1, stable_rank, rank_after, 0, revenue, 0
    from tiers
    where w < 36
)
select
    first_day(w) as as_of,
    first_day(w - 1) as month,
    case when rank_before is null then 'none' else tier(rank_before) end as from_tier,
    tier(stable_rank) as to_tier,
    sum(account_count)::bigint as account_count,
    sum(revenue_before)::decimal(33, 0) * 0.0001 as revenue_before,
    sum(revenue)::decimal(33, 0) * 0.0001 as revenue
from counted
group by w, rank_before, stable_rank
having sum(account_count) > 0
"""

# Would its new value have moved the account among the values of then? Then is the last window in which it was in
# its old tier by value; its own old value is taken out of it, its new one put in.
MOVES = """
create table moves as
with moved as (
    select
        tiers.account,
        tiers.w,
        tiers.rank_before,
        tiers.stable_rank,
        tiers.revenue_value as to_value,
        length(bin(
            case tiers.rank_before
                when 1 then bits.a_bits
                when 2 then bits.b_bits
                else ~(bits.a_bits | bits.b_bits)
            end & ((1::bigint << tiers.w) - 1)
        )) - 1 as reference_w
    from tiers
    inner join tier_bits as bits using (account)
    where tiers.rank_before is distinct from tiers.stable_rank
),
valued as (
    select
        moved.*,
        before.revenue_value as from_value,
        greatest(reference.revenue_value, 0) as reference_value
    from moved
    left join tiers as before on moved.account = before.account and moved.w - 1 = before.w
    left join tiers as reference
        on moved.account = reference.account and moved.reference_w = reference.w
),
points as (
    select w, revenue_value as value, max(revenue_through) as through
    from margin_curve
    where revenue_value > 0
    group by w, revenue_value
),
placed as (
    select
        valued.*,
        coalesce(points.through - lines.sum_before, 0)
        - case when valued.reference_value > valued.to_value then valued.reference_value else 0 end
            as before,
        coalesce(lines.total, 0) - coalesce(valued.reference_value, 0) + valued.to_value as total
    from valued
    left join revenue_lines as lines on valued.reference_w = lines.w
    asof left join points on valued.reference_w = points.w and valued.to_value < points.value
),
replayed as (
    select
        *,
        case
            when to_value > 0 and 100 * before < 80 * total then 1
            when to_value > 0 and 100 * before < 95 * total then 2
            else 3
        end as replayed_rank
    from placed
)
select
    account,
    w,
    rank_before,
    stable_rank,
    from_value,
    to_value,
    case
        when rank_before is null then 'new_account'
        when stable_rank < rank_before and replayed_rank < rank_before then 'own_value'
        when stable_rank > rank_before and replayed_rank > rank_before then 'own_value'
        else 'portfolio'
    end as move_cause
from replayed
"""

MOVES_MART = """
select
    account_key,
    first_day(w) as as_of,
    first_day(w - 1) as month,
    'monthly' as move_kind,
    first_day(w)::timestamp as moved_at,
    case when rank_before is not null then tier(rank_before) end as from_tier,
    tier(stable_rank) as to_tier,
    case
        when rank_before is null then 'appeared'
        when stable_rank < rank_before then 'promoted'
        else 'demoted'
    end as direction,
    move_cause,
    money(from_value) as from_value,
    money(to_value) as to_value
from moves
inner join accounts using (account)
order by account, w
"""


def stable(window: str) -> str:
    """The best tier within the patience, at a window."""
    return STABLE.format(w=window, first=FIRST.format(w=window))


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """The table `tiers`: one row per account and window."""
    connection.execute(MACROS)
    connection.execute(TIER_BITS)
    ranks = {"before": stable("w - 1"), "now": stable("w"), "after": stable("w + 1")}
    connection.execute(TIERS.format(**ranks))


def explain_moves(connection: duckdb.DuckDBPyConnection) -> None:
    """The table `moves`: what changed its tier, and why."""
    connection.execute(MOVES)


def mart() -> str:
    """The query of `account_tier_history`."""
    schemes = {
        scheme: SCHEME.format(scheme=scheme, name=name, rank=rank, distance=distance(scheme, rank))
        for scheme, name, rank in SCHEMES
    }
    return HISTORY.format(posture=POSTURE, **schemes)


def distance(scheme: str, rank: str) -> str:
    """How far an account is from the next tier by a scheme."""
    return DISTANCE.format(scheme=scheme, rank=rank)
