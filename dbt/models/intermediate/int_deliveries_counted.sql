with deliveries as (
    select * from {{ ref('stg_run__deliveries') }}
),

superseded as (
    select * from {{ ref('stg_run__superseded_rows') }}
),

unconvertible as (
    select
        delivery_id,
        count(*) as rows_unconvertible
    from {{ ref('int_invoice_lines_unconvertible') }}
    group by delivery_id
),

staged as (
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__accounts') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__contacts') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__opportunities') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__activities') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__users') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_crm__surveys') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__customers') }}
    group by delivery_id
    union all
    select
        delivery_id,
        cast(sum(line_count) as bigint) as rows_staged
    from {{ ref('int_delivery_months_counted') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__products') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__product_costs') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__exchange_rates') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__account_costs') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_erp__control_totals') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_governance__tier_overrides') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_governance__suppressions') }}
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_staged
    from {{ ref('stg_governance__identity_links') }}
    group by delivery_id
),

counted as (
    select
        deliveries.source_file,
        deliveries.sha256,
        deliveries.source_system,
        deliveries.entity,
        deliveries.profile,
        deliveries.delivery_order,
        deliveries.is_replaced,
        deliveries.rows_read,
        case
            when deliveries.is_repeated or deliveries.is_replaced then 0
            -- of a layout that is only joined to others: no entity, hence no model of its own
            when deliveries.entity like '%.%' then deliveries.rows_loaded
            else coalesce(staged.rows_staged, 0) - coalesce(unconvertible.rows_unconvertible, 0)
        end as rows_loaded,
        superseded.rows_superseded,
        case
            when deliveries.is_repeated or deliveries.is_replaced then deliveries.rows_rejected
            else deliveries.rows_rejected + coalesce(unconvertible.rows_unconvertible, 0)
        end as rows_rejected
    from deliveries
    inner join superseded
        on
            deliveries.delivery_id = superseded.delivery_id
            and deliveries.source_file = superseded.source_file
    left join staged on deliveries.delivery_id = staged.delivery_id
    left join unconvertible on deliveries.delivery_id = unconvertible.delivery_id
)

select * from counted
