{{ config(materialized='view') }}

with classified as (
    select * from {{ ref('int_classified_windows') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

-- a scheme whose data is not there is skipped: without a single cost there is no margin to rank
schemes as (
    select * from {{ ref('stg_run__schemes') }}
    where
        criterion = 'revenue'
        or (
            criterion in ('gross_margin', 'net_margin')
            and exists (
                select 1 from {{ ref('int_account_windows') }} as windows
                where windows.costed_line_count > 0
            )
            and (
                criterion = 'gross_margin'
                or exists (select 1 from {{ ref('int_account_cost_windows') }})
            )
        )
        or criterion = 'potential'
),

-- potential is skipped for each as_of at which nobody had one
with_potential as (
    select distinct potentials.as_of_index
    from {{ ref('int_account_potentials') }} as potentials
    where potentials.potential > 0
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

measured as (
    select
        classified.account_sk,
        classified.as_of,
        classified.as_of_index,
        schemes.scheme,
        schemes.criterion,
        schemes.is_primary,
        case schemes.population
            when 'country' then coalesce(accounts.country_code, 'unknown')
            when 'industry' then coalesce(accounts.industry, 'unknown')
            when 'business_unit' then coalesce(accounts.business_unit, 'unknown')
            else 'all'
        end as population,
        classified.line_count,
        case schemes.criterion
            when 'revenue' then classified.revenue
            when 'gross_margin' then classified.gross_margin
            when 'net_margin' then classified.net_margin
            else classified.potential
        end as measure,
        schemes.criterion in ('gross_margin', 'net_margin')
        and (
            classified.costed_line_count = 0
            or classified.costed_turnover
            < parameters.min_cost_coverage * cast(classified.turnover as decimal(38, 4))
        ) as is_unreliable
    from classified
    inner join accounts on classified.account_sk = accounts.account_sk
    cross join schemes
    cross join parameters
    left join with_potential on classified.as_of_index = with_potential.as_of_index
    where schemes.criterion <> 'potential' or with_potential.as_of_index is not null
),

valued as (
    select
        measured.account_sk,
        measured.as_of,
        measured.as_of_index,
        measured.scheme,
        measured.is_primary,
        measured.population,
        case
            when measured.criterion = 'potential' then measured.measure
            when measured.line_count > 0 and not measured.is_unreliable then measured.measure
        end as value,
        case
            when measured.criterion = 'potential' and measured.measure is null then 'no_potential'
            when measured.criterion = 'potential' then null
            when measured.line_count = 0 then 'no_sales'
            when measured.is_unreliable then 'margin_unreliable'
        end as value_reason
    from measured
)

select * from valued
