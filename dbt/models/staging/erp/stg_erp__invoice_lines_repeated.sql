{{ config(
    materialized='incremental',
    incremental_strategy='replace_parts',
    unique_key='delivery_id',
    meta={'parts': 'stg_run__delivery_parts'},
) }}

{% set key = ['source.source_system', 'source.invoice_id', 'source.line_id'] %}

with source as (
    select * from {{ source('erp', 'invoice_lines') }}
),

changed as (
    {{ changed_parts(ref('stg_run__delivery_parts'), 'delivery_id') }}
),

{% if is_incremental() %}
    -- joined by the columns themselves: an engine then skips what lies outside the new keys' range
    changed_keys as (
        select distinct
            source.source_system,
            source.invoice_id,
            source.line_id
        from source
        inner join changed on source.delivery_id = changed.delivery_id
    ),

    hashed as (
        select {{ hash64(key) }} as key_hash
        from source
        inner join changed_keys
            on
                source.invoice_id = changed_keys.invoice_id
                and source.line_id = changed_keys.line_id
                and source.source_system = changed_keys.source_system
    ),
{% else %}
    hashed as (
        select {{ hash64(key) }} as key_hash
        from source
    ),
{% endif %}

repeated_keys as (
    select hashed.key_hash
    from hashed
    group by hashed.key_hash
    having count(*) > 1
),

repeated as (
    select
        source.delivery_id,
        source.line_number,
        source.source_system,
        source.invoice_id,
        source.line_id,
        cast(year(source.invoice_date) * 12 + month(source.invoice_date) as integer) as month_index
    from source
    inner join repeated_keys on {{ hash64(key) }} = repeated_keys.key_hash
    union all
    select
        changed.delivery_id,
        cast(0 as bigint) as line_number,
        cast(null as string) as source_system,
        cast(null as string) as invoice_id,
        cast(null as string) as line_id,
        cast(null as integer) as month_index
    from changed
)

select
    repeated.*,
    parts.input_fingerprint
from repeated
inner join {{ ref('stg_run__delivery_parts') }} as parts
    on repeated.delivery_id = parts.delivery_id
{% if is_incremental() %}
    left join {{ this }} as kept
        on
            repeated.delivery_id = kept.delivery_id
            and repeated.line_number = kept.line_number
            and parts.input_fingerprint = kept.input_fingerprint
    where kept.delivery_id is null
{% endif %}
