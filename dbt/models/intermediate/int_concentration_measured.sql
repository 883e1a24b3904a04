{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='as_of_index',
    meta={'parts': 'int_as_ofs_fingerprinted'},
) }}

-- accounts of one value may stand in any order: it changes no sum below
with positive as (
    select
        scheme_tiers.scheme,
        scheme_tiers.as_of,
        scheme_tiers.as_of_index,
        cast(scheme_tiers.value as decimal(18, 4)) as value,
        row_number() over (
            partition by scheme_tiers.scheme, scheme_tiers.as_of
            order by scheme_tiers.value desc
        ) as value_rank,
        sum(scheme_tiers.value) over (
            partition by scheme_tiers.scheme, scheme_tiers.as_of
            order by scheme_tiers.value desc
            rows between unbounded preceding and current row
        ) as through
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    where
        scheme_tiers.value > 0
        and {{ in_changed_as_ofs('scheme_tiers.as_of_index', ref('int_as_ofs_fingerprinted')) }}
),

counted as (
    select
        scheme_tiers.scheme,
        scheme_tiers.as_of,
        count(*) as account_count,
        count(case when scheme_tiers.value > 0 then 1 end) as active_count,
        sum(case when scheme_tiers.value > 0 then scheme_tiers.value end) as total
    from {{ ref('int_account_scheme_tiers') }} as scheme_tiers
    where {{ in_changed_as_ofs('scheme_tiers.as_of_index', ref('int_as_ofs_fingerprinted')) }}
    group by scheme_tiers.scheme, scheme_tiers.as_of
),

measured as (
    select
        positive.scheme,
        positive.as_of,
        positive.as_of_index,
        counted.account_count,
        counted.active_count,
        counted.total,
        sum(
            cast(counted.active_count + 1 - 2 * positive.value_rank as decimal(18, 0))
            * cast(positive.value as decimal(19, 4))
        ) as gini_sum,
        sum(cast(positive.value as decimal(19, 4)) * cast(positive.value as decimal(19, 4)))
            as square_sum,
        {% for denominator, name in [
            ('counted.active_count', 'active'),
            ('counted.account_count', 'all'),
        ] %}
            {% for percent in [1, 5, 10, 20] %}
                sum(case
                    when 100 * (positive.value_rank - 1) < {{ percent }} * {{ denominator }}
                        then positive.value
                end) as top_{{ percent }}_{{ name }},
            {% endfor %}
        {% endfor %}
        count(case when 100 * (positive.through - positive.value) < 80 * counted.total then 1 end)
            as accounts_making_80
    from positive
    inner join counted on positive.scheme = counted.scheme and positive.as_of = counted.as_of
    group by
        positive.scheme,
        positive.as_of,
        positive.as_of_index,
        counted.account_count,
        counted.active_count,
        counted.total
)

select
    measured.*,
    as_ofs.input_fingerprint
from measured
inner join {{ ref('int_as_ofs_fingerprinted') }} as as_ofs on measured.as_of = as_ofs.as_of
