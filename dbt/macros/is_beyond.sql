{# Is the observed figure on the far side of the threshold? An unknown one is beyond none. #}
{% macro is_beyond(observed, comparison, threshold) -%}
    coalesce(case {{ comparison }}
        when 'above' then {{ observed }} > {{ threshold }}
        when 'at_most' then {{ observed }} <= {{ threshold }}
        when 'below' then {{ observed }} < {{ threshold }}
        when 'at_least' then {{ observed }} >= {{ threshold }}
    end, false)
{%- endmacro %}
