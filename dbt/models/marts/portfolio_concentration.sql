{% set total_squared = 'cast(measured.total as double) * cast(measured.total as double)' %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

measured as (
    select concentration.*
    from {{ ref('int_concentration_measured') }} as concentration
    inner join parameters
        on concentration.as_of_index > parameters.as_of_month_index - parameters.history_months
),

-- a customer's weight in the portfolio is that of its whole group; most accounts are alone in
-- theirs and need no sum
grouped as (
    select
        hierarchies.account_sk,
        hierarchies.ultimate_parent_account_sk,
        count(*) over (partition by hierarchies.ultimate_parent_account_sk) as group_size
    from {{ ref('int_account_hierarchies') }} as hierarchies
),

group_values as (
    select
        scheme_tiers.scheme,
        scheme_tiers.as_of,
        scheme_tiers.value
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    inner join grouped on scheme_tiers.account_sk = grouped.account_sk
    where scheme_tiers.value > 0 and grouped.group_size = 1
    union all
    select
        scheme_tiers.scheme,
        scheme_tiers.as_of,
        sum(scheme_tiers.value) as value
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    inner join grouped on scheme_tiers.account_sk = grouped.account_sk
    where scheme_tiers.value is not null and grouped.group_size > 1
    group by scheme_tiers.scheme, scheme_tiers.as_of, grouped.ultimate_parent_account_sk
    having sum(scheme_tiers.value) > 0
),

major as (
    select
        group_values.scheme,
        group_values.as_of,
        count(*) as major_customer_count
    from group_values
    cross join parameters
    inner join measured
        on group_values.scheme = measured.scheme and group_values.as_of = measured.as_of
    where
        group_values.value
        >= cast(parameters.major_customer_share as decimal(7, 6))
        * cast(measured.total as decimal(27, 4))
    group by group_values.scheme, group_values.as_of
)

select
    measured.scheme,
    measured.as_of,
    {{ month_start('measured.as_of_index - 1') }} as month,
    measured.account_count,
    measured.active_count,
    cast(measured.total as decimal(38, 4)) as total,
    {{ ratio('measured.gini_sum', 'measured.active_count * cast(measured.total as double)') }}
        as gini,
    {{ ratio('measured.square_sum', total_squared) }} as hhi,
    {{ ratio(total_squared, 'measured.square_sum') }} as effective_count,
    {% for name in ['active', 'all'] %}
        {% for percent in [1, 5, 10, 20] %}
            {{ ratio('measured.top_' ~ percent ~ '_' ~ name, 'measured.total') }}
                as top_{{ percent }}_percent_of_{{ name }}_share,
        {% endfor %}
    {% endfor %}
    cast(measured.accounts_making_80 as bigint) as accounts_making_80_count,
    {{ ratio('measured.accounts_making_80', 'measured.active_count') }}
        as accounts_making_80_of_active_share,
    {{ ratio('measured.accounts_making_80', 'measured.account_count') }}
        as accounts_making_80_of_all_share,
    coalesce(major.major_customer_count, 0) as major_customer_count,
    abc_curves.first_account_count as abc_curve_first_count,
    abc_curves.first_share as abc_curve_first_share,
    abc_curves.second_account_count as abc_curve_second_count,
    abc_curves.second_share as abc_curve_second_share
from measured
left join {{ ref('int_abc_curves_measured') }} as abc_curves
    on
        measured.scheme = abc_curves.scheme
        and measured.as_of_index = abc_curves.as_of_index
        and abc_curves.population = 'all'
left join major on measured.scheme = major.scheme and measured.as_of = major.as_of
