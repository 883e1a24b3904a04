with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

-- which customers the month's sums go to, so that an identity that changes touches its months alone
mapped as (
    select
        customer_months.month_index,
        {{ fingerprint([
            'customer_months.source_system', 'customer_months.customer_id', 'members.account_sk',
            'accounts.is_excluded',
        ]) }} as accounts_said
    from {{ ref('int_customer_currency_months') }} as customer_months
    inner join {{ ref('int_account_members') }} as members
        on
            customer_months.source_system = members.source_system
            and customer_months.customer_id = members.source_id
    inner join {{ ref('int_accounts') }} as accounts on members.account_sk = accounts.account_sk
    where customer_months.booking = 'booked' and members.source_entity = 'customers'
    group by customer_months.month_index
),

-- constant currency is at the last rates before as_of
rated as (
    select
        {{ fingerprint(['rates.currency', 'rates.rate_numerator', 'rates.rate_denominator']) }}
            as rates_said
    from {{ ref('int_exchange_rates_filled') }} as rates
    inner join parameters on rates.rate_for = {{ add_days('parameters.as_of', -1) }}
),

said as (
    select
        mapped.month_index,
        concat(
            cast(months.input_fingerprint as string), '|', mapped.accounts_said, '|',
            coalesce(rated.rates_said, '-')
        ) as input_said
    from mapped
    inner join {{ ref('int_invoice_months_fingerprinted') }} as months
        on mapped.month_index = months.month_index
    cross join rated
)

select
    said.month_index,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
