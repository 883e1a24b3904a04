"""Makes invoice lines by the million, with the accounts, customers and rates that they need.

Belongs here: input of the benchmarks in the layout of the profile `generic`. Every value is a hash of its
row and the seed, so that DuckDB draws in parallel and the same seed gives the same rows. Bad rows,
duplicates and ambiguous companies are the demo company's; here volume counts. Lines come as systems deliver
them, one file per month, drawn month by month so that memory does not grow with the volume. What is
delivered later on is made by `deliveries.py`.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

FIRST_DAY = date(2023, 1, 1)
AS_OF = date(2026, 1, 1)
DEFAULT_SEED = 20_260_101
MILLION = 1_000_000
MEMORY_LIMIT = "1GB"
# Part of the folder's name: another way of drawing makes other folders.
EDITION = "v2"
# 40,000 customers buy 10 million lines; a company with fewer lines has fewer customers.
LINES_PER_CUSTOMER = 250
FileFormat = Literal["parquet", "csv"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Volume:
    """How much to make: lines (of 10 lines two documents), and the seed of everything drawn."""

    lines: int
    seed: int = DEFAULT_SEED

    @property
    def customers(self) -> int:
        """ERP customers; nine of ten are in the CRM, which has a quarter more of prospects."""
        return max(self.lines // LINES_PER_CUSTOMER, 10)


def default_cache() -> Path:
    """The folder of generated input where none is named."""
    return Path(tempfile.gettempdir()) / "account-tiering-benchmarks"


def landing_folder(volume: Volume, file_format: FileFormat, cache: Path) -> Path:
    """The landing folder of this volume and format, made on the first call.

    Args:
        volume: how many lines.
        file_format: of the invoice lines; the small extracts are CSV beside both.
        cache: folder of all generated input.
    """
    folder = cache / f"lines_{volume.lines}_{volume.seed}_{file_format}_{EDITION}"
    if not folder.is_dir():
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _generate(volume, file_format, part / "base")
        part.rename(folder)
    return folder / "base"


def months() -> Iterator[date]:
    """The first day of each month that has lines."""
    day = FIRST_DAY
    while day < AS_OF:
        yield day
        day = following(day)


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def file_of(month: date, file_format: FileFormat) -> str:
    """The name under which a month's lines are delivered."""
    return f"invoice_lines_{month:%Y_%m}.{file_format}"


