"""What sales people leave in a CRM: users, contacts, activities, surveys."""

from __future__ import annotations

import numpy as np

from dagster_project.lib.demo.book import Book, Row
from dagster_project.lib.demo.companies import filled, slug, vocabulary

AS_OF = np.datetime64("2026-11-01")
HISTORY_DAYS = 1_090
_ACTIVITIES = 9_000
_SURVEYS = 620


def living(book: Book) -> list[str]:
    """Return the CRM accounts that people still work with."""
    return [a for a in book.accounts if a not in book.merged and a not in book.deleted]


def some_day(rng: np.random.Generator, *, since: int, until: int) -> str:
    """Return a day between two numbers of days after the last month."""
    return str(AS_OF + rng.integers(since, until))


def make_users(rng: np.random.Generator) -> list[Row]:
    """Return the account managers with their hours a year for customers; the last has left."""
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
            first, last = (
                str(rng.choice(block["first_names"])),
                str(rng.choice(block["surnames"])),
            )
            rows.append(
                {
                    "contact_id": f"P{20_000 + len(rows) * 3}",
                    "account_id": account_id,
                    "first_name": first,
                    "last_name": last,
                    "email": f"{slug(first)}.{slug(last)}@{company.domain}"
                    if rng.random() < 0.92
                    else "",
                    "phone": filled(block["phone"], rng) if rng.random() < 0.7 else "",
                    "job_title": str(rng.choice(words["job_titles"])),
                    "buying_role": str(rng.choice(words["buying_roles"]))
                    if rng.random() < 0.5
                    else "",
                    "country_code": company.country,
                    "consent_email": str(rng.choice(["true", "false", ""], p=[0.55, 0.3, 0.15])),
                    "consent_ads": str(rng.choice(["true", "false", ""], p=[0.35, 0.45, 0.2])),
                    "opted_out": "true" if rng.random() < 0.04 else "false",
                    "updated_at": f"{some_day(rng, since=-900, until=-2)}T09:30:00Z",
                }
            )
    return rows


def make_activities(book: Book, sales: dict[str, float], rng: np.random.Generator) -> list[Row]:
    """Return calls, meetings and the like: more of them where ``sales`` are larger."""
    accounts = living(book)
    weights = np.array([(sales.get(a, 0.0) + 4_000.0) ** 0.4 for a in accounts])
    chosen = rng.choice(len(accounts), size=_ACTIVITIES, p=weights / weights.sum())
    kinds = ["call", "meeting", "email", "visit", "social", "event", "other"]
    minutes = {
        "call": 20,
        "meeting": 60,
        "email": 10,
        "visit": 180,
        "social": 5,
        "event": 240,
        "other": 30,
    }
    rows = []
    for number, position in enumerate(chosen):
        kind = str(rng.choice(kinds, p=[0.3, 0.16, 0.34, 0.08, 0.06, 0.02, 0.04]))
        age = int(HISTORY_DAYS * rng.random() ** 1.6) + 1
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
                "survey_date": some_day(rng, since=-HISTORY_DAYS, until=-3),
                "score": str(round(mood * 10) if scale == "nps" else 1 + round(mood * 4)),
                "scale": scale,
            }
        )
    return rows
