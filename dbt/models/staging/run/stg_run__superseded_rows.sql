with deliveries as (
    select * from {{ ref('stg_run__deliveries') }}
),

superseded as (
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'accounts'), ['account_id'], version='updated_at') }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'contacts'), ['contact_id'], version='updated_at') }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'opportunities'), [
            'opportunity_id',
        ], version='updated_at') }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'activities'), ['activity_id']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'users'), ['user_id']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('crm', 'surveys'), ['survey_id']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('erp', 'customers'), ['customer_id']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('erp', 'products'), ['product_id']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('erp', 'product_costs'), ['product_id', 'valid_from']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('erp', 'exchange_rates'), [
            'rate_date',
            'from_currency',
            'to_currency',
        ]) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('erp', 'account_costs'), [
            'customer_id',
            'cost_date',
            'cost_type',
            'amount',
            'currency',
        ]) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions('(' ~ dated_control_totals() ~ ')', ['month_index', 'currency']) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('governance', 'tier_overrides'), [
            'account_id',
            'tier',
            'reason',
            'owner',
            'valid_from',
            'valid_to',
        ]) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('governance', 'suppressions'), [
            'email',
            'email_sha256',
            'domain',
            'account_id',
            'reason',
            'since',
        ]) }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        versions.delivery_id,
        count(*) as rows_superseded
    from (
        {{ ranked_versions(source('governance', 'identity_links'), [
            'crm_account_id',
            'erp_customer_id',
        ], version='decided_on') }}
    ) as versions
    where versions.version_rank > 1
    group by versions.delivery_id
    union all
    select
        lines.delivery_id,
        count(*) as rows_superseded
    from {{ ref('stg_erp__invoice_lines_superseded') }} as lines
    group by lines.delivery_id
),

counted as (
    select
        deliveries.source_file,
        deliveries.delivery_id,
        case
            when deliveries.is_repeated or deliveries.is_replaced then deliveries.rows_loaded
            else coalesce(superseded.rows_superseded, 0)
        end as rows_superseded
    from deliveries
    left join superseded on deliveries.delivery_id = superseded.delivery_id
)

select * from counted
