"""The floor, for the record: what 12 months and one tiering cost when nothing is landed, kept or checked.

Belongs here: the least work that still gives a tier per customer, from Parquet.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import duckdb

from tests.benchmarks.yardsticks.duckdb_script import MEMORY_LIMIT
from tests.benchmarks.yardsticks.duckdb_script.months import CONVERTED, MACROS, RATES

TIERS = """
with revenue as (
    select lines.customer_id, sum({revenue}) as revenue
    from read_parquet('{landing}/erp/invoice_lines*.parquet') as lines
    left join rates on lines.currency = rates.currency and lines.invoice_date = rates.rate_for
    where lines.invoice_date >= date '{first_month}' and lines.invoice_date < date '{as_of}'
    group by lines.customer_id
),
curve as (
    select
        *,
        sum(greatest(revenue, 0)) over () as total,
        sum(greatest(revenue, 0)) over (order by revenue desc) as through
    from revenue
)
select
    customer_id,
    money(revenue) as revenue,
    case
        when revenue <= 0 then 'C'
        when 100 * (through - revenue) < 80 * total then 'A'
        when 100 * (through - revenue) < 95 * total then 'B'
        else 'C'
    end as tier
from curve
"""


def run(landing: Path, target: Path, *, as_of: date) -> None:
    """Writes the tiers of the 12 months before `as_of` to the Parquet file `target`."""
    first_month = as_of.replace(year=as_of.year - 1)
    days = {"first_month": first_month, "as_of": as_of}
    revenue = CONVERTED.format(currency="lines.currency", units="units(lines.net_amount)")
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute(
            "create view raw_exchange_rates as"
            " select rate_date, from_currency, to_currency, rate::decimal(19, 10) as rate"
            f" from read_csv('{landing}/erp/exchange_rates.csv')"
        )
        connection.execute(MACROS.format(first=first_month.year * 12 + first_month.month))
        connection.execute(RATES.format(**days))
        query = TIERS.format(landing=landing, revenue=revenue, **days)
        connection.execute(f"copy ({query}) to '{target}' (format parquet)")


def main() -> None:
    """Runs the floor once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    options = parser.parse_args()
    run(options.landing, options.target, as_of=options.as_of)


if __name__ == "__main__":
    main()
