"""Window revenue and gross margin per customer a second time, apart from the warehouse.

Plain Python over `generic` extracts, exact throughout: amounts are Decimal, rates are fractions,
and each converted line is rounded once. Slow and simple on purpose; tests hold the warehouse
against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd

from dagster_project.lib.reference import exact_ratio

NOT_BOOKED = frozenset({"pro_forma", "quote", "order", "delivery_note", "intercompany"})

Row = Mapping[str, str | None]


def read_extract(path: Path) -> pd.DataFrame:
    """Read a `generic` CSV as text; only an empty cell is missing (NA is a name)."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


@dataclass(frozen=True)
class Converter:
    """Converts amounts by the last rate on or before a day.

    Attributes:
        reporting_currency: ISO 4217 code.
        line_decimals: decimals of a converted line.
        max_rate_age_days: oldest usable rate, in days before the line's date.
        rates: (from, to) -> day -> units of `to` for one `from`.
    """

    reporting_currency: str
    line_decimals: int
    max_rate_age_days: int
    rates: dict[tuple[str, str], dict[date, Fraction]]
    _found: dict[tuple[str, date], Fraction | None] = field(default_factory=dict)

    def convert(self, amount: Fraction, currency: str, day: date) -> Decimal | None:
        """Convert one line's amount; null when no rate is recent enough.

        In reporting currency 4 decimals are kept; else the result is rounded half away from zero.
        """
        if currency == self.reporting_currency:
            return rounded(amount, 4)
        if (currency, day) not in self._found:
            self._found[currency, day] = self._rate(currency, day)
        rate = self._found[currency, day]
        return None if rate is None else rounded(amount * rate, self.line_decimals)

    def _rate(self, currency: str, day: date) -> Fraction | None:
        direct = self._pair(currency, self.reporting_currency, day)
        if direct is not None:
            return direct
        for pivot in sorted({code for pair in self.rates for code in pair}):
            first = self._pair(currency, pivot, day)
            second = self._pair(pivot, self.reporting_currency, day)
            if first is not None and second is not None:
                return first * second
        return None

    def _pair(self, source: str, target: str, day: date) -> Fraction | None:
        """The last rate of a pair, as quoted or turned round, as quoted first."""
        for pair, turned in (((source, target), False), ((target, source), True)):
            quotes = self.rates.get(pair, {})
            for age in range(self.max_rate_age_days + 1):
                quote = quotes.get(day - timedelta(days=age))
                if quote is not None:
                    return 1 / quote if turned else quote
        return None


def make_converter(
    rates: pd.DataFrame | None,
    reporting_currency: str,
    *,
    line_decimals: int = 2,
    max_rate_age_days: int = 7,
) -> Converter:
    """Index an exchange_rates extract: `rate` units of to_currency per `units` of from_currency."""
    quotes: dict[tuple[str, str], dict[date, Fraction]] = {}
    for row in rows_of(rates):
        pair = (_text(row, "from_currency"), _text(row, "to_currency"))
        rate = Fraction(_text(row, "rate")) / int(row.get("units") or 1)
        quotes.setdefault(pair, {})[date.fromisoformat(_text(row, "rate_date"))] = rate
    return Converter(reporting_currency, line_decimals, max_rate_age_days, quotes)


