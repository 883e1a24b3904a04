{# The ERP's own totals with the month that they are of: 1 May and 31 May are one key. #}
{% macro dated_control_totals() -%}
    select
        totals.*,
        cast(year(totals.month) * 12 + month(totals.month) as integer) as month_index
    from {{ source('erp', 'control_totals') }} as totals
{%- endmacro %}
