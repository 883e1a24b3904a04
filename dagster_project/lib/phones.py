"""Phone numbers of contacts in E.164, for the match in SQL: beside the identifiers, and made as they are.

How a number is written depends on its country, which needs the numbering plans of the library phonenumbers:
each distinct number and country is parsed once here, and joined to its rows in SQL. What the file of an earlier
run says of a number is taken from there, as long as the same code and library made it. No number is logged.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.lib.form_files import code_hash, known_forms, write_forms
from dagster_project.lib.normal_forms import NormalForm

logger = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [
        pa.field("raw_value", pa.string(), nullable=False),
        pa.field("country_code", pa.string(), nullable=False),
        pa.field("normalised", pa.string()),
        pa.field("problem", pa.string()),
    ]
)
# libphonenumber reads over most separators; these of typeset French text end the number for it.
_SPACES = re.compile(r"[\s\u2000-\u200b\u202f\u205f\ufeff]+")

# Departments with country codes of their own, which a CRM files under France with numbers as dialled there.
OVERSEAS = {"FR": ("GP", "MQ", "GF", "RE", "YT")}

Value = tuple[str, str]


def normalise_phone(raw: str, country: str) -> NormalForm:
    """The number in E.164 (`+33612345678`), or None with the reason: invalid, or no_country.

    A number without a country code is read in `country` (ISO alpha-2, or empty); its extension is left out.
    """
    # The numbering plans take a sixth of a second to load; a run without new numbers does not need them.
    import phonenumbers

    text = _SPACES.sub(" ", raw).strip()
    if not country:
        # 00 is the prefix that the ITU recommends; without a country the library does not know it.
        text = re.sub(r"^\(?00", "+", text)
    plans = [
        c for c in (country, *OVERSEAS.get(country, ())) if c in phonenumbers.SUPPORTED_REGIONS
    ]
    if not plans and not text.startswith("+"):
        has_digits = any(character.isdigit() for character in text)
        return NormalForm(None, "no_country" if has_digits else "invalid")
    for plan in plans or [None]:
        try:
            number = phonenumbers.parse(text, plan)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            form = phonenumbers.PhoneNumberFormat.E164
            return NormalForm(phonenumbers.format_number(number, form))
    return NormalForm(None, "invalid")


def number_forms(number: str) -> set[str]:
    """A number in E.164, and the digits that are dialled for it in its own country."""
    import phonenumbers

    national = phonenumbers.PhoneNumberFormat.NATIONAL
    return {number, digits_of(phonenumbers.format_number(phonenumbers.parse(number), national))}


def digits_of(text: str) -> str:
    """The digits of a number as it is written."""
    return re.sub(r"\D", "", text)


def normalise_phones(
    raw: Path, contacts_files: Sequence[Path], accounts_files: Sequence[Path], target: Path
) -> dict[str, int]:
    """Writes `target` with one row per distinct number and country ('' where none is known).

    Args:
        raw: the raw zone, from which relative paths of files start.
        contacts_files: typed Parquet files of the entity `contacts`.
        accounts_files: those of `accounts`, whose country stands for that of their contacts.
        target: the Parquet file to write, whole or not at all; one that already says the same stays.

    Returns:
        Numbers, and the unusable ones by problem.
    """
    values = _distinct_values(
        [raw / file for file in contacts_files], [raw / file for file in accounts_files]
    )
    known = known_forms(target, ("raw_value", "country_code"), made_by=_made_by())
    forms = {value: known.get(value) or normalise_phone(*value) for value in values}
    counts = Counter(
        f"phone_{form.problem}" if form.problem else "phone" for form in forms.values()
    )
    if not (target.is_file() and known.keys() == forms.keys()):
        rows = [
            (number, country, form.value, form.problem) for (number, country), form in forms.items()
        ]
        write_forms(rows, target, schema=SCHEMA, made_by=_made_by())
    logger.debug("phones: %s", dict(counts))
    return dict(counts)


def _distinct_values(contacts: list[Path], accounts: list[Path]) -> list[Value]:
    """Distinct (number, country), sorted; of an account's versions each one's country."""
    if not contacts:
        return []
    account_rows = (
        "select source_system, account_id, country_code from read_parquet(?)"
        if accounts
        else "select null::varchar, null::varchar, null::varchar where ?::varchar[] is null"
    )
    query = (
        f"with accounts (source_system, account_id, country_code) as ({account_rows}) "
        "select distinct contacts.phone, "
        "coalesce(contacts.country_code, accounts.country_code, '') as country_code "
        "from read_parquet(?) as contacts left join accounts "
        "on contacts.source_system = accounts.source_system "
        "and contacts.account_id = accounts.account_id "
        "where contacts.phone is not null order by all"
    )
    parameters = [[str(file) for file in accounts], [str(file) for file in contacts]]
    with duckdb.connect() as connection:
        return connection.execute(query, parameters).fetchall()


@cache
def _made_by() -> bytes:
    return code_hash([Path(__file__)], ["phonenumbers"])
