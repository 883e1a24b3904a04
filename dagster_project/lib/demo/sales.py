"""The ordinary invoices: recurring buyers, seasons, growth, and who came and went."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dagster_project.lib.demo.lines import NO_COST, QUANTITY_UNITS
from dagster_project.lib.demo.parties import (
    FIRST_MONTH,
    LINES_PER_INVOICE,
    MONTHS,
    Parties,
)
from dagster_project.lib.demo.products import UNCOSTED, Product

_SEASON = np.array([0.95, 0.96, 1.1, 1.0, 1.0, 1.06, 0.9, 0.6, 1.1, 1.12, 1.12, 1.09])
_PRICE_LEVEL = {"EUR": 1.0, "USD": 1.1, "GBP": 0.86, "CHF": 0.97}
_DISCOUNTS = np.array([0, 0, 2, 3, 5, 8, 10, 12])
_STANDARD_COST_SHARE = 0.23
_COST_IN_EUR_SHARE = 0.3
_MISSING_COST_SHARE = 0.006


def make_sales(
    parties: Parties, products: list[Product], *, missing: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Return all ordinary lines by date; ``missing`` is the customer whose costs nobody knows."""
    buyer, month = _invoices(parties, rng)
    day = _days(month, rng)
    order = np.lexsort((buyer, day))
    buyer, month, day = buyer[order], month[order], day[order]
    sizes = np.clip(1 + rng.poisson(LINES_PER_INVOICE - 1, size=len(buyer)), 1, 7)
    invoice = np.repeat(np.arange(len(buyer)), sizes)
    numbers = pd.Series(day).dt.year.astype(str).to_numpy()
    ids = np.array(
        [f"INV-{year}-{n:06d}" for n, year in enumerate(numbers, start=10_001)],
        dtype=object,
    )
    who = buyer[invoice]
    lines = pd.DataFrame(
        {
            "invoice_id": ids[invoice],
            "line_id": (np.arange(len(invoice)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1)
            * 10,
            "customer_id": np.array(parties.customer_ids, dtype=object)[who],
            "invoice_date": day[invoice],
            "document_type": "invoice",
            "currency": np.array(parties.currencies, dtype=object)[who],
            "reverses_invoice_id": "",
            "is_cancelled": False,
            "business_unit": np.array(parties.business_units, dtype=object)[who],
            "is_unsigned": False,
            "left_out": "",
        }
    )
    target = _targets(parties, who, month[invoice], rng)
    _add_products(lines, who, target, products, rng=rng)
    _add_costs(lines, parties.margin_shift[who], products, missing=missing, rng=rng)
    return lines


def _invoices(parties: Parties, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return buyer and month of each invoice."""
    months = np.arange(MONTHS)
    season = _SEASON[(months + 10) % 12]
    is_active = (months >= parties.first_month[:, None]) & (months < parties.end_month[:, None])
    counts = rng.poisson(parties.invoices_per_month[:, None] * season * is_active)
    # a newcomer buys in its first month, and nobody is a customer who never bought
    starts = (parties.first_month > 0) | (counts.sum(axis=1) == 0)
    counts[np.flatnonzero(starts), parties.first_month[starts]] += 1
    flat = np.repeat(np.arange(counts.size), counts.ravel())
    return flat // MONTHS, flat % MONTHS


def _days(month: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a day in each month; most that fall on a week-end move to a working day."""
    start = (FIRST_MONTH + month).astype("datetime64[D]")
    length = ((FIRST_MONTH + month + 1).astype("datetime64[D]") - start).astype(int)
    offset = (rng.random(len(month)) * length).astype(int)
    weekday = ((start + offset).astype(int) + 3) % 7
    moves = (weekday >= 5) & (rng.random(len(month)) < 0.8)
    shifted = np.where(offset >= 3, offset - (weekday - 4), offset + (7 - weekday))
    days: np.ndarray = (start + np.where(moves, shifted, offset)).astype("datetime64[s]")
    return days


def _targets(
    parties: Parties, who: np.ndarray, month: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return what each line is worth, roughly, in EUR."""
    trend = (1 + np.clip(parties.growth, -0.3, 0.5))[who] ** ((month - MONTHS / 2) / 12)
    per_line = parties.sales / (12 * parties.invoices_per_month * LINES_PER_INVOICE)
    targets: np.ndarray = per_line[who] * trend * rng.lognormal(-0.12, 0.5, size=len(who))
    return targets


def _add_products(
    lines: pd.DataFrame,
    who: np.ndarray,
    target: np.ndarray,
    products: list[Product],
    *,
    rng: np.random.Generator,
) -> None:
    """Choose product, quantity and discount, from the buyer's families, to fit the target."""
    families = sorted({product.family for product in products})
    catalogue = [p for p in products if p.product_id != UNCOSTED]
    by_family = [[i for i, p in enumerate(catalogue) if p.family == family] for family in families]
    habits = np.array([rng.permutation(len(families))[:3] for _ in range(int(who.max()) + 1)])
    family = habits[who, rng.choice(3, p=[0.6, 0.28, 0.12], size=len(who))]
    price = np.array([p.price for p in products])
    product = np.zeros(len(who), dtype=int)
    for number, members in enumerate(by_family):
        rows = np.flatnonzero(family == number)
        affordable = np.searchsorted(price[members], target[rows] * 60, side="right") - 1
        chosen = np.maximum(affordable - rng.integers(0, 5, size=len(rows)), 0)
        product[rows] = np.array(members)[chosen]
    weighed = np.array([p.is_by_weight for p in products])[product]
    wanted = np.maximum(target * 100 / price[product], 1.0)
    whole = np.rint(wanted).astype(int) * QUANTITY_UNITS
    quantity = np.where(weighed, np.rint(wanted * 10).astype(int) * 10, whole)
    level = np.array([_PRICE_LEVEL[currency] for currency in lines["currency"]])
    unit = np.rint(price[product] * level).astype(int)
    discount = rng.choice(_DISCOUNTS, size=len(who))
    exact = unit * quantity * (100 - discount) // 100
    lines["product"] = product
    lines["quantity"] = quantity
    # goods by weight keep four decimals; the rest is invoiced to the cent
    lines["net"] = np.where(weighed, exact, (exact + 50) // 100 * 100)
    service = np.array([p.family == "Services" for p in products])[product]
    lines["is_recurring"] = service & (rng.random(len(who)) < 0.6)


def _add_costs(
    lines: pd.DataFrame,
    margin_shift: np.ndarray,
    products: list[Product],
    *,
    missing: str,
    rng: np.random.Generator,
) -> None:
    """Give most lines a cost of their own; the rest rely on the standard cost, or have none."""
    count = len(lines)
    product = lines["product"].to_numpy()
    margin = (
        np.array([p.margin for p in products])[product]
        + margin_shift
        + rng.normal(0, 0.03, size=count)
    )
    currency = lines["currency"].to_numpy()
    level = np.array([_PRICE_LEVEL[code] for code in currency])
    in_eur = (currency != "EUR") & (rng.random(count) < _COST_IN_EUR_SHARE)
    cost = lines["net"].to_numpy() * (1 - margin) / np.where(in_eur, level, 1.0)
    lines["cost"] = np.rint(cost / 100).astype("int64") * 100
    says = in_eur | (rng.random(count) < 0.5)
    lines["cost_currency"] = np.where(says, np.where(in_eur, "EUR", currency), "")
    costed = np.array([bool(p.unit_costs) for p in products])[product]
    relies = costed & (rng.random(count) < _STANDARD_COST_SHARE) & (margin_shift > -0.5)
    forgotten = ~costed & (rng.random(count) < _MISSING_COST_SHARE * 8)
    is_missing = (lines["customer_id"] == missing).to_numpy()
    lines.loc[is_missing, "product"] = len(products) - 1
    without = relies | forgotten | is_missing
    lines.loc[without, "cost"] = NO_COST
    lines.loc[without, "cost_currency"] = ""
