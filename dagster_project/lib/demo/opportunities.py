"""Opportunities: open, stale, won and lost ones."""

from __future__ import annotations

import numpy as np

from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.companies import vocabulary
from dagster_project.lib.demo.crm_life import AS_OF, HISTORY_DAYS, living, some_day

_OPPORTUNITIES = 1_250


def make_opportunities(book: Book, rng: np.random.Generator) -> list[Row]:
    """Return open, stale, won and lost opportunities; the strategic account has three open ones."""
    accounts = living(book)
    chosen = [accounts[i] for i in rng.integers(0, len(accounts), size=_OPPORTUNITIES)]
    rows = []
    for number, account_id in enumerate(chosen):
        kind = str(rng.choice(["open", "stale", "won", "lost"], p=[0.34, 0.08, 0.36, 0.22]))
        rows.append(
            _opportunity(
                number,
                account_id,
                kind,
                round(float(rng.lognormal(9.9, 1.0)), -2),
                book=book,
                rng=rng,
            )
        )
    for amount in (1_200_000, 850_000, 400_000):
        rows.append(
            _opportunity(len(rows), book.marks["strategic"], "open", amount, book=book, rng=rng)
        )
    return rows


def _opportunity(
    number: int,
    account_id: str,
    kind: str,
    amount: float,
    *,
    book: Book,
    rng: np.random.Generator,
) -> Row:
    stage = str(rng.choice(vocabulary()["stages"]))
    span = {
        "open": (10, 360),
        "stale": (-600, -90),
        "won": (-HISTORY_DAYS, -5),
        "lost": (-HISTORY_DAYS, -5),
    }[kind]
    close = np.datetime64(some_day(rng, since=span[0], until=span[1]))
    created = min(close, AS_OF) - rng.integers(30, 240)
    touched = min(close, AS_OF - 1) if kind != "stale" else created + 20
    probability = {"won": "1", "lost": "0"}.get(
        kind, str(rng.choice(["0.1", "0.25", "0.5", "0.75", "0.9"]))
    )
    return {
        "opportunity_id": f"O{50_000 + number}",
        "account_id": account_id,
        "amount": f"{amount:.2f}",
        "currency": book.companies[account_id].currency,
        "stage": {"won": "Closed Won", "lost": "Closed Lost"}.get(kind, stage),
        "probability": probability,
        "close_date": str(close),
        "is_closed": "true" if kind in {"won", "lost"} else "false",
        "is_won": "true" if kind == "won" else "false",
        "product_family": str(rng.choice(list(vocabulary()["families"]))),
        "created_at": f"{created}T10:00:00Z",
        "updated_at": f"{max(touched, created)}T16:45:00Z",
    }
