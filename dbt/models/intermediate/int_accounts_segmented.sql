select
    accounts.account_sk,
    accounts.industry,
    accounts.size_band
from {{ ref('int_accounts') }} as accounts
where
    accounts.industry is not null
    and accounts.size_band is not null
    and not accounts.is_excluded
