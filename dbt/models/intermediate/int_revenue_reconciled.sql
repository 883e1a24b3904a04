with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

totals as (
    select * from {{ ref('stg_erp__control_totals') }}
),

-- a line without an exchange rate is revenue of its month all the same: currencies are compared
-- as delivered
landed as (
    select
        lines.source_system,
        lines.month_index,
        lines.currency,
        sum(case when lines.booking <> 'left_out' then lines.revenue_local else 0 end)
            as landed_amount,
        sum(case when lines.booking = 'left_out' then lines.revenue_local else 0 end)
            as left_out_amount
    from {{ ref('int_invoice_lines_counted') }} as lines
    group by lines.source_system, lines.month_index, lines.currency
),

rejected as (
    select
        rows_out.source_system,
        cast(year(rows_out.row_date) * 12 + month(rows_out.row_date) as integer) as month_index,
        rows_out.row_currency as currency,
        case when rows_out.row_currency is not null then rows_out.row_amount end as row_amount
    from {{ ref('stg_run__rejected_rows') }} as rows_out
    where rows_out.entity = 'invoice_lines'
),

-- a row whose currency cannot be read may be missing from any currency of its month
placed as (
    select
        totals.source_system,
        totals.month_index,
        totals.currency,
        count(*) as rejected_row_count,
        count(*) - count(rejected.row_amount) as unreadable_row_count,
        sum(rejected.row_amount) as rejected_amount
    from totals
    inner join rejected
        on
            totals.source_system = rejected.source_system
            and totals.month_index = rejected.month_index
            and totals.currency = coalesce(rejected.currency, totals.currency)
    group by totals.source_system, totals.month_index, totals.currency
),

unplaced as (
    select
        rejected.source_system,
        count(*) as unplaced_row_count
    from rejected
    where rejected.month_index is null
    group by rejected.source_system
),

compared as (
    select
        totals.source_system,
        totals.month_index,
        totals.currency,
        totals.amount as control_amount,
        coalesce(landed.landed_amount, 0) as landed_amount,
        coalesce(landed.landed_amount, 0) - totals.amount as difference,
        coalesce(landed.left_out_amount, 0) as left_out_amount,
        coalesce(placed.rejected_row_count, 0) as rejected_row_count,
        coalesce(placed.rejected_amount, 0) as rejected_amount,
        coalesce(placed.unreadable_row_count, 0) as unreadable_row_count,
        coalesce(unplaced.unplaced_row_count, 0) as unplaced_row_count
    from totals
    left join landed
        on
            totals.source_system = landed.source_system
            and totals.month_index = landed.month_index
            and totals.currency = landed.currency
    left join placed
        on
            totals.source_system = placed.source_system
            and totals.month_index = placed.month_index
            and totals.currency = placed.currency
    left join unplaced on totals.source_system = unplaced.source_system
)

select
    compared.source_system,
    {{ month_start('compared.month_index') }} as month,
    compared.currency,
    cast(compared.control_amount as decimal(18, 4)) as control_amount,
    cast(compared.landed_amount as decimal(18, 4)) as landed_amount,
    cast(compared.difference as decimal(18, 4)) as difference,
    case
        when abs(compared.difference) <= parameters.control_total_tolerance then 'agrees'
        when
            abs(compared.difference + compared.rejected_amount)
            <= parameters.control_total_tolerance
            then 'explained'
        else 'differs'
    end as status,
    cast(compared.rejected_row_count as bigint) as rejected_row_count,
    cast(compared.rejected_amount as decimal(18, 4)) as rejected_amount,
    cast(compared.unreadable_row_count as bigint) as unreadable_row_count,
    cast(compared.unplaced_row_count as bigint) as unplaced_row_count,
    cast(compared.left_out_amount as decimal(18, 4)) as left_out_amount
from compared
cross join parameters
