"""The yardstick: one DuckDB script, written by hand, for what a refresh computes on the benchmark's input.

It reads the delivered files, lands typed Parquet, converts exactly, builds account x month, ranks and
tiers 36 months by revenue and by gross margin, and writes three marts. No framework, no rejected rows,
no versions of a row, no identity beyond the cross-reference, no checks, no release: what a refresh costs
beyond this script is the price of those.

Belongs here: the rules of `method.md` once more, as briefly as they can be said for this input.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.benchmarks.yardsticks.arguments import Job, run_from_command_line

# the product's default, for both
MEMORY_LIMIT = "1GB"

TYPES = {
    "accounts": {"account_id": "varchar", "erp_customer_id": "varchar", "created_at": "timestamp"},
    "customers": {"customer_id": "varchar"},
    "exchange_rates": {
        "rate_date": "date",
        "from_currency": "varchar",
        "to_currency": "varchar",
        "rate": "decimal(19, 10)",
    },
    "invoice_lines": {
        "invoice_id": "varchar",
        "line_id": "varchar",
        "customer_id": "varchar",
        "invoice_date": "date",
        "document_type": "varchar",
        "product_id": "varchar",
        "quantity": "decimal(18, 6)",
        "net_amount": "decimal(18, 4)",
        "currency": "varchar",
        "cost_amount": "decimal(18, 4)",
    },
}

# Foreign units per euro; on a day without a rate the last one before it, at most 7 days old.
RATES = """
create table rates as
select
    rates.to_currency as currency,
    days.day::date as rate_for,
    (rates.rate * 10000000000)::hugeint as rate_units
from range(date '{first_month}', date '{as_of}', interval 1 day) as days (day)
cross join (select distinct to_currency from raw_exchange_rates) as currencies
asof join raw_exchange_rates as rates
    on rates.to_currency = currencies.to_currency and days.day >= rates.rate_date
where days.day - rates.rate_date <= interval 7 day
"""

ACCOUNTS = """
create table accounts as
with spine as (
    select 'crm:accounts:' || account_id as account_key, erp_customer_id as customer_id, created_at
    from raw_accounts
    union all
    select 'erp:customers:' || customers.customer_id, customers.customer_id, null
    from raw_customers as customers
    anti join raw_accounts as accounts on accounts.erp_customer_id = customers.customer_id
)
select row_number() over (order by account_key)::integer as account, * from spine
"""

# amount / rate in cents, half away from zero, by whole numbers: DuckDB divides decimals as doubles.
CONVERTED = """
case
    when lines.currency = 'EUR' then lines.{amount}
    else (
        sign(lines.{amount}) * (
            (abs(lines.{amount} * 10000)::hugeint * 200000000 + rates.rate_units)
            // (2 * rates.rate_units)
        ) / 100
    )::decimal(18, 2)::decimal(18, 4)
end
"""

ACCOUNT_MONTHS = """
create table account_months as
with converted as (
    select
        accounts.account,
        date_trunc('month', lines.invoice_date)::date as month,
        lines.invoice_id,
        lines.document_type = 'invoice' as is_sale,
        {revenue} as revenue,
        {cost} as cost
    from raw_invoice_lines as lines
    inner join accounts on lines.customer_id = accounts.customer_id
    left join rates on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
),
documents as (
    select
        account,
        month,
        sum(revenue) as revenue,
        sum(cost) as cost,
        sum(revenue) filter (cost is not null) as costed_revenue,
        sum(abs(revenue)) as turnover,
        sum(abs(revenue)) filter (cost is not null) as costed_turnover,
        count(*) as line_count,
        count(cost) as costed_line_count,
        bool_or(is_sale)::integer as invoice_count
    from converted
    group by account, month, invoice_id
)
select
    account,
    month,
    sum(revenue) as revenue,
    coalesce(sum(cost), 0) as cost,
    coalesce(sum(costed_revenue), 0) as costed_revenue,
    sum(turnover) as turnover,
    coalesce(sum(costed_turnover), 0) as costed_turnover,
    sum(line_count) as line_count,
    sum(costed_line_count) as costed_line_count,
    sum(invoice_count) as invoice_count
