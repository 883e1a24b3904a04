"""Takes what was forgotten out of the marts of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.quoting import identifier, literal, text_map
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.matcher import PLACEHOLDER, Matcher
from dagster_project.lib.release.content import (
    Column,
    columns_of,
    content_sha256,
    parts_sha256,
    runs_sha256,
)
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parts import slices
from dagster_project.lib.release.sorted_file import ROW_GROUP_ROWS

# What a row says of an account beside its figures. The name becomes the id, as of a customer that no extract
# describes; a sentence about it one of no meaning; all else is unknown.
NAMES = frozenset(["account_name", "customer_name", "crm_account_name"])
SENTENCES = frozenset(["tier_reason"])
DESCRIBING = frozenset(
    [
        "city",
        "country_code",
        "email_domain",
        "employee_count",
        "industry",
        "linkedin_url",
        "owner_id",
        "owner_system",
        "postal_code",
        "region",
        "size_band",
        "website_domain",
    ]
)


def mart_edit(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    matcher: Matcher,
    names: Mapping[str, str],
) -> tables.Edit:
    """What becomes of a mart.

    Args:
        connection: reads the relation.
        relation: the mart.
        matcher: knows what is forgotten.
        names: of forgotten accounts, with their ids; cells that say no more than such a name become the id.
    """
    columns = columns_of(connection, relation)
    kinds = dict(columns)
    edit = tables.Edit(cells=tables.text_cells(connection, relation, matcher, columns=columns))
    if "contact_key" in kinds and matcher.has("contact"):
        found = tables.fitting(connection, relation, "contact_key", matcher.contact_key)
        edit.gone += [tables.is_one_of("contact_key", found)] if found else []
    if matcher.has("account"):
        _blank_names(connection, relation, columns, names, edit)
        _blank_accounts(connection, relation, kinds, matcher, edit)
        _blank_reviews(connection, relation, kinds, matcher, edit)
    return edit


def _blank_accounts(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    kinds: Mapping[str, str],
    matcher: Matcher,
    edit: tables.Edit,
) -> None:
    described = (NAMES | SENTENCES | DESCRIBING) & set(kinds)
    if "account_key" not in kinds or not described:
        return
    found = tables.fitting(connection, relation, "account_key", matcher.account_key)
    if not found:
        return
    theirs = tables.is_one_of("account_key", found)
    for name in sorted(described):
        new = "null"
        if name in NAMES:
            new = "regexp_extract(account_key, '^[^:]*:[^:]*:(.*)$', 1)"
        elif name in SENTENCES:
            new = literal(PLACEHOLDER)
        edit.set_where(theirs, f"({new})::{kinds[name]}", name)


def _blank_reviews(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    kinds: Mapping[str, str],
    matcher: Matcher,
    edit: tables.Edit,
) -> None:
    """Names beside the ids of a CRM account and of an ERP customer."""
    for system, own, entity, name in (
        ("erp_system", "erp_customer_id", "customers", "customer_name"),
        ("crm_system", "crm_account_id", "accounts", "crm_account_name"),
    ):
        if not {system, own, name} <= set(kinds):
            continue
        pair = connection.execute(
            f"select distinct {system}, {own} from {relation} where {system} is not null and {own} is not null"
        ).fetchall()
        found = [
            f"({system} = {literal(of)} and {own} = {literal(other)})"
            for of, other in pair
            if matcher.account(of, entity, other)
        ]
        if found:
            edit.set_where(" or ".join(found), own, name)


def _blank_names(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[Column],
    names: Mapping[str, str],
    edit: tables.Edit,
) -> None:
    # rows with an account's key were told by it
    if not names or "account_key" in dict(columns):
        return
    for column in columns:
        if not tables.is_text(column):
            continue
        where = tables.is_one_of(column[0], names)
        if tables.row_count(connection, relation, where):
            edit.set_where(where, f"{text_map(names)}[{identifier(column[0])}]", column[0])


def write_mart(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    target: Path,
    *,
    edit: tables.Edit,
    key: Sequence[str],
) -> None:
    """Writes the mart as it is to be, in key order."""
    relation = tables.parquet(path)
    columns = [name for name, _ in columns_of(connection, relation)]
    order = ", ".join(f"{identifier(name)} asc nulls first" for name in key if name in columns)
    connection.execute(
        f"copy (select * from ({edit.select(columns, relation)}){f' order by {order}' if order else ''}) "
        f"to {literal(target)} (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})"
    )


def content_hash(
    connection: duckdb.DuckDBPyConnection, path: Path, *, key: Sequence[str], like: tuple[Path, str]
) -> tuple[int, str]:
    """Rows and content hash of a mart, by the way in which the hash of its file of before was made.

    Args:
        connection: preserves order.
        path: the mart.
        key: of the mart; a mart in parts has them by the first column.
        like: the file of before and its hash.
    """
    rows, sha256 = content_sha256(connection, path)
    before, known = like
    if key and content_sha256(connection, before)[1] != known:
        in_parts = _parts_hash(connection, before, key[0])
        if in_parts == known:
            return rows, _parts_hash(connection, path, key[0])
    return rows, sha256


def _parts_hash(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> str:
    relation = tables.parquet(path)
    columns = columns_of(connection, relation)
    found = slices(connection, relation, column, columns)
    hashes = runs_sha256(connection, path, [one.rows for one in found])
    named = zip(found, hashes, strict=True)
    return parts_sha256(columns, ((one.value, one.rows, sha) for one, sha in named))


def described_marts(database: Path, keys: Mapping[str, Sequence[str]]) -> list[Mart]:
    """The marts of a database with the comments that it has: the project may say something else by now."""
    with duckdb.connect(str(database), read_only=True) as connection:
        said = connection.execute(
            "select table_name, coalesce(comment, '') from duckdb_tables() order by table_name"
        ).fetchall()
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where comment is not null "
            "and not internal"
        ).fetchall()
    return [
        Mart(
            name=name,
            key=tuple(keys.get(name, ())),
            description=text,
            columns={column: comment for table, column, comment in columns if table == name},
        )
        for name, text in said
    ]
