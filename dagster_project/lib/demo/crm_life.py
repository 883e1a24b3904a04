"""What sales people leave in a CRM: users, contacts, opportunities, activities, surveys."""

from __future__ import annotations

from datetime import date

import numpy as np

from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.companies import filled, slug, vocabulary

AS_OF = np.datetime64("2026-11-01")
_HISTORY_DAYS = 1_090
_OPPORTUNITIES = 1_250
_ACTIVITIES = 9_000
_SURVEYS = 620


def living(book: Book) -> list[str]:
    """Return the CRM accounts that people still work with."""
    return [a for a in book.accounts if a not in book.merged and a not in book.deleted]


def _some_day(rng: np.random.Generator, *, since: int, until: int) -> str:
    return str(AS_OF + rng.integers(since, until))


def make_users(rng: np.random.Generator) -> list[Row]:
    """Return the account managers and the hours a year that each has for customers; the last has left."""
    names = vocabulary()["users"]
    return [
        {
            "user_id": f"U{number:02d}",
            "user_name": name,
            "email": f"{slug(name).replace('-', '.')}@valmont-composants.fr",
            "is_active": "false" if number == len(names) else "true",
            "available_hours_per_year": str(int(rng.choice([780, 1040, 1180, 1320]))),
        }
        for number, name in enumerate(names, start=1)
    ]


def make_contacts(book: Book, rng: np.random.Generator) -> list[Row]:
    """Return one to five people per account, with consent, without, or with nobody having asked."""
    words = vocabulary()
    rows: list[Row] = []
    for account_id in living(book):
        company = book.companies[account_id]
        block = words["countries"].get(company.country, words["countries"]["DE"])
        for _ in range(int(min(5, 1 + rng.poisson(1.3)))):
            first, last = str(rng.choice(block["first_names"])), str(rng.choice(block["surnames"]))
            rows.append(
                {
                    "contact_id": f"P{20_000 + len(rows) * 3}",
                    "account_id": account_id,
                    "first_name": first,
                    "last_name": last,
                    "email": f"{slug(first)}.{slug(last)}@{company.domain}" if rng.random() < 0.92 else "",
                    "phone": filled(block["phone"], rng) if rng.random() < 0.7 else "",
                    "job_title": str(rng.choice(words["job_titles"])),
                    "buying_role": str(rng.choice(words["buying_roles"])) if rng.random() < 0.5 else "",
                    "country_code": company.country,
                    "consent_email": str(rng.choice(["true", "false", ""], p=[0.55, 0.3, 0.15])),
                    "consent_ads": str(rng.choice(["true", "false", ""], p=[0.35, 0.45, 0.2])),
                    "opted_out": "true" if rng.random() < 0.04 else "false",
                    "updated_at": f"{_some_day(rng, since=-900, until=-2)}T09:30:00Z",
                }
            )
    return rows


def make_opportunities(book: Book, rng: np.random.Generator) -> list[Row]:
    """Return open, stale, won and lost opportunities; the strategic account has three open ones."""
    accounts = living(book)
    chosen = [accounts[i] for i in rng.integers(0, len(accounts), size=_OPPORTUNITIES)]
    rows = []
    for number, account_id in enumerate(chosen):
        kind = str(rng.choice(["open", "stale", "won", "lost"], p=[0.34, 0.08, 0.36, 0.22]))
        rows.append(_opportunity(number, account_id, kind, round(float(rng.lognormal(9.9, 1.0)), -2), book=book, rng=rng))
    for amount in (1_200_000, 850_000, 400_000):
        rows.append(_opportunity(len(rows), book.marks["strategic"], "open", amount, book=book, rng=rng))
    return rows


def _opportunity(
    number: int, account_id: str, kind: str, amount: float, *, book: Book, rng: np.random.Generator
) -> Row:
    stage = str(rng.choice(vocabulary()["stages"]))
    span = {"open": (10, 360), "stale": (-600, -90), "won": (-_HISTORY_DAYS, -5), "lost": (-_HISTORY_DAYS, -5)}[kind]
    close = np.datetime64(_some_day(rng, since=span[0], until=span[1]))
    created = min(close, AS_OF) - rng.integers(30, 240)
    touched = min(close, AS_OF - 1) if kind != "stale" else created + 20
    probability = {"won": "1", "lost": "0"}.get(kind, str(rng.choice(["0.1", "0.25", "0.5", "0.75", "0.9"])))
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


def make_activities(book: Book, sales: dict[str, float], rng: np.random.Generator) -> list[Row]:
    """Return calls, meetings and the like; who buys more (``sales`` by CRM account) hears more of us."""
    accounts = living(book)
    weights = np.array([(sales.get(a, 0.0) + 4_000.0) ** 0.4 for a in accounts])
    chosen = rng.choice(len(accounts), size=_ACTIVITIES, p=weights / weights.sum())
    kinds = ["call", "meeting", "email", "visit", "social", "event", "other"]
    minutes = {"call": 20, "meeting": 60, "email": 10, "visit": 180, "social": 5, "event": 240, "other": 30}
    rows = []
    for number, position in enumerate(chosen):
        kind = str(rng.choice(kinds, p=[0.3, 0.16, 0.34, 0.08, 0.06, 0.02, 0.04]))
        age = int(_HISTORY_DAYS * rng.random() ** 1.6) + 1
        rows.append(
            {
                "activity_id": f"T{300_000 + number * 2}",
                "account_id": accounts[position],
                "owner_id": book.accounts[accounts[position]]["owner_id"],
                "activity_type": kind,
                "activity_date": str(AS_OF - age),
                "duration_minutes": str(int(minutes[kind] * rng.choice([0.5, 1, 1, 1.5, 2]))),
                "direction": str(rng.choice(["outbound", "inbound"], p=[0.7, 0.3])),
            }
        )
    return rows


def make_surveys(book: Book, buyers: list[str], rng: np.random.Generator) -> list[Row]:
    """Return answers of buyers, on the scale of 0 to 10 (nps) or 1 to 5 (csat)."""
    rows = []
    for number in range(_SURVEYS):
        scale = "nps" if rng.random() < 0.7 else "csat"
        mood = float(np.clip(rng.normal(0.74, 0.2), 0, 1))
        rows.append(
            {
                "survey_id": f"S{7_000 + number}",
                "account_id": buyers[int(rng.integers(0, len(buyers)))],
                "survey_date": _some_day(rng, since=-_HISTORY_DAYS, until=-3),
                "score": str(round(mood * 10) if scale == "nps" else 1 + round(mood * 4)),
                "scale": scale,
            }
        )
    return rows


def make_account_costs(customers: list[str], sales: list[float], rng: np.random.Generator) -> list[Row]:
    """Return yearly rebates of the larger customers, and freight and service at random."""
    rows = []
    for customer, yearly in zip(customers, sales, strict=True):
        for year in (2024, 2025, 2026):
            if yearly > 150_000:
                rebate = {"cost_type": "rebate", "amount": f"{yearly * float(rng.uniform(0.01, 0.04)):.2f}"}
                rows.append({"customer_id": customer, "cost_date": str(date(year, 10, 31)), "currency": "EUR"} | rebate)
            if rng.random() < 0.35:
                kind = str(rng.choice(["freight", "service", "other"], p=[0.6, 0.3, 0.1]))
                extra = {"cost_type": kind, "amount": f"{float(rng.lognormal(5.5, 0.8)):.2f}"}
                day = str(date(year, int(rng.integers(1, 11)), int(rng.integers(1, 29))))
                rows.append({"customer_id": customer, "cost_date": day, "currency": "EUR"} | extra)
    return rows
