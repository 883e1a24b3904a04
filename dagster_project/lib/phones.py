"""Phone numbers of contacts in E.164, for the match in SQL: beside the identifiers, and made as they are.

How a number is written depends on its country, which needs the numbering plans of the library phonenumbers:
each distinct number and country is parsed once here, and joined to its rows in SQL. What the file of an earlier
run says of a number is taken from there, as long as the same code and library made it. No number is logged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

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
MADE_BY = b"made_by"
PRIVATE = 0o600
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
    known = _known_forms(target)
    forms = {value: known.get(value) or normalise_phone(*value) for value in values}
    counts = Counter(
        f"phone_{form.problem}" if form.problem else "phone" for form in forms.values()
    )
    if not (target.is_file() and known.keys() == forms.keys()):
        _write(forms, target)
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


def _known_forms(target: Path) -> dict[Value, NormalForm]:
    """What an earlier run's file says of each number; nothing where other code made it, or it is damaged."""
    try:
        if (pq.read_schema(target).metadata or {}).get(MADE_BY) != _made_by():
            return {}
        columns = pq.read_table(target).to_pydict()
    except (OSError, pa.ArrowInvalid):
        return {}
    keys = zip(columns["raw_value"], columns["country_code"], strict=True)
    forms = map(NormalForm, columns["normalised"], columns["problem"])
    return dict(zip(keys, forms, strict=True))


@cache
def _made_by() -> bytes:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(f"phonenumbers={version('phonenumbers')};".encode())
    return digest.hexdigest().encode()


def _write(forms: dict[Value, NormalForm], target: Path) -> None:
    rows = [(raw, country, form.value, form.problem) for (raw, country), form in forms.items()]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    table = pa.Table.from_arrays(
        [pa.array(column, type=part.type) for column, part in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA.with_metadata({MADE_BY: _made_by()}),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.chmod(PRIVATE)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
