{# The one place where a tier is cut: does a group of equal values belong above this cut point? Amounts are
   compared as products, so nothing is rounded: `before` is the sum of strictly larger positive values,
   `through` includes the group, `total` is the peak of the whale curve. #}
{% macro is_above_cut(before, through, total, cut_millionths, crossing_account) -%}
    {%- set line = "cast(" ~ cut_millionths ~ " as decimal(10, 0)) * cast(" ~ total ~ " as decimal(27, 4))" -%}
    {%- set before_line = "cast(1000000 as decimal(10, 0)) * cast(" ~ before ~ " as decimal(27, 4))" -%}
    {%- set through_line = "cast(1000000 as decimal(10, 0)) * cast(" ~ through ~ " as decimal(27, 4))" -%}
    case {{ crossing_account }}
        when 'include' then {{ before_line }} < {{ line }}
        when 'exclude' then {{ through_line }} <= {{ line }}
        else
            {{ through_line }} <= {{ line }}
            or (
                {{ before_line }} < {{ line }}
                and {{ through_line }} - {{ line }} <= {{ line }} - {{ before_line }}
            )
    end
{%- endmacro %}
