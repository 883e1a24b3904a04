{{ config(
    severity='error',
    meta={
        'remedy':
            'Where rates are missing, deliver the extract exchange_rates with the currencies and days named, or set '
            ~ 'reporting_currency to that of the lines. Else mend the extract (rejected_rows says file, line and '
            ~ 'value), or raise gate.max_rejected_share in the policy.',
        'dagster': {'ref': {'name': 'rejected_rows'}},
    },
) }}

with extracts as (
    select
        deliveries.source_system,
        deliveries.entity,
        sum(deliveries.rows_read) as rows_read,
        sum(deliveries.rows_rejected) as rows_rejected
    from {{ ref('int_deliveries_counted') }} as deliveries
    -- what a full extract replaced neither counts nor dilutes the share of what does
    where not deliveries.is_replaced
    group by deliveries.source_system, deliveries.entity
),

numbered as (
    select
        rejected.source_system,
        rejected.entity,
        rejected.rule,
        rejected.source_file,
        rejected.line_number,
        rejected.column_name,
        rejected.raw_value,
        count(*) over (
            partition by rejected.source_system, rejected.entity, rejected.rule
        ) as rule_count,
        row_number() over (
            partition by rejected.source_system, rejected.entity, rejected.rule
            order by rejected.source_file, rejected.line_number
        ) as example_number
    from {{ ref('rejected_rows') }} as rejected
),

-- the first rejected row of each rule is its example
reasons as (
    select
        numbered.source_system,
        numbered.entity,
        numbered.rule_count,
        numbered.rule,
        concat(
            cast(numbered.rule_count as string), ' ', numbered.rule, ' (such as ',
            numbered.source_file, ' line ', cast(numbered.line_number as string),
            coalesce(', ' || numbered.column_name, ''),
            coalesce(': ' || substring(numbered.raw_value, 1, 40), ''), ')'
        ) as reason,
        row_number() over (
            partition by numbered.source_system, numbered.entity
            order by numbered.rule_count desc, numbered.rule
        ) as reason_rank
    from numbered
    where numbered.example_number = 1
),

ten_reasons as (
    select
        reasons.source_system,
        reasons.entity,
        {{ dbt.listagg('reasons.reason', "', '", 'order by reasons.reason_rank') }} as reasons
    from reasons
    where reasons.reason_rank <= 10
    group by reasons.source_system, reasons.entity
),

-- a line without a rate is no fault of its own: what is missing is another extract
currencies as (
    select
        unconvertible.source_system,
        unconvertible.currency,
        count(*) as line_count,
        min(unconvertible.invoice_date) as first_date,
        max(unconvertible.invoice_date) as last_date,
        row_number() over (
            partition by unconvertible.source_system
            order by count(*) desc, unconvertible.currency
        ) as currency_rank
    from {{ ref('int_invoice_lines_unconvertible') }} as unconvertible
    group by unconvertible.source_system, unconvertible.currency
),

missing_rates as (
    select
        currencies.source_system,
        {{ dbt.listagg(
            "concat(
                currencies.currency, ' (', cast(currencies.line_count as string), ' lines from ',
                cast(currencies.first_date as string), ' to ',
                cast(currencies.last_date as string), ')'
            )",
            "', '",
            'order by currencies.currency_rank'
        ) }} as currencies
    from currencies
    where currencies.currency_rank <= 10
    group by currencies.source_system
)

select
    extracts.source_system,
    extracts.entity,
    concat(
        case
            when extracts.entity = 'invoice_lines' and missing_rates.currencies is not null
                then concat(
                    'exchange_rates to ', parameters.reporting_currency, ' are missing for ',
                    missing_rates.currencies, '; '
                )
            else ''
        end,
        extracts.source_system,
        '/',
        extracts.entity,
        ': ',
        cast(extracts.rows_rejected as string),
        ' of ',
        cast(extracts.rows_read as string), ' rows rejected, at most ',
        cast(parameters.max_rejected_share as string), ' of them may be: ',
        coalesce(ten_reasons.reasons, 'all in files delivered twice')
    ) as observed
from extracts
cross join {{ ref('stg_run__parameters') }} as parameters
left join ten_reasons
    on
        extracts.source_system = ten_reasons.source_system
        and extracts.entity = ten_reasons.entity
left join missing_rates on extracts.source_system = missing_rates.source_system
where extracts.rows_rejected > parameters.max_rejected_share * extracts.rows_read
