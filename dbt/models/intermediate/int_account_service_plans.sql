with described as (
    select * from {{ ref('int_account_tiers_described') }}
    where is_active and not is_excluded
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

service_model as (
    select * from {{ ref('service_model') }}
),

named as (
    select
        service_model.tier,
        min(service_model.tier_place) as tier_place
    from service_model
    group by service_model.tier
),

-- a tier of another name has the plan of its place among the tiers
planned_tiers as (
    select
        cut_points.tier,
        cut_points.tier_rank,
        coalesce(by_name.tier, min(by_place.tier)) as plan_tier
    from {{ ref('stg_run__cut_points') }} as cut_points
    inner join parameters on cut_points.scheme = parameters.primary_scheme
    left join named as by_name on cut_points.tier = by_name.tier
    left join named as by_place on cut_points.tier_rank = by_place.tier_place
    group by cut_points.tier, cut_points.tier_rank, by_name.tier
),

-- the row of the relationship speaks before the row for any
candidates as (
    select
        described.account_sk,
        planned_tiers.tier_rank,
        planned_tiers.plan_tier,
        service_model.hours_per_year,
        service_model.touches_per_year,
        service_model.cadence_days,
        service_model.tolerance_percent,
        service_model.channels,
        row_number() over (
            partition by described.account_sk
            order by case when service_model.relationship = 'any' then 2 else 1 end
        ) as candidate_order
    from described
    left join planned_tiers on described.final_tier = planned_tiers.tier
    left join service_model
        on
            planned_tiers.plan_tier = service_model.tier
            and (
                service_model.relationship = 'any'
                or described.relationship = service_model.relationship
            )
)

select
    candidates.account_sk,
    candidates.tier_rank,
    case when candidates.hours_per_year is not null then candidates.plan_tier end as plan_tier,
    -- hundredths of a minute over the window: whole numbers, so that nothing is rounded before it
    -- is compared
    cast(candidates.hours_per_year * 100 as bigint) * 5 * parameters.window_months
        as planned_minute_hundredths,
    {{ decimal_quotient(
        'cast(candidates.hours_per_year * 100 as bigint) * parameters.window_months', '1200'
    ) }} as planned_hours,
    {{ decimal_quotient('candidates.touches_per_year * parameters.window_months', '12') }}
        as planned_touches,
    cast(candidates.cadence_days as bigint) as cadence_days,
    candidates.tolerance_percent,
    candidates.channels
from candidates
cross join parameters
where candidates.candidate_order = 1
