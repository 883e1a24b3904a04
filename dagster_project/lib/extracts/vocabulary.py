"""Lists of allowed values: currencies, countries, document types."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from babel import Locale
from babel.numbers import list_currencies

DOCUMENT_TYPES_SEED = Path(__file__).parents[3] / "dbt" / "seeds" / "document_types.csv"

# Two-letter territories of Unicode's CLDR that are no countries of ISO 3166: pseudo-locales,
# unions, reservations. Kosovo's user-assigned XK stays: systems write it, it has no other code.
_NOT_COUNTRIES = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)


@cache
def currencies() -> tuple[str, ...]:
    """ISO 4217 codes, past ones too: history is invoiced in them."""
    return tuple(sorted(list_currencies()))


@cache
def countries() -> tuple[str, ...]:
    """ISO 3166 alpha-2 codes."""
    territories = Locale("en").territories
    codes = (str(code) for code in territories)
    return tuple(sorted(code for code in codes if len(code) == 2 and code not in _NOT_COUNTRIES))


@cache
def document_types() -> tuple[str, ...]:
    """Document types of the seed that dbt reads too: one owner of the list."""
    with DOCUMENT_TYPES_SEED.open(encoding="utf-8", newline="") as seed:
        return tuple(row["document_type"] for row in csv.DictReader(seed))
