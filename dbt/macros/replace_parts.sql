{# How an incremental model takes in what changed_parts gave: out with every part that is not among the current
   ones with its fingerprint, in with the new rows, in one transaction. `unique_key` is the part; the relation with
   the current parts is `meta.parts`. Spark builds anew at each run and never comes here. #}
{% macro get_incremental_replace_parts_sql(arg_dict) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set part = arg_dict['unique_key'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ target }} as kept
    where not exists (
        select 1
        from {{ ref(config.require('meta')['parts']) }} as current_parts
        where
            current_parts.{{ part }} = kept.{{ part }}
            and current_parts.input_fingerprint = kept.input_fingerprint
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }};
{%- endmacro %}
