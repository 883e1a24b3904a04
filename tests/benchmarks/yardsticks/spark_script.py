"""The hand-written script once more, in Spark SQL on the cores of this machine.

Money is whole ten-thousandths in 64 bits and divided by `div`, as in the Polars script. Marts are folders of
Parquet, as Spark writes them. Needs Java 17 or later.
"""

from __future__ import annotations

import os

from pyspark.sql import SparkSession

from tests.benchmarks.yardsticks.arguments import Job, run_from_command_line

DRIVER_MEMORY = "2g"
TYPES = {
    "accounts": {"account_id": "string", "erp_customer_id": "string", "created_at": "timestamp"},
    "customers": {"customer_id": "string"},
    "exchange_rates": {
        "rate_date": "date",
        "from_currency": "string",
        "to_currency": "string",
        "rate": "decimal(19, 10)",
    },
    "invoice_lines": {
        "invoice_id": "string",
        "line_id": "string",
        "customer_id": "string",
        "invoice_date": "date",
        "document_type": "string",
        "product_id": "string",
        "quantity": "decimal(18, 6)",
        "net_amount": "decimal(18, 4)",
        "currency": "string",
        "cost_amount": "decimal(18, 4)",
    },
}

# Foreign units per euro; on a day without a rate the last one before it, at most 7 days old.
RATES = """
with days as (
    select explode(sequence(date '{first_month}', date '{as_of}' - 1)) as rate_for
),
dated as (
    select
        rates.to_currency as currency,
        days.rate_for,
        max_by(rates.rate, rates.rate_date) as rate
    from days
    inner join raw_exchange_rates as rates
        on rates.rate_date between days.rate_for - 7 and days.rate_for
    group by rates.to_currency, days.rate_for
)
select
    currency,
    rate_for,
    cast(rate * 1000000 as bigint) as rate_units,
    if(rate * 1000000 = cast(rate * 1000000 as bigint), true,
        raise_error('a rate has more than six decimals')) as is_exact
from dated
"""

ACCOUNTS = """
with spine as (
    select concat('crm:accounts:', account_id) as account_key, erp_customer_id as customer_id, created_at
    from raw_accounts
    union all
    select concat('erp:customers:', customers.customer_id), customers.customer_id, null
    from raw_customers as customers
    anti join raw_accounts as accounts on accounts.erp_customer_id = customers.customer_id
)
select cast(row_number() over (order by account_key) as int) as account, * from spine
"""

CONVERTED = """
case
    when lines.currency = 'EUR' then {amount}
    else sign({amount}) * ((abs({amount}) * 20000 + rates.rate_units) div (2 * rates.rate_units)) * 100
end
"""

ACCOUNT_MONTHS = """
with converted as (
    select
        accounts.account,
        cast(date_trunc('month', lines.invoice_date) as date) as month,
        lines.invoice_id,
        lines.document_type = 'invoice' as is_sale,
        cast({revenue} as bigint) as revenue,
        cast({cost} as bigint) as cost
    from raw_invoice_lines as lines
    inner join accounts on lines.customer_id = accounts.customer_id
    left join rates on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
),
documents as (
    select
        account,
        month,
        sum(revenue) as revenue,
        coalesce(sum(cost), 0) as cost,
        coalesce(sum(revenue) filter (where cost is not null), 0) as costed_revenue,
        sum(abs(revenue)) as turnover,
        coalesce(sum(abs(revenue)) filter (where cost is not null), 0) as costed_turnover,
        count(*) as line_count,
        count(cost) as costed_line_count,
        cast(bool_or(is_sale) as bigint) as invoice_count
    from converted
    group by account, month, invoice_id
)
select
    account,
    month,
    sum(revenue) as revenue,
    sum(cost) as cost,
    sum(costed_revenue) as costed_revenue,
    sum(turnover) as turnover,
    sum(costed_turnover) as costed_turnover,
    sum(line_count) as line_count,
    sum(costed_line_count) as costed_line_count,
    sum(invoice_count) as invoice_count
from documents
group by account, month
"""

WINDOWS = """
with months as (
    select explode(sequence(date '{first_month}', date '{as_of}' - 1, interval 1 month)) as month
),
summed as (
    select
        accounts.account,
        accounts.created_at,
        add_months(months.month, 1) as as_of,
        sum(account_months.revenue) over last_year as revenue,
        sum(account_months.costed_revenue) over last_year as costed_revenue,
        sum(account_months.cost) over last_year as cost,
        sum(account_months.turnover) over last_year as turnover,
        sum(account_months.costed_turnover) over last_year as costed_turnover,
        sum(account_months.line_count) over last_year as line_count,
        sum(account_months.costed_line_count) over last_year as costed_line_count,
        sum(account_months.line_count) over to_date as lines_to_date
    from accounts
    cross join months
    left join account_months
        on accounts.account = account_months.account and months.month = account_months.month
    window
        last_year as (
            partition by accounts.account order by months.month rows between 11 preceding and current row
        ),
        to_date as (
            partition by accounts.account order by months.month
            rows between unbounded preceding and current row
        )
)
select
    account,
    as_of,
    coalesce(revenue, 0) as revenue,
    case when costed_line_count > 0 then costed_revenue - cost when line_count is null then 0 end
        as gross_margin,
    case when line_count > 0 then revenue end as revenue_value,
    case
        when costed_line_count > 0 and 10 * costed_turnover >= 8 * turnover then costed_revenue - cost
    end as gross_margin_value
from summed
where created_at is null or created_at < as_of or lines_to_date > 0 or as_of = date '{as_of}'
"""

