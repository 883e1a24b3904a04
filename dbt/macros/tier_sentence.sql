{# One sentence on why an account has its final tier, from columns of account_tiers' `described` CTE. #}
{% macro tier_sentence() -%}
    case
        when described.is_excluded
            then concat('Not ranked: ', described.excluded_reason, '; its value stays in the totals.')
        when described.override_tier is not null
            then concat(
                'Set to ', described.override_tier, ' by ', described.override_owner, ' until ',
                cast(described.override_valid_to as string), ': ', described.override_reason,
                ' (computed: ', described.stable_tier, ').'
            )
        when
            described.stable_tier <> described.raw_tier
            and described.patience_months > described.demotion_patience_months
            then concat(
                'Held at ', described.stable_tier, ': this month alone would give ', described.raw_tier,
                '; a new customer keeps its best tier since its first invoice (',
                cast(described.first_invoice_date as string), ').'
            )
        when described.stable_tier <> described.raw_tier
            then concat(
                'Held at ', described.stable_tier, ': this month alone would give ', described.raw_tier,
                '; a demotion needs ', cast(described.patience_months as string), ' months in a row.'
            )
        when described.raw_tier <> described.value_tier
            then concat(
                described.final_tier, ': ', described.value_tier, ' by ',
                replace(described.primary_scheme, '_', ' '),
                case when described.is_of_group then ' of its group' else '' end,
                case
                    when described.value_tier_reason = 'share'
                        then concat(
                            ' (', cast(cast(described.value as decimal(18, 2)) as string), ' ',
                            described.reporting_currency, ')'
                        )
                    when described.value_tier_reason = 'no_sales' then ' (no invoice in the window)'
                    else ''
                end,
                case
                    when described.potential_tier is null then '; the decision table makes it '
                    -- the amount beside it is the account's own
                    when described.is_of_group
                        then concat(
                            ', ', described.potential_tier,
                            ' by potential of its group; the decision table makes it '
                        )
                    else concat(
                        ', ', described.potential_tier, ' by potential (',
                        cast(cast(described.potential as decimal(18, 2)) as string), ' ',
                        described.reporting_currency, ' a year, ',
                        case described.potential_basis
                            when 'declared' then 'declared in the CRM'
                            when 'pipeline' then 'with its open opportunities'
                            else 'as its peers buy'
                        end,
                        '); the decision table makes it '
                    )
                end,
                described.raw_tier, '.'
            )
        when described.value_tier_reason = 'share'
            then concat(
                described.final_tier, ': ', replace(described.primary_scheme, '_', ' '),
                case when described.is_of_group then ' of its group ' else ' ' end,
                cast(cast(described.value as decimal(18, 2)) as string), ' ', described.reporting_currency,
                ', rank ', cast(described.value_rank as string), '; the accounts before it hold ',
                cast(cast(100 * described.share_before as decimal(9, 2)) as string), '% of the total.'
            )
        when described.value_tier_reason = 'margin_unreliable'
            then concat(described.final_tier, ': too little of its cost is known to rank it on margin.')
        when described.value_tier_reason = 'no_sales'
            then concat(described.final_tier, ': no invoice in the window.')
        else concat(
            described.final_tier, ': its ',
            case when described.is_of_group then 'group''s ' else '' end, replace(described.primary_scheme, '_', ' '),
            ' of the window is not positive (',
            cast(cast(described.value as decimal(18, 2)) as string), ' ', described.reporting_currency, ').'
        )
    end
{%- endmacro %}
