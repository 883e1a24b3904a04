{# In place of dbt-spark's, whose session method binds a missing value as the text 'None' and no quote safely. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set rows -%}
        insert into {{ this.render() }} values
        {%- for row in agate_table.rows %}
        (
            {%- for value in row -%}
                {%- set column = agate_table.column_names[loop.index0] -%}
                {%- set type = types.get(column, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set text = (value | string).replace('\\', '\\\\').replace("'", "\\'") -%}
                cast({{ 'null' if value is none else "'" ~ text ~ "'" }} as {{ type }}){{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(rows, abridge_sql_log=True) -%}
    {{ return(rows) }}
{%- endmacro %}
