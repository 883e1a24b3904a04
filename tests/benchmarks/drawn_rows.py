"""The queries that draw the benchmark's rows.

Belongs here: how values are spread. Every value is a hash of its row and the seed, so that the same
seed gives the same rows in any order.
"""

from __future__ import annotations

import duckdb

from tests.benchmarks.volume import AS_OF, FIRST_DAY, Volume


def create_macros(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Makes the macros that draw: a value is a hash of its row, its name and the seed."""
    connection.execute(
        f"create macro uniform(row_id, name) as"
        f" ((hash(row_id, name, {seed}) % 4294967296) + 0.5) / 4294967296"
    )
    connection.execute(
        "create macro normal(row_id, name) as"
        " sqrt(-2 * ln(uniform(row_id, name || ' radius')))"
        " * cos(2 * pi() * uniform(row_id, name || ' angle'))"
    )


def accounts(volume: Volume) -> str:
    """The CRM's accounts: nine of ten customers, and prospects."""
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


def customers(volume: Volume) -> str:
    """The ERP's customers."""
    return f"""
        select
            format('C{{:07d}}', n) as customer_id,
            format('Company {{:07d}}', n) as customer_name,
            ['FR', 'DE', 'BE', 'US', 'GB', 'CH'][1 + (n % 6)] as country_code,
            format('{{:05d}}', 10000 + n % 80000) as postal_code
        from range({volume.customers}) as numbers (n)
    """


def exchange_rates() -> str:
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
