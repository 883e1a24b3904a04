with source as (
    select * from {{ source('governance', 'tier_overrides') }}
),

versions as (
    {{ ranked_versions('source', [
        'account_id',
        'tier',
        'reason',
        'owner',
        'valid_from',
        'valid_to',
    ]) }}
),

renamed as (
    select
        source_system,
        account_id,
        tier,
        reason,
        owner,
        valid_from,
        valid_to,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
