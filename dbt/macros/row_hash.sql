{# md5 over the text of the columns, nulls told apart from empty texts. #}
{% macro row_hash(relation, columns) -%}
    md5(concat(
        {%- for column in columns %}
        coalesce('=' || {{ canonical_text(relation ~ '.' ~ column) }}, '-'), '|'{{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}

{# The columns whose change is news to whoever syncs accounts: as_of and updated_at are not. #}
{% macro account_tiers_business_columns() -%}
    {{ return([
        'account_key', 'account_name', 'relationship', 'is_active', 'is_excluded', 'excluded_reason',
        'is_placeholder', 'parent_account_key', 'ultimate_parent_account_key', 'country_code', 'industry',
        'owner_id', 'revenue', 'revenue_previous', 'gross_margin', 'gross_margin_rate', 'cost_coverage',
        'first_invoice_date', 'last_invoice_date', 'invoice_count', 'active_months', 'is_new_customer',
        'revenue_rank', 'revenue_share', 'revenue_share_before', 'revenue_cumulative_share', 'revenue_tier',
        'revenue_distance', 'gross_margin_rank', 'gross_margin_share', 'gross_margin_share_before',
        'gross_margin_cumulative_share', 'gross_margin_tier', 'gross_margin_distance', 'net_margin_rank',
        'net_margin_share', 'net_margin_share_before', 'net_margin_cumulative_share', 'net_margin_tier',
        'net_margin_distance', 'rebates', 'cost_to_serve', 'net_margin', 'group_account_count', 'group_revenue',
        'group_gross_margin', 'classified_account_key', 'has_scheme_disagreement', 'potential_peer_count',
        'cap_exceeded', 'waitlist_position', 'potential', 'potential_basis', 'potential_rank', 'potential_share', 'potential_share_before',
        'potential_cumulative_share', 'potential_tier', 'potential_distance', 'value_tier', 'raw_tier',
        'stable_tier', 'override_tier', 'final_tier', 'posture', 'tier_reason', 'previous_tier', 'move_cause',
        'inactive_since',
    ]) }}
{%- endmacro %}
