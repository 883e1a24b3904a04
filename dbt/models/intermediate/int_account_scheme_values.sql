{{ config(materialized='view') }}

with windows as (
    select * from {{ ref('int_account_windows') }}
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
            criterion = 'gross_margin'
            and exists (
                select 1 from windows
                where windows.costed_line_count > 0
            )
        )
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

measured as (
    select
        windows.account_sk,
        windows.as_of,
        windows.as_of_index,
        schemes.scheme,
        schemes.is_primary,
        'all' as population,
        not accounts.is_excluded as is_ranked,
        windows.line_count,
        case schemes.criterion
            when 'revenue' then windows.revenue
            else windows.gross_margin
        end as measure,
        schemes.criterion = 'gross_margin'
        and (
            windows.costed_line_count = 0
            or windows.costed_turnover
            < parameters.min_cost_coverage * cast(windows.turnover as decimal(38, 4))
        ) as is_unreliable
    from windows
    inner join accounts on windows.account_sk = accounts.account_sk
    cross join schemes
    cross join parameters
),

valued as (
    select
        measured.account_sk,
        measured.as_of,
        measured.as_of_index,
        measured.scheme,
        measured.is_primary,
        measured.population,
        measured.is_ranked,
        case
            when measured.line_count > 0 and not measured.is_unreliable then measured.measure
        end as value,
        case
            when measured.line_count = 0 then 'no_sales'
            when measured.is_unreliable then 'margin_unreliable'
        end as value_reason
    from measured
)

select * from valued
