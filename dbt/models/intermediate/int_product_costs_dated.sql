with costs as (
    select * from {{ ref('stg_erp__product_costs') }}
),

dated as (
    select
        costs.source_system,
        costs.product_id,
        costs.valid_from,
        costs.valid_to,
        costs.unit_cost,
        costs.currency,
        lead(costs.valid_from) over (
            partition by costs.source_system, costs.product_id
            order by costs.valid_from
        ) as next_valid_from
    from costs
),

-- a cost ends on its last day or on the eve of the next one, whichever is first: one cost a day
ended as (
    select
        dated.source_system,
        dated.product_id,
        dated.unit_cost,
        dated.currency,
        dated.valid_from,
        least(
            coalesce(dated.valid_to, cast('9999-12-31' as date)),
            coalesce({{ add_days('dated.next_valid_from', -1) }}, cast('9999-12-31' as date))
        ) as valid_to
    from dated
)

select * from ended
