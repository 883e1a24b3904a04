{{ config(tags=['after_the_gate']) }}

select
    results.check_name,
    results.asset,
    results.severity,
    results.passed,
    results.observed,
    results.remedy
from {{ source('run', 'quality_results') }} as results
