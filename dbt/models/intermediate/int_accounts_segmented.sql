with accounts as (
    select * from {{ ref('int_accounts') }}
),

bands as (
    select * from {{ ref('size_bands') }}
)

select
    accounts.account_sk,
    accounts.industry,
    bands.size_band
from accounts
inner join bands
    on
        accounts.employee_count >= bands.min_employees
        and (bands.max_employees is null or accounts.employee_count <= bands.max_employees)
where accounts.industry is not null and not accounts.is_excluded
