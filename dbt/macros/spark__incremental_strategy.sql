{# In place of dbt-spark's, which knows its own strategies alone. On Spark every run builds anew, so that no strategy
   is ever used: whoever runs without --full-refresh is told so here. #}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) -%}
    {%- if not should_full_refresh() -%}
        {{ exceptions.raise_compiler_error("on Spark this project is built anew by each run: give --full-refresh") }}
    {%- endif -%}
    {{ return(raw_strategy) }}
{%- endmacro %}
