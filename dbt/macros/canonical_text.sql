{# The text of a column of account_tiers, the same on each engine. Doubles, which the engines write differently,
   are the ratios: they read as whole millionths of millionths, large ones as whole numbers. #}
{% macro canonical_text(column) -%}
    {%- set name = column.split('.')[-1] -%}
    {%- if name.endswith(('_share', '_share_before', '_rate', '_coverage', '_days', '_with_invoices', 'regularity')) -%}
        cast(cast(case
            when abs({{ column }}) < 1000000 then round({{ column }} * 1000000000000) else round({{ column }})
        end as bigint) as string)
    {%- else -%}
        cast({{ column }} as string)
    {%- endif -%}
{%- endmacro %}
