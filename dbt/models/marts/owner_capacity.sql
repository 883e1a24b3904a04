with portfolios as (
    select * from {{ ref('int_owner_portfolios') }}
),

owners as (
    select * from {{ ref('int_owners') }}
),

-- accounts without an owner are a row of their own
every_owner as (
    select
        owners.owner_key,
        owners.owner_system,
        owners.owner_id,
        owners.is_known,
        owners.is_active,
        owners.available_hours,
        owners.logged_hours
    from owners
    union all
    select
        portfolios.owner_key,
        cast(null as string) as owner_system,
        cast(null as string) as owner_id,
        false as is_known,
        cast(null as boolean) as is_active,
        cast(null as decimal(18, 4)) as available_hours,
        cast(null as decimal(18, 4)) as logged_hours
    from portfolios
    where portfolios.owner_key = 'unowned'
),

loaded as (
    select
        every_owner.*,
        parameters.as_of,
        portfolios.accounts_by_tier,
        {% for column in [
            'account_count', 'best_tier_account_count', 'lowest_tier_account_count',
            'under_served_count', 'over_served_count', 'overdue_count',
        ] %}
            coalesce(portfolios.{{ column }}, 0) as {{ column }},
        {% endfor %}
        {% for column in ['needed_hours', 'best_tier_needed_hours'] %}
            cast(coalesce(portfolios.{{ column }}, 0) as decimal(18, 4)) as {{ column }},
        {% endfor %}
        portfolios.account_hours,
        portfolios.reallocatable_hours
    from every_owner
    cross join {{ ref('stg_run__parameters') }} as parameters
    left join portfolios on every_owner.owner_key = portfolios.owner_key
)

select
    loaded.owner_key,
    loaded.owner_system,
    loaded.owner_id,
    loaded.as_of,
    loaded.is_known,
    loaded.is_active,
    loaded.account_count,
    loaded.best_tier_account_count,
    loaded.lowest_tier_account_count,
    loaded.accounts_by_tier,
    loaded.needed_hours,
    loaded.best_tier_needed_hours,
    loaded.available_hours,
    cast(loaded.available_hours - loaded.needed_hours as decimal(18, 4)) as spare_hours,
    {{ ratio('loaded.needed_hours', 'loaded.available_hours') }} as utilisation_ratio,
    loaded.needed_hours > loaded.available_hours as is_overloaded,
    loaded.account_hours,
    loaded.logged_hours,
    {{ ratio('loaded.logged_hours', 'loaded.available_hours') }} as logged_ratio,
    loaded.reallocatable_hours,
    loaded.under_served_count,
    loaded.over_served_count,
    loaded.overdue_count
from loaded
