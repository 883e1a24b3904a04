{# Whether a value reaches a tier of its scheme, by the scheme's rule. `cut_points` is a row of the scheme's cut points with
   its `lowest_tier`, `abc_curves` the row of int_abc_curves_measured where the rule is abc_curve. `before` and `through`
   are sums of values, `before_count` and `through_count` numbers of accounts: of those strictly above, and with equal
   ones. #}
{% macro reaches_tier(value, before, through, total, before_count, through_count, total_count) -%}
    cut_points.tier = cut_points.lowest_tier
    or case cut_points.rule
        when 'absolute_value' then {{ value }} >= cut_points.cut_value
        when 'abc_curve'
            then {{ value }} >= case cut_points.tier_rank
                when 1 then abc_curves.first_entry_value
                else abc_curves.second_entry_value
            end
        when 'cumulative_share'
            then {{ is_above_cut(
                before, through, total, 'cut_points.cut_millionths', 'cut_points.crossing_account'
            ) }}
        else {{ is_above_cut(
            before_count,
            through_count,
            "case cut_points.rule when 'quantile' then " ~ total_count ~ " else 1 end",
            'cut_points.cut_millionths',
            'cut_points.crossing_account',
            counted=true
        ) }}
    end
{%- endmacro %}
