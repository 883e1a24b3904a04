"""Identifying values of accounts, customers and suppressions, each with its normal form, for the match in SQL.

Normal forms need libraries (check digits, public suffixes, legal forms) that no SQL engine has, so
each distinct value is normalised once here, and joined to its rows there. What the file of an earlier
run says of a value is taken from there, as long as the same code and libraries made it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.lib.company_names import normalise_name
from dagster_project.lib.form_files import code_hash, known_forms, write_forms
from dagster_project.lib.normal_forms import (
    NormalForm,
    normalise_domain,
    normalise_host,
    normalise_postal_code,
    normalise_registration,
    normalise_vat,
)

logger = logging.getLogger(__name__)

ACCOUNT_COLUMNS = {
    "vat_number": "vat_number",
    "registration_number": "registration_number",
    "website": "domain",
    "email_domain": "domain",
    "account_name": "name",
    "postal_code": "postal_code",
}
CUSTOMER_COLUMNS = {
    "vat_number": "vat_number",
    "registration_number": "registration_number",
    "email_domain": "domain",
    "customer_name": "name",
    "postal_code": "postal_code",
}
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("raw_value", pa.string(), nullable=False),
        pa.field("country_code", pa.string(), nullable=False),
        pa.field("normalised", pa.string()),
        pa.field("is_valid", pa.bool_(), nullable=False),
        pa.field("problem", pa.string()),
    ]
)

# Whatever else than a value decides its normal form.
MODULES = ("identifiers.py", "normal_forms.py", "company_names.py", "public_email_domains.txt")
LIBRARIES = ("cleanco", "idna", "python-stdnum", "tldextract")

Value = tuple[str, str, str]


def normalise_identifiers(
    raw: Path,
    accounts_files: Sequence[Path],
    customers_files: Sequence[Path],
    target: Path,
    *,
    contacts_files: Sequence[Path] = (),
    suppressions_files: Sequence[Path] = (),
) -> dict[str, int]:
    """Writes `target` with one row per distinct kind, raw value and country code ('' where none).

    Args:
        raw: the raw zone, from which relative paths of files start.
        accounts_files: typed Parquet files of the entity `accounts`.
        customers_files: typed Parquet files of the entity `customers`.
        target: the Parquet file to write, whole or not at all; one that already says the same stays.
        contacts_files: those of `contacts`, for the hosts of addresses.
        suppressions_files: those of `suppressions`, for their domains, and for the hosts of addresses.

    Returns:
        Values per kind, and the unusable ones as `<kind>_unusable`.
    """
    selects = [
        *_columns_of([raw / file for file in accounts_files], ACCOUNT_COLUMNS),
        *_columns_of([raw / file for file in customers_files], CUSTOMER_COLUMNS),
        *_hosts_of_addresses([raw / file for file in contacts_files]),
        *_hosts_of_addresses([raw / file for file in suppressions_files]),
        *_domains_of([raw / file for file in suppressions_files]),
    ]
    values = _distinct_values(selects)
    known = known_forms(target, ("kind", "raw_value", "country_code"), made_by=_made_by())
    forms = {value: known.get(value) for value in values}
    is_whole = len(known) == len(forms) and None not in forms.values()
    # Names and domains do not depend on the country: one normal form serves all rows.
    alike: dict[Value, NormalForm] = {}
    counts: Counter[str] = Counter()
    rows: list[tuple[str, str, str, str | None, bool, str | None]] = []
    for (kind, value, country), found in forms.items():
        form = found
        if form is None:
            key = (kind, value, "" if kind in ("name", "domain", "host") else country)
            form = alike.get(key) or NORMALISERS[kind](value, country)
            alike[key] = form
        rows.append((kind, value, country, form.value, form.value is not None, form.problem))
        counts[kind] += 1
        counts[f"{kind}_unusable"] += form.value is None
    if not (is_whole and target.is_file()):
        write_forms(rows, target, schema=SCHEMA, made_by=_made_by())
    logger.debug("identifiers: %s", dict(counts))
    return dict(counts)


@cache
def _made_by() -> bytes:
    return code_hash([Path(__file__).with_name(name) for name in MODULES], LIBRARIES)


def _name(value: str, _country: str) -> NormalForm:
    name = normalise_name(value)
    return NormalForm(name, None if name else "invalid")


def _domain(value: str, _country: str) -> NormalForm:
    return normalise_domain(value)


def _host(value: str, _country: str) -> NormalForm:
    return normalise_host(value)


NORMALISERS: dict[str, Callable[[str, str], NormalForm]] = {
    "vat_number": normalise_vat,
    "registration_number": normalise_registration,
    "domain": _domain,
    "host": _host,
    "name": _name,
    "postal_code": normalise_postal_code,
}


Select = tuple[str, Sequence[Path]]


def _columns_of(files: Sequence[Path], columns: Mapping[str, str]) -> list[Select]:
    return [
        (
            f"select '{kind}' as kind, {column} as raw_value, "
            "coalesce(country_code, '') as country_code "
            f"from read_parquet(?) where {column} is not null",
            files,
        )
        for column, kind in columns.items()
    ]


def _hosts_of_addresses(files: Sequence[Path]) -> list[Select]:
    """What stands behind the @, where it is not ASCII: the rest SQL can read by itself."""
    host = "regexp_replace(email, '^([^@]*@)+', '')"
    return [
        (
            f"select 'host', {host}, '' from read_parquet(?) "
            rf"where email like '%@%' and regexp_matches({host}, '[^\x00-\x7F]')",
            files,
        )
    ]


def _domains_of(files: Sequence[Path]) -> list[Select]:
    return [
        (f"select '{kind}', domain, '' from read_parquet(?) where domain is not null", files)
        for kind in ("domain", "host")
    ]


def _distinct_values(selects: Sequence[Select]) -> list[Value]:
    """Distinct (kind, raw value, country code), sorted: the same file from run to run."""
    asked = [(query, [str(file) for file in files]) for query, files in selects if files]
    if not asked:
        return []
    query = " union ".join(query for query, _ in asked) + " order by all"
    with duckdb.connect() as connection:
        return connection.execute(query, [files for _, files in asked]).fetchall()
