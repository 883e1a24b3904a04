with parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

months as (
    select * from {{ ref('int_invoice_months_fingerprinted') }}
),

-- no row where no product has a family: then there is no month, and no line is read
families as (
    select
        {{ fingerprint([
            'products.source_system', 'products.product_id', 'products.product_family',
        ]) }} as families_said
    from {{ ref('stg_erp__products') }} as products
    where products.product_family is not null
    having count(*) > 0
),

-- whitespace looks at one window: months that leave it go, those that as_of brings in are new
said as (
    select
        months.month_index,
        concat(cast(months.input_fingerprint as string), '|', families.families_said) as input_said
    from months
    inner join parameters
        on
            months.month_index < parameters.as_of_month_index
            and months.month_index >= parameters.as_of_month_index - parameters.window_months
    cross join families
)

select
    said.month_index,
    {{ surrogate_key('said.input_said') }} as input_fingerprint
from said
