{# What a check tells of each month whose control total has this status against the landed lines. #}
{% macro reconciled_months(status) -%}
    select
        reconciled.source_system,
        concat(
            reconciled.source_system, ' ', substring(cast(reconciled.month as string), 1, 7),
            ': lines ', cast(reconciled.landed_amount as string), ' ', reconciled.currency,
            ', control total ',
            cast(reconciled.control_amount as string), ', difference ',
            cast(reconciled.difference as string), '; of the month ',
            cast(reconciled.rejected_row_count as string), ' rejected rows, together ',
            cast(reconciled.rejected_amount as string), ', ',
            cast(reconciled.unreadable_row_count as string), ' of them without a readable amount; ',
            cast(reconciled.unplaced_row_count as string), ' rejected rows without a readable date; ',
            cast(reconciled.left_out_amount as string), ' left out as no revenue'
        ) as observed
    from {{ ref('revenue_reconciliation') }} as reconciled
    where reconciled.status = '{{ status }}'
{%- endmacro %}
