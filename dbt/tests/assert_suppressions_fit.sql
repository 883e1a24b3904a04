{{ config(
    severity='warn',
    meta={
        'remedy':
            'Correct the line in governance/suppressions: one e-mail address, a SHA-256 of 64 hex '
            ~ 'digits, a domain, the id of an account. Until then that value silences nobody.',
        'dagster': {'ref': {'name': 'abm_accounts'}},
    },
) }}

with suppressions as (
    select * from {{ ref('int_suppressions_normalised') }}
),

members as (
    select * from {{ ref('int_account_members') }}
),

named as (
    {{ account_names('members') }}
),

names as (
    select distinct name from named
),

deliveries as (
    select * from {{ ref('stg_run__deliveries') }}
    where not is_repeated and not is_replaced
),

judged as (
    select
        suppressions.delivery_id,
        suppressions.line_number,
        case
            when suppressions.misread is not null
                then concat('its ', suppressions.misread, ' is none')
            when suppressions.account_id is not null and names.name is null
                then concat('no account is called ', suppressions.account_id)
        end as problem
    from suppressions
    left join names on suppressions.account_id = names.name
)

-- what is no address may still be about a person, so it is not repeated
select
    deliveries.source_file,
    judged.line_number,
    concat(
        deliveries.source_file, ' line ', cast(judged.line_number as string), ': ', judged.problem
    ) as observed
from judged
inner join deliveries on judged.delivery_id = deliveries.delivery_id
where judged.problem is not null
