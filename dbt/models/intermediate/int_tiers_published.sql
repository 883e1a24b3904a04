{% set said = [
    'final_tier', 'value', 'value_tier', 'potential_tier', 'stable_tier', 'override_tier', 'posture',
    'members_hash', 'rules_hash',
] %}

with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

live as (
    select * from {{ ref('stg_run__live_published_tiers') }}
),

matrix as (
    select
        {{ dbt.listagg(
            "concat(matrix.value_tier, ':', matrix.potential_tier, ':', matrix.final_tier)",
            "'|'",
            "order by matrix.value_tier, matrix.potential_tier"
        ) }} as matrix_said
    from {{ ref('tier_matrix') }} as matrix
),

members as (
    select
        members.account_sk,
        {{ dbt.listagg('members.member_key', "'|'", 'order by members.member_key') }}
            as members_said
    from {{ ref('int_account_members') }} as members
    group by members.account_sk
),

-- the month of this run, and that of the last publication as it looks today
as_ofs as (
    select parameters.as_of from parameters
    union
    select max(live_tiers.as_of) as as_of
    from {{ ref('stg_run__live_account_tiers') }} as live_tiers
),

-- after all that was published, although the first time is as_of, which may lie ahead of the clock
moments as (
    select
        case
            when not parameters.has_live_release then cast(parameters.as_of as timestamp)
            when last_time.published_at >= parameters.run_at
                then {{ dbt.dateadd('second', 1, 'last_time.published_at') }}
            else parameters.run_at
        end as published_at
    from parameters
    cross join (
        select max(live.published_at) as published_at
        from live
    ) as last_time
),

computed as (
    select
        tiers.account_key,
        tiers.as_of,
        moments.published_at,
        tiers.final_tier,
        cast(tiers.value as decimal(18, 4)) as value,
        tiers.value_tier,
        tiers.potential_tier,
        tiers.stable_tier,
        tiers.override_tier,
        tiers.posture,
        md5(members.members_said) as members_hash,
        md5(concat(parameters.rules_hash, '|', matrix.matrix_said)) as rules_hash
    from {{ ref('int_account_final_tiers') }} as tiers
    cross join parameters
    cross join matrix
    cross join moments
    inner join as_ofs on tiers.as_of = as_ofs.as_of
    inner join members on tiers.account_sk = members.account_sk
),

last_said as (
    select ranked.*
    from (
        select
            live.*,
            row_number() over (
                partition by live.account_key, live.as_of
                order by live.published_at desc
            ) as recency
        from live
    ) as ranked
    where ranked.recency = 1
),

-- a month that was not published before is published for the first time by its own run only
news as (
    select computed.*
    from computed
    cross join parameters
    left join last_said
        on computed.account_key = last_said.account_key and computed.as_of = last_said.as_of
    where
        (last_said.account_key is null and computed.as_of = parameters.as_of)
        or (
            last_said.account_key is not null
            and (
                {% for column in said %}
                    {{ differs('computed.' ~ column, 'last_said.' ~ column) }}
                    {{ 'or' if not loop.last }}
                {% endfor %}
            )
        )
)

select
    live.account_key,
    live.as_of,
    live.published_at,
{% for column in said %}
    live.{{ column }}{{ ',' if not loop.last }}
{% endfor %}
from live
union all
select
    news.account_key,
    news.as_of,
    news.published_at,
{% for column in said %}
    news.{{ column }}{{ ',' if not loop.last }}
{% endfor %}
from news
