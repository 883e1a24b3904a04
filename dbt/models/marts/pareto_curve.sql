select
    ranks.scheme,
    ranks.population,
    row_number() over (
        partition by ranks.scheme, ranks.population
        order by ranks.value desc, ranks.account_key
    ) as curve_rank,
    ranks.account_key,
    ranks.as_of,
    cast(ranks.value as decimal(18, 4)) as value,
    ranks.share,
    ranks.share_before,
    ranks.cumulative_share,
    ranks.cumulative_share_net,
    ranks.tier
from {{ ref('int_account_scheme_ranks') }} as ranks
where ranks.value is not null