from documents
group by account, month
"""

WINDOWS = """
create table windows as
with months as (
    select month::date as month
    from range(date '{first_month}', date '{as_of}', interval 1 month) as all_months (month)
),
summed as (
    select
        accounts.account,
        accounts.created_at,
        months.month + interval 1 month as as_of,
        sum(account_months.revenue) over last_year as revenue,
        sum(account_months.costed_revenue) over last_year as costed_revenue,
        sum(account_months.cost) over last_year as cost,
        sum(account_months.turnover) over last_year as turnover,
        sum(account_months.costed_turnover) over last_year as costed_turnover,
        sum(account_months.line_count) over last_year as line_count,
        sum(account_months.costed_line_count) over last_year as costed_line_count,
        min(account_months.month) over to_date as first_month
    from accounts
    cross join months
    left join account_months
        on accounts.account = account_months.account and months.month = account_months.month
    window
        last_year as (
            partition by accounts.account order by months.month rows between 11 preceding and current row
        ),
        to_date as (partition by accounts.account order by months.month rows unbounded preceding)
)
select
    account,
    as_of::date as as_of,
    coalesce(revenue, 0) as revenue,
    case when costed_line_count > 0 then costed_revenue - cost when line_count is null then 0 end
        as gross_margin,
    case when line_count > 0 then revenue end as revenue_value,
    case
        when costed_line_count > 0 and costed_turnover >= 0.8 * turnover then costed_revenue - cost
    end as gross_margin_value
from summed
where
    created_at is null or created_at < date_trunc('month', as_of - interval 1 day) + interval 1 month
    or first_month < as_of or as_of = date '{as_of}'
"""

# Equal values stand together; the account that crosses the line is in.
CURVE = """
create table {scheme}_curve as
with value_groups as (
    select as_of, {scheme}_value as value, sum({scheme}_value) as group_value
    from windows
    where {scheme}_value > 0
    group by as_of, {scheme}_value
),
curve as (
    select
        as_of,
        value,
        sum(group_value) over (partition by as_of) as total,
        sum(group_value) over (partition by as_of order by value desc rows unbounded preceding)
            - group_value as before
    from value_groups
)
select
    as_of,
    value,
    round(value::double / total::double, 12) as share,
    round(before::double / total::double, 12) as share_before,
    case when 100 * before < 80 * total then 'A' when 100 * before < 95 * total then 'B' else 'C' end as tier
from curve
"""

HISTORY = """
select
    accounts.account_key,
    windows.as_of,
    windows.revenue,
    windows.gross_margin,
    revenue_curve.share as revenue_share,
    revenue_curve.share_before as revenue_share_before,
    coalesce(revenue_curve.tier, 'C') as revenue_tier,
    gross_margin_curve.share as gross_margin_share,
    gross_margin_curve.share_before as gross_margin_share_before,
    coalesce(gross_margin_curve.tier, 'C') as gross_margin_tier
from windows
inner join accounts on windows.account = accounts.account
left join revenue_curve
    on windows.as_of = revenue_curve.as_of and windows.revenue_value = revenue_curve.value
left join gross_margin_curve
    on windows.as_of = gross_margin_curve.as_of and windows.gross_margin_value = gross_margin_curve.value
order by accounts.account_key, windows.as_of
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
    accounts.account_key,
    account_months.month,
    account_months.revenue,
    account_months.cost,
    case
        when account_months.costed_line_count > 0
            then account_months.costed_revenue - account_months.cost
    end as gross_margin,
    account_months.invoice_count
from account_months
inner join accounts on account_months.account = accounts.account
order by accounts.account_key, account_months.month
"""


def run(job: Job) -> None:
    """Writes the raw zone and the three marts below the job's output folder."""
    days = {"first_month": job.first_month, "as_of": job.as_of}
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "preserve_insertion_order": False,
        "temp_directory": str(job.out / "spill"),
    }
    with duckdb.connect(str(job.out / "work.duckdb"), config=settings) as connection:
        for entity in TYPES:
            _land(connection, entity, job)
        connection.execute(RATES.format(**days))
        connection.execute(ACCOUNTS)
        amounts = {
            "revenue": CONVERTED.format(amount="net_amount"),
            "cost": CONVERTED.format(amount="cost_amount"),
        }
        connection.execute(ACCOUNT_MONTHS.format(**amounts))
        connection.execute(WINDOWS.format(**days))
        for scheme in ("revenue", "gross_margin"):
            connection.execute(CURVE.format(scheme=scheme))
        history = job.mart("account_tier_history")
        _write(connection, HISTORY, history)
        _write(connection, TIERS.format(history=history, **days), job.mart("account_tiers"))
        _write(connection, MONTHLY, job.mart("account_monthly"))


def _land(connection: duckdb.DuckDBPyConnection, entity: str, job: Job) -> None:
    """Typed Parquet per delivered file, and one view of them."""
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in TYPES[entity].items())
    for delivered in job.delivered(entity):
        if delivered.suffix == ".csv":
            relation = f"read_csv('{delivered}', header = true, all_varchar = true)"
        else:
            relation = f"read_parquet('{delivered}')"
        _write(connection, f"select {columns} from {relation}", job.raw(entity, delivered))
    connection.execute(
        f"create view raw_{entity} as select * from read_parquet('{job.raw(entity)}/*.parquet')"
    )


def _write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    connection.execute(f"copy ({query}) to '{target}' (format parquet)")


if __name__ == "__main__":
    run_from_command_line(run, __doc__)
