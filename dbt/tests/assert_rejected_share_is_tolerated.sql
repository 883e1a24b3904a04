{{ config(
    severity='error',
    meta={
        'remedy':
            'Mend the extract (rejected_rows says file, line and value), or raise '
            ~ 'gate.max_rejected_share in the policy.',
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
)

select
    extracts.source_system,
    extracts.entity,
    concat(
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
where extracts.rows_rejected > parameters.max_rejected_share * extracts.rows_read