CURVE = """
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
        sum(group_value) over (
            partition by as_of order by value desc rows between unbounded preceding and current row
        ) - group_value as before
    from value_groups
)
select
    as_of,
    value,
    round(value / total, 12) as share,
    round(before / total, 12) as share_before,
    case when 100 * before < 80 * total then 'A' when 100 * before < 95 * total then 'B' else 'C' end as tier
from curve
"""

HISTORY = """
select
    accounts.account_key,
    windows.as_of,
    {revenue} as revenue,
    {gross_margin} as gross_margin,
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
from parquet.`{history}`
where as_of = date '{as_of}'
order by account_key
"""

MONTHLY = """
select
    accounts.account_key,
    account_months.month,
    {revenue} as revenue,
    {cost} as cost,
    case
        when account_months.costed_line_count > 0
            then {margin}
    end as gross_margin,
    account_months.invoice_count
from account_months
inner join accounts on account_months.account = accounts.account
order by accounts.account_key, account_months.month
"""


def run(job: Job) -> None:
    """Writes the raw zone and the three marts below the job's output folder."""
    spark = _session(job)
    try:
        for entity in TYPES:
            _land(spark, entity, job)
        _compute(spark, job)
    finally:
        spark.stop()


def _session(job: Job) -> SparkSession:
    cores = os.cpu_count() or 1
    settings = {
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str((job.out / "spill").resolve()),
        "spark.sql.warehouse.dir": str((job.out / "warehouse").resolve()),
        "spark.sql.session.timeZone": "UTC",
        # partitions grow with the data and are merged where they are small
        "spark.sql.shuffle.partitions": str(32 * cores),
        "spark.sql.ansi.enabled": "true",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("yardstick")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _land(spark: SparkSession, entity: str, job: Job) -> None:
    """Typed Parquet of all files of an entity in one job, as Spark is quickest, and a view of it."""
    columns = [f"cast({name} as {kind}) as {name}" for name, kind in TYPES[entity].items()]
    delivered = job.delivered(entity)
    paths = [str(path) for path in delivered]
    is_csv = delivered[0].suffix == ".csv"
    read = spark.read.csv(paths, header=True) if is_csv else spark.read.parquet(*paths)
    target = str(job.raw(entity) / "all.parquet")
    read.selectExpr(*columns).write.parquet(target)
    spark.read.parquet(target).createOrReplaceTempView(f"raw_{entity}")


def _compute(spark: SparkSession, job: Job) -> None:
    days = {"first_month": job.first_month, "as_of": job.as_of}
    _keep(spark, job, "rates", RATES.format(**days))
    _keep(spark, job, "accounts", ACCOUNTS)
    amounts = {
        "revenue": CONVERTED.format(amount=_whole("lines.net_amount")),
        "cost": CONVERTED.format(amount=_whole("lines.cost_amount")),
    }
    _keep(spark, job, "account_months", ACCOUNT_MONTHS.format(**amounts))
    _keep(spark, job, "windows", WINDOWS.format(**days))
    for scheme in ("revenue", "gross_margin"):
        _keep(spark, job, f"{scheme}_curve", CURVE.format(scheme=scheme))
    money = {name: _money(f"windows.{name}") for name in ("revenue", "gross_margin")}
    history = job.mart("account_tier_history").resolve()
    spark.sql(HISTORY.format(**money)).write.parquet(str(history))
    tiers = spark.sql(TIERS.format(history=history, **days))
    tiers.write.parquet(str(job.mart("account_tiers")))
    summed = {name: _money(f"account_months.{name}") for name in ("revenue", "cost")}
    summed["margin"] = _money("(account_months.costed_revenue - account_months.cost)")
    spark.sql(MONTHLY.format(**summed)).write.parquet(str(job.mart("account_monthly")))


def _keep(spark: SparkSession, job: Job, name: str, query: str) -> None:
    """A table of the script, as Parquet: what DuckDB keeps in its work file."""
    target = str(job.out / "work" / name)
    spark.sql(query).write.parquet(target)
    spark.read.parquet(target).createOrReplaceTempView(name)


def _whole(amount: str) -> str:
    return f"cast({amount} * 10000 as bigint)"


def _money(units: str) -> str:
    return f"cast(cast({units} as decimal(22, 0)) * 0.0001 as decimal(30, 4))"


if __name__ == "__main__":
    run_from_command_line(run, __doc__)
