"""Products, their prices, and their standard costs by period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from dagster_project.lib.demo.companies import vocabulary

# gapless; the last one is open. Unit costs rise from period to period.
PERIODS = (
    (date(2023, 1, 1), date(2024, 12, 31)),
    (date(2025, 1, 1), date(2025, 12, 31)),
    (date(2026, 1, 1), None),
)
_RISE = (1.0, 1.035, 1.06)
_GRADES = ("S", "M", "L")
UNCOSTED = "SRV-AUDIT"


@dataclass(frozen=True)
class Product:
    """A product: price in euro cents, margin rate, unit cost by period in its own cents."""

    product_id: str
    name: str
    family: str
    price: int
    margin: float
    is_by_weight: bool
    cost_currency: str
    unit_costs: tuple[int, ...]

    def unit_cost_on(self, day: date) -> int | None:
        """Return the unit cost in cents on the day, None for a product without standard cost."""
        for cost, (start, end) in zip(self.unit_costs, PERIODS, strict=False):
            if start <= day and (end is None or day <= end):
                return cost
        return None


def make_products(rng: np.random.Generator) -> list[Product]:
    """Return the catalogue, by family and price; the service that nobody costed is last."""
    products = []
    for family, block in vocabulary()["families"].items():
        steps = len(block["items"]) * len(_GRADES)
        for position in range(steps):
            grade, item = (
                _GRADES[position // len(block["items"])],
                block["items"][position % len(block["items"])],
            )
            price = round(block["price"] * 100 * 1.34**position)
            margin = float(np.clip(rng.normal(block["margin"], 0.03), 0.12, 0.7))
            is_foreign = family == "Sensors" and position % 3 == 0
            level = price * (1 - margin) * (1.085 if is_foreign else 1.0)
            is_costed = family != "Services"
            products.append(
                Product(
                    product_id=f"{block['code']}-{100 + position * 5}",
                    name=f"{item} {grade}",
                    family=family,
                    price=price,
                    margin=margin,
                    is_by_weight=bool(block.get("by_weight")),
                    cost_currency="USD" if is_foreign else "EUR",
                    unit_costs=tuple(round(level * rise) for rise in _RISE) if is_costed else (),
                )
            )
    audit = Product(UNCOSTED, "Plant audit", "Services", 95_000, 0.5, False, "EUR", ())
    return [*products, audit]
