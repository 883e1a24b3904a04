"""From delivered files to account x month: landing, rates, accounts, conversion.

Money is counted in ten-thousandths (`bigint`), months from the first of the 36 (`m`), and accounts
are numbered in the order of their keys: nothing inside is text, and DuckDB adds 64-bit numbers fastest.
"""

from __future__ import annotations

import duckdb

from tests.benchmarks.yardsticks.arguments import Job

TYPES = {
    "accounts": {
        "account_id": "varchar",
        "account_name": "varchar",
        "account_type": "varchar",
        "erp_customer_id": "varchar",
        "country_code": "varchar",
        "industry": "varchar",
        "owner_id": "varchar",
        "created_at": "timestamp",
    },
    "customers": {
        "customer_id": "varchar",
        "customer_name": "varchar",
        "country_code": "varchar",
        "postal_code": "varchar",
    },
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

MACROS = """
create macro units(amount) as (amount::decimal(13, 4) * 10000::decimal(5, 0))::bigint;
create macro money(units) as units::decimal(14, 0) * 0.0001::decimal(4, 4);
create macro share(part, whole) as round(part::double / nullif(whole, 0)::double, 12);
create macro month_number(day) as (12 * year(day) + month(day) - {first})::integer;
create macro first_day(m) as make_date(({first} + m - 1) // 12, ({first} + m - 1) % 12 + 1, 1);
"""

# Foreign units per euro; on a day without a rate the last one before it, at most 7 days old. The factors are
# in lowest terms, so that an amount below `most` is converted by 64-bit numbers.
RATES = """
create table rates as
with daily as (
    select
        rates.to_currency as currency,
        days.day::date as rate_for,
        (rates.rate * 10000000000)::hugeint as rate_units
    from range(date '{first_month}', date '{as_of}', interval 1 day) as days (day)
    cross join (select distinct to_currency from raw_exchange_rates) as currencies
    asof join raw_exchange_rates as rates
        on rates.to_currency = currencies.to_currency and days.day >= rates.rate_date
    where days.day - rates.rate_date <= interval 7 day
),
reduced as (
    select *, gcd(rate_units, 100000000) as divisor from daily
)
select
    currency,
    rate_for,
    rate_units,
    (200000000 // divisor)::bigint as factor,
    (rate_units // divisor)::bigint as half_divisor,
    (9000000000000000000 // (200000000 // divisor) - rate_units // divisor)::bigint as most
from reduced
"""

# to cents, half away from zero, by whole numbers: DuckDB divides decimals as doubles
CONVERTED = """
case
    when {currency} = 'EUR' then {units}
    when abs({units}) < rates.most
        then 100 * sign({units})
            * ((abs({units}) * rates.factor + rates.half_divisor) // (2 * rates.half_divisor))
    else
        100 * sign({units})
        * (
            (abs({units})::hugeint * 200000000 + rates.rate_units) // (2 * rates.rate_units)
        )::bigint
end
"""

ACCOUNTS = """
create table accounts as
with spine as (
select
    'crm:accounts:' || accounts.account_id as account_key,
    coalesce(accounts.account_name, customers.customer_name) as account_name,
    accounts.account_type,
    accounts.account_id as crm_account_id,
    customers.customer_id,
    coalesce(accounts.country_code, customers.country_code) as country_code,
    accounts.industry,
    accounts.owner_id,
    month_number(accounts.created_at) as created_m
from raw_accounts as accounts
left join raw_customers as customers on accounts.erp_customer_id = customers.customer_id
union all
select
    'erp:customers:' || customers.customer_id,
    customers.customer_name,
    null,
    null,
    customers.customer_id,
    customers.country_code,
    null,
    null,
    null
from raw_customers as customers
anti join raw_accounts as accounts on accounts.erp_customer_id = customers.customer_id
)
select row_number() over (order by account_key)::integer as account, * from spine
"""

ACCOUNT_CURRENCY_MONTHS = """
create table account_currency_months as
with lines as (
    select
        accounts.account,
        lines.invoice_date,
        month_number(lines.invoice_date) as m,
        lines.currency,
        lines.invoice_id,
        lines.document_type = 'invoice' as is_sale,
        units(lines.net_amount) as revenue_local,
        units(lines.cost_amount) as cost_local
    from raw_invoice_lines as lines
    inner join accounts on lines.customer_id = accounts.customer_id
),
converted as (
    select
        lines.* exclude (cost_local),
        {revenue} as revenue,
        {cost} as cost
    from lines
    left join rates on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
),
documents as (
    select
        account,
        m,
        currency,
        sum(revenue_local)::bigint as revenue_local,
        sum(revenue)::bigint as revenue,
        sum(cost)::bigint as cost,
        sum(case when cost is not null then revenue end)::bigint as costed_revenue,
        sum(abs(revenue))::bigint as turnover,
        sum(case when cost is not null then abs(revenue) end)::bigint as costed_turnover,
        count(*)::integer as line_count,
        count(cost)::integer as costed_line_count,
        min(invoice_date) filter (is_sale) as first_invoice_date,
        max(invoice_date) filter (is_sale) as last_invoice_date
    from converted
    group by account, m, currency, invoice_id
)
select
    account,
    m,
    currency,
    sum(revenue_local)::bigint as revenue_local,
    sum(revenue)::bigint as revenue,
    coalesce(sum(cost), 0)::bigint as cost,
    coalesce(sum(costed_revenue), 0)::bigint as costed_revenue,
    sum(turnover)::bigint as turnover,
    coalesce(sum(costed_turnover), 0)::bigint as costed_turnover,
    sum(line_count)::integer as line_count,
    sum(costed_line_count)::integer as costed_line_count,
    count(first_invoice_date)::integer as invoice_count,
    min(first_invoice_date) as first_invoice_date,
    max(last_invoice_date) as last_invoice_date
from documents
group by account, m, currency
"""

# constant currency: every month at the last rate before as_of
ACCOUNT_MONTHS = """
create table account_months as
select
    months.account,
    months.m,
    sum(months.revenue)::bigint as revenue,
    sum({constant})::bigint as revenue_constant_currency,
    sum(months.cost)::bigint as cost,
    sum(months.costed_revenue)::bigint as costed_revenue,
    sum(months.turnover)::bigint as turnover,
    sum(months.costed_turnover)::bigint as costed_turnover,
    sum(months.line_count)::integer as line_count,
    sum(months.costed_line_count)::integer as costed_line_count,
    sum(months.invoice_count)::integer as invoice_count,
    min(months.first_invoice_date) as first_invoice_date,
    max(months.last_invoice_date) as last_invoice_date,
    min(months.currency) as first_currency,
    count(*) as currency_count
from account_currency_months as months
left join rates
    on months.currency = rates.currency and rates.rate_for = date '{as_of}' - 1
group by months.account, months.m
"""

MONTHLY = """
with lists as (
    select account, m, string_agg(currency, ',' order by currency) as currencies
    from account_currency_months
    semi join (select account, m from account_months where currency_count > 1) using (account, m)
    group by account, m
),
sorted as (
    select months.*, accounts.account_key, coalesce(lists.currencies, months.first_currency) as currencies
    from account_months as months
    inner join accounts using (account)
    left join lists using (account, m)
    order by months.account, months.m
)
select
    account_key,
    first_day(m) as month,
    money(revenue) as revenue,
    money(revenue_constant_currency) as revenue_constant_currency,
    money(costed_revenue) as costed_revenue,
    money(cost) as cost,
    case when costed_line_count > 0 then money(costed_revenue - cost) end as gross_margin,
    share(costed_turnover, turnover) as cost_coverage,
    invoice_count,
    line_count,
    currencies
from sorted
"""


def land(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    """Typed Parquet per delivered file, and one view of them per entity."""
    for entity, types in TYPES.items():
        columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in types.items())
        for delivered in job.delivered(entity):
            if delivered.suffix == ".csv":
                relation = f"read_csv('{delivered}', header = true, all_varchar = true)"
            else:
                relation = f"read_parquet('{delivered}')"
            target = job.raw(entity, delivered)
            connection.execute(
                f"copy (select {columns} from {relation}) to '{target}' (format parquet)"
            )
        connection.execute(
            f"create view raw_{entity} as select * from read_parquet('{job.raw(entity)}/*.parquet')"
        )


def build(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    """Accounts, rates and account x month."""
    first = job.first_month.year * 12 + job.first_month.month
    connection.execute(MACROS.format(first=first))
    connection.execute(RATES.format(first_month=job.first_month, as_of=job.as_of))
    connection.execute(ACCOUNTS)
    amounts = {
        name: CONVERTED.format(currency="lines.currency", units=f"lines.{name}_local")
        for name in ("revenue", "cost")
    }
    connection.execute(ACCOUNT_CURRENCY_MONTHS.format(**amounts))
    constant = CONVERTED.format(currency="months.currency", units="months.revenue_local")
    connection.execute(ACCOUNT_MONTHS.format(constant=constant, as_of=job.as_of))
