{# In place of dbt-spark's: the format of all tables is a setting of the run (`spark.file_format`). #}
{% macro spark__file_format_clause() -%}
    using {{ env_var('KAM_SPARK_FILE_FORMAT', 'parquet') }}
{%- endmacro %}
