with answers as (
    select
        members.account_sk,
        surveys.survey_date,
        surveys.score,
        surveys.scale,
        row_number() over (
            partition by members.account_sk, surveys.scale
            order by
                surveys.survey_date desc, surveys.score, surveys.source_system, surveys.survey_id
        ) as answer_order
    from {{ ref('stg_crm__surveys') }} as surveys
    cross join {{ ref('stg_run__parameters') }} as parameters
    inner join {{ ref('int_account_members') }} as members
        on
            surveys.source_system = members.source_system
            and surveys.account_id = members.source_id
    where
        members.source_entity = 'accounts'
        and surveys.scale is not null
        and surveys.survey_date < {{ month_start('parameters.as_of_month_index') }}
        and surveys.survey_date
        >= {{ month_start('parameters.as_of_month_index - parameters.window_months') }}
)

select
    answers.account_sk,
    answers.scale,
    answers.survey_date,
    answers.score
from answers
where answers.answer_order = 1
