with source as (
    select * from {{ source('governance', 'suppressions') }}
),

versions as (
    {{ ranked_versions('source', [
        'email',
        'email_sha256',
        'domain',
        'account_id',
        'reason',
        'since',
    ]) }}
),

renamed as (
    select
        source_system,
        email,
        email_sha256,
        domain,
        account_id,
        reason,
        since,
        delivery_id,
        line_number
    from versions
    where version_rank = 1
)

select * from renamed
