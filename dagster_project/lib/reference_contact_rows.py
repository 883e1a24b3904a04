"""What each destination is told of a contact, in plain Python: what the SQL is compared with.

Shares no code with the models. Sources, beside those of the forms: LinkedIn's "Requirements for contact targeting
lists" and Microsoft's "Customer List Item Record".
"""

from __future__ import annotations

import re
from decimal import Decimal

from dagster_project.lib.reference_contact_forms import (
    address,
    google_address,
    letters,
    sha256,
    tidy,
)
from dagster_project.lib.reference_contacts import Account, Contact

LONGEST_NAME, LONGEST_TITLE = 35, 50

Cells = dict[str, str | Decimal | None]


def linkedin_cells(contact: Contact, account: Account) -> Cells | None:
    """The row of an eligible contact; None where nothing identifies it to the destination."""
    email = address(contact.email)
    first, last = (_within(tidy(n), LONGEST_NAME) for n in (contact.first_name, contact.last_name))
    if email is None and (first is None or last is None):
        return None
    return {
        "email": email,
        "firstname": first,
        "lastname": last,
        "jobtitle": _within(tidy(contact.job_title), LONGEST_TITLE),
        "employeecompany": _within(account.name, LONGEST_TITLE),
        "country": contact.country or account.country,
        "googleaid": None,
    }


def google_cells(contact: Contact, account: Account) -> Cells | None:
    """Likewise; the address has all four parts or none."""
    email = google_address(address(contact.email))
    names = [tidy(contact.first_name), tidy(contact.last_name)]
    zip_code = tidy(account.postal_code)
    is_whole = all(names) and zip_code is not None and _is_at(contact, account)
    if not (email or contact.phone or is_whole):
        return None
    first, last = (sha256(name.lower()) if name and is_whole else None for name in names)
    return {
        "email": sha256(email),
        "phone": sha256(contact.phone),
        "first_name": first,
        "last_name": last,
        "country": account.country if is_whole else None,
        "zip": zip_code if is_whole else None,
    }


def meta_cells(contact: Contact, account: Account) -> Cells | None:
    """Likewise; what describes the place is the account's, where the contact is in the same country."""
    first, last = letters(contact.first_name), letters(contact.last_name)
    email = address(contact.email)
    if not (email or contact.phone or (first and last)):
        return None
    country = contact.country or account.country
    at_account = _is_at(contact, account)
    postal_code = letters(account.postal_code) if at_account else None
    if country == "US" and postal_code:
        postal_code = postal_code[:5]
    return {
        "email": sha256(email),
        "phone": sha256(contact.phone.removeprefix("+") if contact.phone else None),
        "fn": sha256(first),
        "ln": sha256(last),
        "ct": sha256(_roman(account.city) if at_account else None),
        "st": sha256(_roman(account.region) if at_account else None),
        "zip": sha256(postal_code),
        "country": sha256(country.lower() if country else None),
        "value": max(account.revenue, Decimal(0)).quantize(Decimal("0.01"), "ROUND_HALF_UP"),
    }


def microsoft_cells(contact: Contact, _account: Account) -> Cells | None:
    """Likewise; an address alone."""
    email = address(contact.email)
    return {"text": sha256(email)} if email else None


CELLS = {
    "linkedin_contacts": linkedin_cells,
    "google_customer_match": google_cells,
    "meta_custom_audience": meta_cells,
    "microsoft_ads": microsoft_cells,
}


def _is_at(contact: Contact, account: Account) -> bool:
    return account.country is not None and contact.country in (None, account.country)


def _roman(text: str | None) -> str | None:
    found = letters(text)
    return found if found and re.fullmatch("[a-z]+", found) else None


def _within(text: str | None, length: int) -> str | None:
    return text if text is not None and len(text) <= length else None
