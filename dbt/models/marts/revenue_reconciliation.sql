select
    reconciled.source_system,
    reconciled.month,
    reconciled.currency,
    reconciled.control_amount,
    reconciled.landed_amount,
    reconciled.difference,
    reconciled.status,
    reconciled.rejected_row_count,
    reconciled.rejected_amount,
    reconciled.unreadable_row_count,
    reconciled.unplaced_row_count,
    reconciled.left_out_amount
from {{ ref('int_revenue_reconciled') }} as reconciled
