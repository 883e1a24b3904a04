"""From account x month to the curves of 36 windows of 12 months.

Window 1 ends with the first month, window 36 with the last. DuckDB keeps the order of sorted rows under an
empty `over`, where a running sum costs next to nothing; a running sum over `partition by ... order by` costs it
a tree per partition. So the accounts of all windows are sorted once per scheme, by window and value.
"""

from __future__ import annotations

import duckdb

MACROS = """
create macro tier(rank) as case rank when 1 then 'A' when 2 then 'B' else 'C' end;
create macro rank_of(value, a_line, b_line) as
    case when value >= a_line then 1 when value >= b_line then 2 else 3 end::tinyint;
"""

WINDOWS = """
create table account_facts as
with sales as (
    select account, min(m) as first_m, min(first_invoice_date) as first_invoice_date
    from account_months
    group by account
)
select
    accounts.account,
    -- the first window in which the account is there; 0 where it was there before
    case
        when accounts.created_m is null then 0
        else greatest(least(accounts.created_m + 1, sales.first_m + 1, 36), 0)
    end as first_window,
    sales.first_invoice_date,
    month_number(sales.first_invoice_date) as first_invoice_m
from accounts
left join sales using (account);

create table windows as
with summed as (
    select
        facts.account,
        facts.first_window,
        all_months.m + 1 as window_end,
        sum(months.revenue) over last_year as revenue,
        sum(months.costed_revenue - months.cost) over last_year as margin,
        -- costs are known for four fifths of the turnover
        sum(5 * months.costed_turnover - 4 * months.turnover) over last_year >= 0 as is_covered,
        sum(months.line_count) over last_year as line_count,
        sum(months.costed_line_count) over last_year as costed_line_count,
        sum(months.invoice_count) over last_year as invoice_count
    from account_facts as facts
    cross join range(36) as all_months (m)
    left join account_months as months on facts.account = months.account and all_months.m = months.m
    window last_year as (
        partition by facts.account order by all_months.m rows between 11 preceding and current row
    )
)
select
    account,
    window_end::integer as w,
    coalesce(revenue, 0)::bigint as revenue,
    case when line_count is null then 0 when costed_line_count > 0 then margin end::bigint as margin,
    case when line_count > 0 then revenue end::bigint as revenue_value,
    case when costed_line_count > 0 and is_covered then margin end::bigint as margin_value,
    coalesce(is_covered and costed_line_count > 0, false) as is_covered,
    line_count is null as is_idle,
    coalesce(invoice_count, 0)::integer as invoice_count
from summed
where window_end >= first_window
"""

# Equal values stand together: what lies before the first of them lies before all.
CURVE = """
create table {scheme}_curve as
with sorted as (
    select * from {source} order by w, {scheme}_value desc nulls last
),
running as (
    select
        *,
        row_number() over ()::integer as {scheme}_place,
        sum(case when {scheme}_value > 0 then {scheme}_value end) over (rows unbounded preceding)::bigint
            as {scheme}_through,
        coalesce(lag({scheme}_value) over () = {scheme}_value and lag(w) over () = w, false) as is_peer
    from sorted
)
select
    * exclude (is_peer),
    max(
        case when {scheme}_value > 0 and not is_peer then {scheme}_through - {scheme}_value end
    ) over (rows unbounded preceding) as {scheme}_before
from running
"""

# What a window's sums and places begin with, its total, and the smallest value in A and in B.
LINES = """
create table {scheme}_lines as
with totals as (
    select
        w,
        count(*) as account_count,
        count(*) filter ({scheme}_value > 0) as active_count,
        min({scheme}_place) - 1 as places_before,
        sum({scheme}_value) filter ({scheme}_value > 0)::bigint as total
    from {scheme}_curve
    group by w
),
placed as (
    select *, (sum(total) over (order by w) - total)::bigint as sum_before from totals
)
select
    placed.*,
    min(curve.{scheme}_value) filter (100 * (curve.{scheme}_before - placed.sum_before) < 80 * placed.total)
        as a_line,
    min(curve.{scheme}_value) filter (100 * (curve.{scheme}_before - placed.sum_before) < 95 * placed.total)
        as b_line
from placed
left join {scheme}_curve as curve on placed.w = curve.w and curve.{scheme}_value > 0
group by all
"""


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """The windows, and `margin_curve`: all of them with their places on both curves."""
    connection.execute(MACROS)
    connection.execute(WINDOWS)
    for scheme, source in (("revenue", "windows"), ("margin", "revenue_curve")):
        connection.execute(CURVE.format(scheme=scheme, source=source))
        connection.execute(LINES.format(scheme=scheme))
    connection.execute("drop table windows; drop table revenue_curve")
