with as_ofs as (
    select * from {{ ref('int_as_ofs_fingerprinted') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

-- as far as the patience of an old customer, or of a new one, looks back
looked_back as (
    select
        as_ofs.as_of,
        as_ofs.as_of_index,
        max(as_ofs.part_rows) as part_rows,
        {{ fingerprint(['earlier.as_of_index', 'earlier.input_fingerprint']) }} as tiers_said
    from as_ofs
    cross join parameters
    inner join as_ofs as earlier
        on
            as_ofs.as_of_index >= earlier.as_of_index
            and as_ofs.as_of_index
            - greatest(parameters.demotion_patience_months, parameters.new_customer_months)
            < earlier.as_of_index
    group by as_ofs.as_of, as_ofs.as_of_index
),

overridden as (
    select
        as_ofs.as_of_index,
        {{ fingerprint([
            'overrides.account_sk', 'overrides.override_tier', 'overrides.override_tier_rank',
            'overrides.reason', 'overrides.owner', 'overrides.valid_from', 'overrides.valid_to',
        ]) }} as overrides_said
    from as_ofs
    inner join {{ ref('int_overrides_dated') }} as overrides
        on as_ofs.as_of between overrides.valid_from and overrides.valid_to
    where overrides.problem is null
    group by as_ofs.as_of_index
),

said as (
    select
        looked_back.as_of,
        looked_back.as_of_index,
        looked_back.part_rows,
        concat(looked_back.tiers_said, '|', coalesce(overridden.overrides_said, '-')) as input_said
    from looked_back
    left join overridden on looked_back.as_of_index = overridden.as_of_index
)

select
    said.as_of,
    said.as_of_index,
    said.part_rows,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
