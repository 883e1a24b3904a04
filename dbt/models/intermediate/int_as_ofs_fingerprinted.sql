with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

schemes as (
    select
        {{ fingerprint([
            'schemes.scheme', 'schemes.criterion', 'schemes.population', 'schemes.is_primary',
            'schemes.lowest_tier',
        ]) }} as schemes_said
    from {{ ref('stg_run__schemes') }} as schemes
),

cut_points as (
    select
        {{ fingerprint([
            'cut_points.scheme', 'cut_points.tier', 'cut_points.tier_rank',
            'cut_points.rule', 'cut_points.cut_millionths', 'cut_points.cut_value',
            'cut_points.crossing_account',
        ]) }} as cut_points_said
    from {{ ref('stg_run__cut_points') }} as cut_points
),

counted as (
    select
        windows.as_of_index,
        count(*) as part_rows,
        max(case when windows.costed_line_count > 0 then 1 else 0 end) as has_cost
    from {{ ref('int_account_windows') }} as windows
    group by windows.as_of_index
),

-- a scheme is ranked in all months or in none: see int_account_scheme_values
costs as (
    select max(counted.has_cost) as has_cost
    from counted
),

said as (
    select
        windows.as_of,
        windows.as_of_index,
        coalesce(counted.part_rows, 0) as part_rows,
        concat(
            cast(windows.input_fingerprint as string), '|',
            schemes.schemes_said, '|', cut_points.cut_points_said, '|',
            facts.facts_said, '|',
            cast(costs.has_cost as string), '|', cast(parameters.min_cost_coverage as string), '|',
            cast(parameters.new_customer_months as string), '|',
            cast(parameters.demotion_patience_months as string)
        ) as input_said
    from {{ ref('int_account_windows_fingerprinted') }} as windows
    inner join {{ ref('int_as_of_facts_fingerprinted') }} as facts
        on windows.as_of_index = facts.as_of_index
    left join counted on windows.as_of_index = counted.as_of_index
    cross join schemes
    cross join cut_points
    cross join costs
    cross join parameters
)

select
    said.as_of,
    said.as_of_index,
    said.part_rows,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
