{# The one place where a tier is cut: does a group of equal values belong above this cut point? Amounts are
   compared as products, so nothing is rounded: `before` is the sum of strictly larger positive values,
   `through` includes the group, `total` is the peak of the whale curve. Of accounts, which are counted, the
   cut may be a number of them: wider, where the counts are narrower. #}
{% macro is_above_cut(before, through, total, cut_millionths, crossing_account, counted=false) -%}
    {%- set cut_type = 'decimal(19, 0)' if counted else 'decimal(10, 0)' -%}
    {%- set sum_type = 'decimal(19, 0)' if counted else 'decimal(27, 4)' -%}
    {%- set line = "cast(" ~ cut_millionths ~ " as " ~ cut_type ~ ") * cast(" ~ total ~ " as " ~ sum_type ~ ")" -%}
    {%- set before_line = "cast(1000000 as " ~ cut_type ~ ") * cast(" ~ before ~ " as " ~ sum_type ~ ")" -%}
    {%- set through_line = "cast(1000000 as " ~ cut_type ~ ") * cast(" ~ through ~ " as " ~ sum_type ~ ")" -%}
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
