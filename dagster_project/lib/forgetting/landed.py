"""Takes what was forgotten out of landed files: by the record alone, so that a later delivery is treated alike.

People's rows go, and count as left out by the reason `forgotten`. A user keeps the row under its id, without
name and address, since accounts are owned by it; a suppression keeps the digest, and goes on working. In any
other cell the address becomes a name without meaning.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.entities import Entity, load_entities
from dagster_project.lib.extracts.ledger import LedgerEntry, write_entry
from dagster_project.lib.extracts.quoting import literal, text_map
from dagster_project.lib.extracts.writing import RAW_FORMAT, part_of
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.forms import bare_address, mailbox
from dagster_project.lib.forgetting.landed_texts import OF_ACCOUNTS, edit_layout, rejected_edit
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.release.content import columns_of

FORGOTTEN = "forgotten"
# Nobody writes digests of addresses into them, and seeking them in 5 million lines takes 1.9 s of CPU instead of 0.5.
FIGURES = ("invoice_lines", "exchange_rates", "product_costs", "control_totals")
BY_REFERENCE = {
    "tier_overrides": ("account_id",),
    "identity_links": ("crm_account_id", "erp_customer_id"),
}


def without_forgotten(entry: LedgerEntry, raw: Path, matcher: Matcher) -> LedgerEntry:
    """The entry of a landed delivery after its files were freed of what was forgotten since.

    A run that was killed amid this is made good by the next: what the files hold is counted, not what went.
    """
    if entry.filtered_by == matcher.fingerprint:
        return entry
    path = raw / entry.entity / entry.landed
    with duckdb.connect(config=tables.CONFIG) as connection:
        changed = 0
        for file, edit in _edits(connection, entry, raw, matcher):
            if counts := edit.counts(connection, tables.parquet(file)):
                _rewrite(connection, file, edit)
                changed += counts.changed
        rows = tables.row_count(connection, tables.parquet(path))
    left_out = entry.rows_loaded - rows
    reasons = dict(entry.rows_left_out)
    if left_out:
        reasons[FORGOTTEN] = reasons.get(FORGOTTEN, 0) + left_out
    entry = entry.model_copy(
        update={
            "rows_read": entry.rows_read - left_out,
            "rows_loaded": rows,
            "rows_left_out": reasons,
            "rows_changed": entry.rows_changed + changed,
            "filtered_by": matcher.fingerprint,
        }
    )
    write_entry(entry, raw)
    return entry


def counted(entry: LedgerEntry, raw: Path, matcher: Matcher) -> tables.Counts:
    """What `without_forgotten` would take out of the delivery's files."""
    removed = changed = 0
    with duckdb.connect(config=tables.CONFIG) as connection:
        for file, edit in _edits(connection, entry, raw, matcher):
            counts = edit.counts(connection, tables.parquet(file))
            removed, changed = removed + counts.removed, changed + counts.changed
    return tables.Counts(removed, changed)


def _edits(
    connection: duckdb.DuckDBPyConnection, entry: LedgerEntry, raw: Path, matcher: Matcher
) -> list[tuple[Path, tables.Edit]]:
    """The delivery's files, each with what becomes of it."""
    path = raw / entry.entity / entry.landed
    edits = [(path, _edit(connection, path, entry, matcher))]
    if entry.rejected:
        rejected = raw / "rejected" / entry.rejected
        edits.append((rejected, rejected_edit(connection, rejected, entry, matcher)))
    return edits


def _edit(
    connection: duckdb.DuckDBPyConnection, path: Path, entry: LedgerEntry, matcher: Matcher
) -> tables.Edit:
    relation = tables.parquet(path)
    entity = load_entities().get(entry.entity)
    but = ("source_system", *(("email_sha256",) if entry.entity == "suppressions" else ()))
    edit = tables.Edit(
        cells=tables.text_cells(
            connection, relation, matcher, but=but, with_digests=entry.entity not in FIGURES
        )
    )
    if entity is None:
        edit_layout(connection, relation, edit, entry, matcher)
    else:
        edit.gone = _gone(connection, relation, entity, entry.system, matcher)
        _edit_people(connection, relation, entity.name, edit, matcher)
    return edit


def _gone(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    entity: Entity,
    system: str,
    matcher: Matcher,
) -> list[str]:
    """Conditions of the rows that go."""
    conditions = []
    if entity.name == "contacts":
        if found := tables.fitting(connection, relation, "email", matcher.email):
            conditions.append(tables.is_one_of("email", found))
        if matcher.has("contact"):
            found = tables.fitting(
                connection, relation, "contact_id", lambda text: matcher.contact(system, text)
            )
            conditions += [tables.is_one_of("contact_id", found)] if found else []
        conditions += tables.only_numbers(connection, relation, matcher, country="country_code")
    if not matcher.has("account"):
        return conditions
    if entity.name in OF_ACCOUNTS:
        column, kind = OF_ACCOUNTS[entity.name]
        found = tables.fitting(
            connection, relation, column, lambda text: matcher.account(system, kind, text)
        )
        conditions += [tables.is_one_of(column, found)] if found else []
    for column in BY_REFERENCE.get(entity.name, ()):
        if found := tables.fitting(connection, relation, column, matcher.reference):
            conditions.append(tables.is_one_of(column, found))
    return conditions


def _edit_people(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    entity: str,
    edit: tables.Edit,
    matcher: Matcher,
) -> None:
    """Cells of people who keep their row."""
    if entity not in ("users", "suppressions"):
        return
    found = tables.fitting(connection, relation, "email", matcher.email)
    if not found:
        return
    theirs = tables.is_one_of("email", found)
    if entity == "users":
        edit.set_where(theirs, "null", "user_name")
    else:
        digests = text_map({text: _suppressed_digest(text) for text in found})
        edit.set_where(theirs, f"coalesce(email_sha256, {digests}[email])", "email_sha256")
    edit.set_where(theirs, "null", "email")


def _suppressed_digest(text: str) -> str:
    """SHA-256 of the address as suppressions compare it."""
    # gmail's many spellings are one mailbox there
    return hashlib.sha256(mailbox(bare_address(text) or text).encode()).hexdigest()


def _rewrite(connection: duckdb.DuckDBPyConnection, path: Path, edit: tables.Edit) -> None:
    """Replaces the file; rows keep the numbers of their lines, which their places told until now."""
    relation = tables.parquet(path)
    columns = [name for name, _ in columns_of(connection, relation)]
    if edit.gone and "line_offset" in columns:
        edit.cells["line_number"] = "coalesce(line_number, file_row_number + line_offset)::bigint"
        relation = tables.parquet(path, numbered=True)
    part = part_of(path)
    connection.execute(f"copy ({edit.select(columns, relation)}) to {literal(part)} ({RAW_FORMAT})")
    os.replace(part, path)