def account_values(
    lines: pd.DataFrame,
    converter: Converter,
    *,
    start: date,
    end: date,
    product_costs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Sum revenue and gross margin per customer over a half-open window of invoice dates.

    Args:
        lines: an invoice_lines extract as text, every key once.
        converter: rates and reporting currency.
        start: first day of the window.
        end: day after the window.
        product_costs: a product_costs extract as text.

    Returns:
        One row per customer with a booked, convertible line in the window, by customer_id:
        customer_id, revenue (Decimal), gross_margin (Decimal over the lines of known cost, null
        when there is none), cost_coverage (amounts of known cost / all amounts, without their
        signs, 0..1), line_count.
    """
    rows = list(rows_of(lines))
    turned_documents = _turned_documents(rows)
    left_out = _cancelled_alone(rows)
    standard_costs = list(rows_of(product_costs))
    totals: dict[str, _Totals] = {}
    for row in rows:
        day = date.fromisoformat(_text(row, "invoice_date"))
        invoice = _text(row, "invoice_id")
        if not start <= day < end or row["document_type"] in NOT_BOOKED or invoice in left_out:
            continue
        turned = invoice in turned_documents
        net = Fraction(_text(row, "net_amount")) * (-1 if turned else 1)
        revenue = converter.convert(net, _text(row, "currency"), day)
        if revenue is not None:
            cost = _cost(row, converter, turned=turned, standard_costs=standard_costs)
            totals.setdefault(_text(row, "customer_id"), _Totals()).add(revenue, cost)
    records = [(customer, *totals[customer].record()) for customer in sorted(totals)]
    names = ["customer_id", "revenue", "gross_margin", "cost_coverage", "line_count"]
    return pd.DataFrame(records, columns=names, dtype=object)


@dataclass
class _Totals:
    revenue: Decimal = Decimal("0.0000")
    turnover: Decimal = Decimal("0.0000")
    known_turnover: Decimal = Decimal("0.0000")
    gross_margin: Decimal | None = None
    lines: int = 0

    def add(self, revenue: Decimal, cost: Decimal | None) -> None:
        self.revenue += revenue
        self.turnover += abs(revenue)
        self.lines += 1
        if cost is not None:
            self.known_turnover += abs(revenue)
            self.gross_margin = (self.gross_margin or Decimal("0.0000")) + revenue - cost

    def record(self) -> tuple[Decimal, Decimal | None, float | None, int]:
        coverage = exact_ratio(int(self.known_turnover * 10_000), int(self.turnover * 10_000))
        return self.revenue, self.gross_margin, coverage, self.lines


def _turned_documents(rows: list[Row]) -> frozenset[str]:
    """Documents whose system writes them with the sign of what they take back.

    A credit note of positive sum, and a cancellation of the same sign as the document that it
    reverses.
    """
    sums: dict[str, Fraction] = {}
    for row in rows:
        invoice = _text(row, "invoice_id")
        sums[invoice] = sums.get(invoice, Fraction(0)) + Fraction(_text(row, "net_amount"))
    kinds = {(row["document_type"], _text(row, "invoice_id")) for row in rows}
    credits_up = {i for kind, i in kinds if kind == "credit_note" and sums[i] > 0}
    turned = set(credits_up)
    for row in rows:
        cancelled = row.get("reverses_invoice_id")
        if row["document_type"] == "cancellation" and cancelled is not None and cancelled in sums:
            booked = sums[cancelled] * (-1 if cancelled in credits_up else 1)
            if booked * sums[_text(row, "invoice_id")] > 0:
                turned.add(_text(row, "invoice_id"))
    return frozenset(turned)


def _cancelled_alone(rows: list[Row]) -> frozenset[str]:
    """Documents marked cancelled that no document reverses and that reverse none themselves."""
    known = {row["invoice_id"] for row in rows}
    reversed_ids = {row.get("reverses_invoice_id") for row in rows}
    return frozenset(
        _text(row, "invoice_id")
        for row in rows
        if row.get("is_cancelled") == "true"
        and row["invoice_id"] not in reversed_ids
        and (row.get("reverses_invoice_id") is None or row["reverses_invoice_id"] not in known)
    )


def _cost(
    row: Row, converter: Converter, *, turned: bool, standard_costs: list[Row]
) -> Decimal | None:
    """The line's own cost, else the product's standard cost of the day, else unknown.

    On a credit note or cancellation the units go the way of the booked amount, however they are
    written.
    """
    day = _text(row, "invoice_date")
    own = row.get("cost_amount")
    if own is not None:
        amount = Fraction(own)
        currency = row.get("cost_currency") or _text(row, "currency")
        return converter.convert(
            -abs(amount) if turned else amount, currency, date.fromisoformat(day)
        )
    valid = [
        cost
        for cost in standard_costs
        if cost["product_id"] == row.get("product_id")
        and _text(cost, "valid_from") <= day <= (cost.get("valid_to") or "9999-12-31")
    ]
    quantity = row.get("quantity")
    if not valid or quantity is None:
        return None
    standard = max(valid, key=lambda cost: _text(cost, "valid_from"))
    units = Fraction(quantity)
    if row["document_type"] in ("credit_note", "cancellation"):
        booked = Fraction(_text(row, "net_amount")) * (-1 if turned else 1)
        units = abs(units) * ((booked > 0) - (booked < 0))
    amount = Fraction(_text(standard, "unit_cost")) * units
    return converter.convert(amount, _text(standard, "currency"), date.fromisoformat(day))


def rounded(amount: Fraction, decimals: int) -> Decimal:
    """Round half away from zero (Python's own `round` goes to the even neighbour)."""
    scaled = abs(amount) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-decimals)


def rows_of(frame: pd.DataFrame | None) -> Iterable[Row]:
    """The rows of an extract; what is missing is None."""
    if frame is None:
        return
    present = frame.astype(object).where(frame.notna(), None)
    names = list(present.columns)
    for values in zip(*(present[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _text(row: Row, column: str) -> str:
    value = row[column]
    if value is None:
        raise ValueError(f"{column} is empty in {dict(row)}: fill it, the column is required")
    return value
