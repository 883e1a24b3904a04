with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

delivered as (
    select
        months.month_index,
        cast(sum(months.line_count) as bigint) as part_rows,
        {{ fingerprint(['months.delivery_id', 'months.line_count']) }} as lines_said
    from {{ ref('stg_run__delivery_months') }} as months
    group by months.month_index
),

superseded as (
    select
        lines.month_index,
        {{ fingerprint(['lines.delivery_id', 'lines.line_number']) }} as superseded_said
    from {{ ref('stg_erp__invoice_lines_superseded') }} as lines
    group by lines.month_index
),

-- a document is corrected in every month that it has lines in
corrected as (
    select
        lines.month_index,
        {{ fingerprint([
            'documents.source_system', 'documents.invoice_id', 'documents.document_type',
            'documents.amount_sign', 'documents.left_out_reason',
        ]) }} as documents_said
    from {{ ref('int_invoice_documents_corrected') }} as documents
    inner join {{ ref('stg_erp__invoice_lines_corrective') }} as lines
        on
            documents.source_system = lines.source_system
            and documents.invoice_id = lines.invoice_id
            and documents.document_type = lines.document_type
    group by lines.month_index
),

rated as (
    select
        year(rates.rate_for) * 12 + month(rates.rate_for) as month_index,
        {{ fingerprint([
            'rates.currency', 'rates.rate_for', 'rates.rate_numerator', 'rates.rate_denominator',
        ]) }} as rates_said
    from {{ ref('int_exchange_rates_filled') }} as rates
    group by year(rates.rate_for) * 12 + month(rates.rate_for)
),

costed as (
    select
        delivered.month_index,
        {{ fingerprint([
            'costs.source_system', 'costs.product_id', 'costs.valid_from', 'costs.valid_to',
            'costs.unit_cost', 'costs.currency',
        ]) }} as costs_said
    from delivered
    inner join {{ ref('int_product_costs_dated') }} as costs
        on
            year(costs.valid_from) * 12 + month(costs.valid_from) <= delivered.month_index
            and year(costs.valid_to) * 12 + month(costs.valid_to) >= delivered.month_index
    group by delivered.month_index
),

said as (
    select
        delivered.month_index,
        delivered.part_rows,
        concat(
            delivered.lines_said, '|',
            coalesce(superseded.superseded_said, '-'), '|',
            coalesce(corrected.documents_said, '-'), '|',
            coalesce(rated.rates_said, '-'), '|',
            coalesce(costed.costs_said, '-'), '|',
            parameters.reporting_currency, '|',
            cast(parameters.line_scale as string)
        ) as input_said
    from delivered
    cross join parameters
    left join superseded on delivered.month_index = superseded.month_index
    left join corrected on delivered.month_index = corrected.month_index
    left join rated on delivered.month_index = rated.month_index
    left join costed on delivered.month_index = costed.month_index
)

select
    said.month_index,
    said.part_rows,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
