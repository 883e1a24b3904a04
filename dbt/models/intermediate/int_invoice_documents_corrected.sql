with corrective_lines as (
    select corrective.*
    from {{ ref('stg_erp__invoice_lines_corrective') }} as corrective
    left join {{ ref('stg_erp__invoice_lines_superseded') }} as superseded
        on
            corrective.delivery_id = superseded.delivery_id
            and corrective.line_number = superseded.line_number
    where superseded.delivery_id is null
),

reversals as (
    select distinct
        source_system,
        reverses_invoice_id as invoice_id
    from corrective_lines
    where reverses_invoice_id is not null
),

credit_notes as (
    select
        source_system,
        invoice_id
    from corrective_lines
    where document_type = 'credit_note'
    group by source_system, invoice_id
    having sum(net_amount) > 0
),

reversed_totals as (
    select
        lines.source_system,
        lines.invoice_id,
        sum(
            lines.net_amount
            * case
                when lines.document_type = 'credit_note' and credit_notes.invoice_id is not null
                    then -1
                else 1
            end
        ) as booked_total
    from {{ ref('stg_erp__invoice_lines') }} as lines
    inner join reversals
        on lines.source_system = reversals.source_system and lines.invoice_id = reversals.invoice_id
    left join credit_notes
        on
            lines.source_system = credit_notes.source_system
            and lines.invoice_id = credit_notes.invoice_id
    group by lines.source_system, lines.invoice_id
),

cancellation_totals as (
    select
        source_system,
        invoice_id,
        min(reverses_invoice_id) as reverses_invoice_id,
        sum(net_amount) as total
    from corrective_lines
    where document_type = 'cancellation'
    group by source_system, invoice_id
),

-- written with the sign of what they reverse, or upwards where it is not known what they reverse
unsigned_cancellations as (
    select
        cancellation_totals.source_system,
        cancellation_totals.invoice_id
    from cancellation_totals
    left join reversed_totals
        on
            cancellation_totals.source_system = reversed_totals.source_system
            and cancellation_totals.reverses_invoice_id = reversed_totals.invoice_id
    where sign(cancellation_totals.total) = sign(coalesce(reversed_totals.booked_total, 1))
),

-- marked cancelled, yet no document reverses it, and it reverses none itself: it would stay in
-- revenue
unreversed as (
    select distinct
        lines.source_system,
        lines.invoice_id,
        lines.document_type
    from corrective_lines as lines
    left join reversals
        on lines.source_system = reversals.source_system and lines.invoice_id = reversals.invoice_id
    left join reversed_totals
        on
            lines.source_system = reversed_totals.source_system
            and lines.reverses_invoice_id = reversed_totals.invoice_id
    where lines.is_cancelled and reversals.invoice_id is null and reversed_totals.invoice_id is null
),

corrections as (
    select
        source_system,
        invoice_id,
        'credit_note' as document_type,
        -1 as amount_sign,
        cast(null as string) as left_out_reason
    from credit_notes
    union all
    select
        source_system,
        invoice_id,
        'cancellation' as document_type,
        -1 as amount_sign,
        cast(null as string) as left_out_reason
    from unsigned_cancellations
    union all
    select
        source_system,
        invoice_id,
        document_type,
        1 as amount_sign,
        'cancelled' as left_out_reason
    from unreversed
),

corrected as (
    select
        corrections.source_system,
        corrections.invoice_id,
        corrections.document_type,
        min(corrections.amount_sign) as amount_sign,
        max(corrections.left_out_reason) as left_out_reason
    from corrections
    group by corrections.source_system, corrections.invoice_id, corrections.document_type
)

select * from corrected
