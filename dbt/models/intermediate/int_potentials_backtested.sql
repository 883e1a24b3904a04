with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

potentials as (
    select * from {{ ref('int_account_potentials') }}
),

windows as (
    select * from {{ ref('int_account_windows') }}
),

accounts as (
    select * from {{ ref('int_accounts') }}
),

-- a window back, with what an account had bought until then: nobody's later invoice decides which
-- population it is in
known_then as (
    select
        potentials.account_sk,
        potentials.as_of,
        potentials.potential,
        potentials.potential_basis,
        windows.revenue as revenue_before,
        case when windows.invoice_count > 0 then 'customers' else 'prospects' end as relationship
    from potentials
    cross join parameters
    inner join accounts on potentials.account_sk = accounts.account_sk
    inner join windows
        on
            potentials.account_sk = windows.account_sk
            and potentials.as_of_index = windows.as_of_index
    where
        potentials.as_of_index = parameters.as_of_month_index - parameters.window_months
        and not accounts.is_excluded
),

since as (
    select
        windows.account_sk,
        windows.revenue
    from windows
    inner join parameters on windows.as_of_index = parameters.as_of_month_index
)

select
    known_then.account_sk,
    known_then.as_of as potential_as_of,
    known_then.relationship,
    known_then.potential_basis,
    known_then.potential,
    known_then.revenue_before,
    since.revenue as revenue_since
from known_then
inner join since on known_then.account_sk = since.account_sk
