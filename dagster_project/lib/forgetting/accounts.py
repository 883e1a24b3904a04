"""The account behind a name that the user gives: its members in every system."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.explained import AccountNotFoundError, find_account
from dagster_project.lib.extracts.ledger import read_ledger
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.forgetting import tables
from dagster_project.lib.forgetting.landed_files import NAME_COLUMNS, landed_path
from dagster_project.lib.release.live import LiveRelease


class SubjectError(ValueError):
    """What is to be forgotten cannot be told; the text names the remedy."""


def members_of(text: str, raw: Path, live: LiveRelease | None) -> tuple[str, set[str], set[str]]:
    """The account's key, its members as `system:entity:id`, and how governance may refer to them."""
    rows = _published_members(text, live) if live else []
    if not rows:
        rows = _landedmembers_of(text, raw)
    if not rows:
        raise SubjectError(
            f"--account: no account answers to {text!r}; give its key, a CRM or ERP id"
        )
    members = {f"{system}:{entity}:{own}" for _, system, entity, own in rows}
    # a bare id is a reference only where no other account has it
    references = {f"{system}:{own}" for _, system, _, own in rows}
    references |= {own for _, _, _, own in rows if not live or _is_only(live, own)}
    return rows[0][0], members | {rows[0][0]}, references


def _published_members(text: str, live: LiveRelease) -> list[tuple[str, str, str, str]]:
    with duckdb.connect(config=tables.CONFIG) as connection:
        for name in ("account_tiers", "account_aliases", "account_members"):
            connection.execute(f"create view {name} as from {tables.parquet(live.mart(name))}")
        try:
            key = find_account(connection, text)
        except AccountNotFoundError as error:
            if "answer to" in str(error) and "no account" not in str(error):
                raise SubjectError(f"--account: {error}") from None
            return []
        return connection.execute(
            "select account_key, source_system, source_entity, source_id from account_members "
            "where account_key = ?",
            [key],
        ).fetchall()


def _is_only(live: LiveRelease, own: str) -> bool:
    with duckdb.connect(config=tables.CONFIG) as connection:
        row = connection.execute(
            "select count(distinct account_key) from "
            f"{tables.parquet(live.mart('account_members'))} where source_id = {literal(own)}"
        ).fetchone()
    return row is None or int(row[0]) <= 1


def _landedmembers_of(text: str, raw: Path) -> list[tuple[str, str, str, str]]:
    """Accounts of the raw zone by key, `system:id` or id: before the first release, or after the last."""
    found = set()
    with duckdb.connect(config=tables.CONFIG) as connection:
        for entry in read_ledger(raw):
            if entry.entity not in NAME_COLUMNS or not landed_path(entry, raw).is_file():
                continue
            key = NAME_COLUMNS[entry.entity][0]
            own = text.removeprefix(f"{entry.system}:").removeprefix(f"{entry.entity}:")
            if tables.row_count(
                connection, tables.parquet(landed_path(entry, raw)), f"{key} = {literal(own)}"
            ):
                found.add((f"{entry.system}:{entry.entity}:{own}", entry.system, entry.entity, own))
    if len(found) > 1:
        keys = ", ".join(sorted(key for key, *_ in found))
        raise SubjectError(f"--account: several accounts answer to {text!r}, give one of {keys}")
    return sorted(found)
