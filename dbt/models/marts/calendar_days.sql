{{ config(materialized='view') }}

with months as (
    select * from {{ ref('int_account_months') }}
),

parameters as (
    select * from {{ ref('stg_run__parameters') }}
),

first_months as (
    select min(months.month_index) as month_index from months
),

-- the month of as_of is among them: the tiers of today stand at its first day
months_listed as (
    select
        {{ month_start('parameters.as_of_month_index - steps.n') }} as month,
        parameters.as_of
    from parameters
    cross join first_months
    inner join ({{ numbers() }}) as steps
        on steps.n <= parameters.as_of_month_index - first_months.month_index
),

days_numbered as (
    select
        months_listed.month,
        months_listed.as_of,
        {{ add_days('months_listed.month', 'steps.n') }} as calendar_date
    from months_listed
    inner join ({{ numbers() }}) as steps
        on steps.n < 31
),

final as (
    select
        days_numbered.calendar_date,
        days_numbered.month,
        cast(extract(year from days_numbered.calendar_date) as integer) as calendar_year
    from days_numbered
    where
        days_numbered.calendar_date <= days_numbered.as_of
        and extract(month from days_numbered.calendar_date)
        = extract(month from days_numbered.month)
)

select * from final