def lines_of(volume: Volume, month: date) -> tuple[int, int]:
    """The half-open range of the lines of a month; whole tens, so that no document lies in two files."""
    days = (AS_OF - FIRST_DAY).days
    bounds = (
        -(-((day - FIRST_DAY).days * volume.lines // days) // 10) * 10
        for day in (month, following(month))
    )
    first, last = (min(bound, volume.lines) for bound in bounds)
    return first, last


@contextmanager
def drawing(volume: Volume, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the macros that draw for this seed."""
    settings = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    with duckdb.connect(config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        _create_macros(connection, volume.seed)
        yield connection


def copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Writes the rows as Parquet or CSV, as the name says."""
    file_format = "parquet" if target.suffix == ".parquet" else "csv, header"
    connection.execute(f"copy ({query}) to '{target}' (format {file_format})")


def _generate(volume: Volume, file_format: FileFormat, landing: Path) -> None:
    log.info("generating %d invoice lines as %s", volume.lines, file_format)
    for system in ("crm", "erp"):
        (landing / system).mkdir(parents=True)
    with drawing(volume, landing.parent / "spill") as drawn:
        copy(drawn, _accounts(volume), landing / "crm" / "accounts.csv")
        copy(drawn, _customers(volume), landing / "erp" / "customers.csv")
        copy(drawn, _exchange_rates(), landing / "erp" / "exchange_rates.csv")

        def draw(month: date) -> None:
            query = invoice_lines(volume, *lines_of(volume, month))
            copy(drawn.cursor(), query, landing / "erp" / file_of(month, file_format))

        # DuckDB counts a range in one thread, so that months go side by side
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(draw, months()))
    shutil.rmtree(landing.parent / "spill", ignore_errors=True)


def _create_macros(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    connection.execute(
        f"create macro uniform(row_id, name) as"
        f" ((hash(row_id, name, {seed}) % 4294967296) + 0.5) / 4294967296"
    )
    connection.execute(
        "create macro normal(row_id, name) as"
        " sqrt(-2 * ln(uniform(row_id, name || ' radius')))"
        " * cos(2 * pi() * uniform(row_id, name || ' angle'))"
    )


def _accounts(volume: Volume) -> str:
    known = f"uniform(n, 'known') < 0.9 and n < {volume.customers}"
    return f"""
        select
            format('A{{:07d}}', n) as account_id,
            format('Company {{:07d}}', n) as account_name,
            case when n < {volume.customers} then 'customer' else 'prospect' end as account_type,
            case when {known} then format('C{{:07d}}', n) end as erp_customer_id,
            format('www.company-{{:07d}}.example.com', n) as website,
            ['FR', 'DE', 'BE', 'US', 'GB', 'CH'][1 + (n % 6)] as country_code,
            ['machines', 'food', 'chemistry', 'transport'][1 + (n % 4)] as industry,
            format('U{{:02d}}', n % 40) as owner_id,
            (date '2015-01-01' + (uniform(n, 'created') * 3600)::integer)::timestamp as created_at
        from range({volume.customers + volume.customers // 4}) as numbers (n)
        where {known} or n >= {volume.customers}
    """


def _customers(volume: Volume) -> str:
    return f"""
        select
            format('C{{:07d}}', n) as customer_id,
            format('Company {{:07d}}', n) as customer_name,
            ['FR', 'DE', 'BE', 'US', 'GB', 'CH'][1 + (n % 6)] as country_code,
            format('{{:05d}}', 10000 + n % 80000) as postal_code
        from range({volume.customers}) as numbers (n)
    """


def _exchange_rates() -> str:
    """Foreign units per euro on working days, as the European Central Bank quotes."""
    return f"""
        select
            day::date as rate_date,
            'EUR' as from_currency,
            currency as to_currency,
            round(level * (1 + 0.05 * sin(epoch(day) / 9000000 + level)), 4) as rate
        from range(date '{FIRST_DAY}' - 7, date '{AS_OF}', interval 1 day) as days (day)
        cross join (values ('USD', 1.08), ('GBP', 0.86), ('CHF', 0.95)) as quoted (currency, level)
        where isodow(day) <= 5
    """


def date_in_turn(volume: Volume) -> str:
    """Documents are written day after day, as many on each."""
    days = (AS_OF - FIRST_DAY).days
    return f"date '{FIRST_DAY}' + ((n // 10 * 10) * {days} // {volume.lines})::integer"


def invoice_lines(
    volume: Volume,
    first: int,
    last: int,
    *,
    invoice_date: str | None = None,
    credit_share: float = 0.03,
) -> str:
    """Lines in the order of dates: ten lines are two documents of one to nine lines.

    A customer is drawn by rank, the first ones more often and for larger amounts, so that about a fifth
    of them brings four fifths of the revenue; each has better years and worse ones. A quarter of the
    products is on half of the lines.

    Args:
        volume: of the whole company: how many customers, how many lines a day.
        first, last: half-open range of numbers, whole tens; a number is always the same line.
        invoice_date: SQL of the date; without it the one that the number has in turn.
        credit_share: share of the documents that are credit notes.
    """
    return f"""
        with numbered as (
            select
                n,
                2 * (n // 10) + (n % 10 >= 1 + hash(n // 10, {volume.seed}) % 9)::integer as document
            from range({first}, {last}) as numbers (n)
        ),
        documents as (
            select
                n,
                document,
                {invoice_date or date_in_turn(volume)} as invoice_date,
                ({volume.customers} * uniform(document, 'customer') ^ 2)::bigint
                    % {volume.customers} as customer,
                uniform(document, 'credit') < {credit_share} as is_credit
            from numbered
        ),
        priced as (
            select
                *,
                case
                    when uniform(customer, 'currency') < 0.70 then 'EUR'
                    when uniform(customer, 'currency') < 0.85 then 'USD'
                    when uniform(customer, 'currency') < 0.95 then 'GBP'
                    else 'CHF'
                end as currency,
                (1 + uniform(n, 'quantity') * 20)::integer * if(is_credit, -1, 1) as quantity,
                round(
                    (4 + 3000 * (customer + 20) ^ -0.75)
                    * exp(
                        0.9 * normal(n, 'price')
                        + 0.6 * normal(customer * 10000 + year(invoice_date), 'year')
                    ),
                    2
                ) + 0.01 as price
            from documents
        )
        select
            format('I{{:08d}}', document) as invoice_id,
            (1 + n % 10)::varchar as line_id,
            format('C{{:07d}}', customer) as customer_id,
            invoice_date,
            if(is_credit, 'credit_note', 'invoice') as document_type,
            format('P{{:04d}}', floor(2000 * uniform(n, 'product') ^ 2)::integer) as product_id,
            quantity,
            (quantity * price)::decimal(18, 2) as net_amount,
            currency,
            case
                when uniform(n, 'cost known') < 0.985
                    then (quantity * price * (0.45 + 0.4 * uniform(customer, 'cost')
                        + 0.1 * normal(n, 'cost')))::decimal(18, 2)
            end as cost_amount
        from priced
    """


def main() -> None:
    """Makes one landing folder and logs where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=MILLION)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--cache", type=Path, default=default_cache())
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    volume = Volume(lines=options.lines, seed=options.seed)
    log.info("%s", landing_folder(volume, options.format, options.cache))


if __name__ == "__main__":
    main()
