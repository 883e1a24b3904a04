{# In place of dbt-spark's, which takes a table without `file_format` for one of Delta. Contracts name types, no constraints. #}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
