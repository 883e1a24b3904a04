with suppressions as (
    select * from {{ ref('stg_governance__suppressions') }}
),

identifiers as (
    select * from {{ ref('stg_run__identifiers') }}
    where normalised is not null and country_code = ''
),

addressed as (
    select
        suppressions.*,
        {{ host_written('suppressions.email') }} as host_of_email,
        {{ email_normalised('suppressions.email') }} as normalised_email,
        lower(trim(suppressions.email_sha256)) as digest
    from suppressions
),

googled as (
    select
        addressed.*,
        {{ email_of_google('addressed.normalised_email') }} as google_email,
        coalesce(
            hosts.normalised, regexp_replace(addressed.normalised_email, '^[^@]*@', '')
        ) as mail_host
    from addressed
    left join identifiers as hosts
        on
            addressed.host_of_email = hosts.raw_value
            and hosts.kind = 'host'
),

formed as (
    select
        googled.source_system,
        googled.delivery_id,
        googled.line_number,
        googled.email is not null as has_email,
        googled.email_sha256 is not null as has_digest,
        googled.domain is not null as has_domain,
        {{ mailbox_of('googled.google_email', 'googled.mail_host') }} as mailbox,
        case
            when
                length(googled.digest) = 64
                and {{ replace_matches('googled.digest', '[0-9a-f]+') }} = ''
                then googled.digest
        end as email_sha256,
        hosts.normalised as host,
        domains.normalised as domain,
        googled.account_id
    from googled
    left join identifiers as hosts
        on
            googled.domain = hosts.raw_value
            and hosts.kind = 'host'
    left join identifiers as domains
        on
            googled.domain = domains.raw_value
            and domains.kind = 'domain'
)

select
    formed.source_system,
    formed.delivery_id,
    formed.line_number,
    formed.mailbox,
    formed.email_sha256,
    formed.host,
    formed.domain,
    formed.account_id,
    case
        when formed.has_email and formed.mailbox is null then 'email'
        when formed.has_digest and formed.email_sha256 is null then 'email_sha256'
        when formed.has_domain and formed.host is null then 'domain'
    end as misread
from formed
