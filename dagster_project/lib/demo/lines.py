"""The table of invoice lines, as true and as written.

Money is kept in whole ten-thousandths of its currency and quantities in hundredths, as integers, so
that no figure of the truth passes through a float. ``net`` and ``cost`` are the true, signed
amounts; a document with ``is_unsigned`` is written without its sign, as some systems do. A cost of
``NO_COST`` is not written. ``left_out`` is the reason for which a line is not booked, or "".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MONEY_UNITS = 10_000
QUANTITY_UNITS = 100
NO_COST = np.iinfo(np.int64).min


def as_money(amount: int) -> str:
    """Return ten-thousandths as a decimal number with two places, or four where it needs them."""
    sign, magnitude = "-" if amount < 0 else "", abs(amount)
    whole, part = divmod(magnitude, MONEY_UNITS)
    return f"{sign}{whole}.{part:04d}" if part % 100 else f"{sign}{whole}.{part // 100:02d}"


def as_quantity(quantity: int) -> str:
    """Return hundredths as a decimal number without useless zeros."""
    sign, magnitude = "-" if quantity < 0 else "", abs(quantity)
    whole, part = divmod(magnitude, QUANTITY_UNITS)
    return f"{sign}{whole}.{part:02d}".rstrip("0") if part else f"{sign}{whole}"


def written(lines: pd.DataFrame, product_ids: list[str]) -> list[list[str]]:
    """Return the lines as rows of text in the columns of ``invoice_lines``."""
    sign = np.where(lines["is_unsigned"], -1, 1)
    cost = lines["cost"].to_numpy()
    has_cost = cost != NO_COST
    signed_cost = np.where(has_cost, cost * sign, 0)
    columns = [
        lines["invoice_id"].tolist(),
        [str(number) for number in lines["line_id"].tolist()],
        lines["customer_id"].tolist(),
        np.datetime_as_string(lines["invoice_date"].to_numpy(), unit="D").tolist(),
        lines["document_type"].tolist(),
        [product_ids[p] if p >= 0 else "" for p in lines["product"].tolist()],
        [as_quantity(q) for q in (lines["quantity"].to_numpy() * sign).tolist()],
        [as_money(a) for a in (lines["net"].to_numpy() * sign).tolist()],
        lines["currency"].tolist(),
        [
            as_money(a) if known else ""
            for a, known in zip(signed_cost.tolist(), has_cost.tolist(), strict=True)
        ],
        lines["cost_currency"].tolist(),
        lines["reverses_invoice_id"].tolist(),
        ["true" if flag else "false" for flag in lines["is_cancelled"].tolist()],
        lines["business_unit"].tolist(),
        ["true" if flag else "false" for flag in lines["is_recurring"].tolist()],
    ]
    return [list(row) for row in zip(*columns, strict=True)]
