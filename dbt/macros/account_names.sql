{# What names an account outside its systems, as name, account_sk and name_order: the id of a member (of the CRM
   first), `system:id`, or its key. An id of Salesforce counts with its 18 characters or its 15, as its pages show it. #}
{% macro account_names(members) -%}
    {%- set order = "case source_entity when 'accounts' then 1 else 2 end" -%}
    {%- set is_of_salesforce -%}
        {{ replace_matches('source_id', '^001[0-9A-Za-z]{12}[A-Z0-5]{3}$') }} = ''
    {%- endset -%}
    {%- for id in ['source_id', 'substring(source_id, 1, 15)'] %}
    {%- for name in [id, "concat(source_system, ':', " ~ id ~ ")"] %}
    select
        {{ name }} as name,
        account_sk,
        {{ order }} as name_order
    from {{ members }}
    {% if id != 'source_id' %}where {{ is_of_salesforce }}{% endif %}
    union all
    {%- endfor %}
    {%- endfor %}
    select
        member_key as name,
        account_sk,
        3 as name_order
    from {{ members }}
{%- endmacro %}
