"""Why an account has its tier: everything that the live release and the warehouse know of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.release.live import LiveRelease

DOCUMENTS_SHOWN = 10
CANDIDATES_SHOWN = 8
# sections of the story by name: shown where the release has the mart
LATER = {
    "coverage": ("account_coverage", "from account_coverage where account_key = ?"),
    "risks": ("base_at_risk", "from base_at_risk where account_key = ? order by reason_order"),
    "plays": (
        "account_plays",
        "select plays.play_rank, plays.play_id, plays.play_trigger, plays.play_kind, "
        "any_value(book.title_en) as title_en, any_value(book.title_fr) as title_fr, "
        "any_value(book.action_en) as action_en, any_value(book.action_fr) as action_fr "
        "from account_plays as plays inner join tier_playbook as book using (play_id) "
        "where plays.account_key = ? group by all order by plays.play_rank",
    ),
}

log = logging.getLogger(__name__)


class AccountNotFoundError(Exception):
    """No account, or more than one, answers to the name; the text lists what comes near."""


def explain(release: LiveRelease, name: str, *, warehouse: Path) -> dict[str, Any]:
    """The account's row of `account_tiers`, members, line, neighbours, history, moves, months and documents.

    Args:
        release: the live release.
        name: account_key (today's or an earlier one), CRM or ERP id, `system:id`, or the account's name.
        warehouse: dbt's work file, for the documents; they are left out where it cannot be opened.

    Raises:
        AccountNotFoundError: nothing, or several accounts, fit the name.
    """
    with duckdb.connect() as connection:
        for mart in release.manifest.marts:
            path = str(release.mart(mart.name)).replace("'", "''")
            connection.execute(f"create view {mart.name} as from read_parquet('{path}')")
        key = find_account(connection, name)
        account = _rows(connection, "from account_tiers where account_key = ?", [key])[0]
        story: dict[str, Any] = {
            "account": account,
            "currency": release.manifest.reporting_currency,
            "release_id": release.release_id,
            "members": _rows(
                connection,
                "from account_members where account_key = ? order by source_entity, source_system, source_id",
                [key],
            ),
            "line": _line(connection, account),
            "neighbours": _neighbours(connection, account),
            "history": _rows(
                connection,
                "select month, revenue, revenue_tier, raw_tier, stable_tier, override_tier, final_tier "
                "from account_tier_history where account_key = ? order by as_of desc limit 12",
                [key],
            ),
            "moves": _moves(connection, key),
            "group": _group(connection, account),
            "data_since": _data_since(connection),
            "months": _rows(
                connection,
                "select month, revenue, gross_margin, invoice_count, currencies "
                "from account_monthly where account_key = ? order by month desc limit 12",
                [key],
            ),
        }
        published = {record.name for record in release.manifest.marts}
        for name, (needed, query) in LATER.items():
            if needed in published:
                story[name] = _rows(connection, query, [key])
    story["documents"] = _documents(warehouse, key, release)
    return story


def find_account(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The account_key that the name means; exact names come before parts of names."""
    ladders = [
        "select account_key from account_tiers where account_key = $name "
        "union select account_key from account_aliases where alias_key = $name",
        "select distinct account_key from account_members where source_id = $name "
        "or source_system || ':' || source_id = $name",
        "select account_key from account_tiers where lower(account_name) = lower($name)",
        "select account_key from account_tiers where contains(lower(account_name), lower($name))",
    ]
    for ladder in ladders:
        keys = [str(row[0]) for row in connection.execute(ladder, {"name": name}).fetchall()]
        if len(keys) == 1:
            return keys[0]
        if keys:
            raise AccountNotFoundError(_several(connection, name, keys))
    raise AccountNotFoundError(
        f"no account answers to {name!r}; give its key, a CRM or ERP id, or a part of its name"
    )


def _several(connection: duckdb.DuckDBPyConnection, name: str, keys: list[str]) -> str:
    rows = connection.execute(
        "select account_key, account_name from account_tiers where list_contains(?, account_key) "
        "order by revenue desc, account_key limit ?",
        [keys, CANDIDATES_SHOWN],
    ).fetchall()
    shown = "; ".join(f"{key} ({account})" for key, account in rows)
    more = f"; and {len(keys) - len(rows)} more" if len(keys) > len(rows) else ""
    return f"{len(keys)} accounts answer to {name!r}, give one of their keys: {shown}{more}"


def _line(connection: duckdb.DuckDBPyConnection, account: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of the revenue curve: what each tier begins with."""
    return _rows(
        connection,
        "select tier, count(*) as accounts, min(value) filter (where value > 0) as entry_value, "
        "max(cumulative_share) as cumulative_share from pareto_curve "
        "where scheme = 'revenue' group by tier order by tier",
        [],
    )


def _moves(connection: duckdb.DuckDBPyConnection, key: str) -> list[dict[str, Any]]:
    """The account's moves, the last first; a demotion with the months that patience held it back for.

    `months_below`: months in a row, up to the move, whose raw tier is another one than the one left; null
    where the move is no monthly demotion or has another cause than a figure.
    """
    moves = _rows(
        connection,
        "from tier_moves where account_key = ? order by as_of desc, moved_at desc",
        [key],
    )
    raw = connection.execute(
        "select as_of, raw_tier from account_tier_history where account_key = ? order by as_of desc",
        [key],
    ).fetchall()
    for move in moves:
        below = 0
        is_demotion = move["move_kind"] == "monthly" and move["direction"] == "demoted"
        if is_demotion and move["move_cause"] != "override":
            months = [tier for as_of, tier in raw if as_of <= move["as_of"]]
            found = [n for n, tier in enumerate(months) if tier == move["from_tier"]]
            below = found[0] if found else 0
        move["months_below"] = below or None
    return moves


def _group(connection: duckdb.DuckDBPyConnection, account: dict[str, Any]) -> dict[str, Any] | None:
    """The group that the account is classified with; nothing where it is classified by itself."""
    key = account["classified_account_key"]
    rows = _rows(
        connection,
        "select count(*) as account_count, "
        "max(account_name) filter (where account_key = classified_account_key) as account_name "
        "from account_tiers where classified_account_key = ?",
        [key],
    )
    if rows[0]["account_count"] < 2 or account["is_excluded"]:
        return None
    values = _rows(
        connection,
        "select value as revenue from pareto_curve where scheme = 'revenue' and account_key = ?",
        [key],
    )
    return {"account_key": key, "revenue": values[0]["revenue"] if values else None} | rows[0]


def _data_since(connection: duckdb.DuckDBPyConnection) -> Any:
    """The first month of which any account has an invoice."""
    return _rows(connection, "select min(month) as month from account_monthly", [])[0]["month"]


def _neighbours(
    connection: duckdb.DuckDBPyConnection, account: dict[str, Any]
) -> list[dict[str, Any]]:
    if account["revenue_rank"] is None:
        return []
    return _rows(
        connection,
        "select curve_rank, account_key, account_name, value, share_before, tier "
        "from pareto_curve inner join account_tiers using (account_key) "
        "where scheme = 'revenue' and curve_rank between ? - 1 and ? + 1 order by curve_rank",
        [account["revenue_rank"]] * 2,
    )


def _documents(warehouse: Path, key: str, release: LiveRelease) -> dict[str, Any] | None:
    """The largest documents of the window, and whether all of them sum up to the mart's revenue."""
    try:
        connection = duckdb.connect(str(warehouse), read_only=True)
    except duckdb.Error:
        log.warning("the warehouse cannot be opened now (a run may be working): no documents shown")
        return None
    with connection:
        window = (
            "from intermediate.int_invoice_lines_converted as lines "
            "inner join marts.account_members as members "
            "on lines.source_system = members.source_system and lines.customer_id = members.source_id "
            "and members.source_entity = 'customers' cross join raw.policy_parameters as parameters "
            "where members.account_key = $key and lines.booking = 'booked' "
            "and lines.invoice_date < parameters.as_of and lines.invoice_date >= "
            "parameters.as_of - to_months(parameters.window_months) and parameters.as_of = $as_of"
        )
        given = {"key": key, "as_of": release.manifest.as_of}
        documents = (
            "select lines.source_system, invoice_id, min(invoice_date) as invoice_date, "
            "min(document_type) as document_type, count(*) as lines, min(currency) as currency, "
            "sum(revenue_local) as amount_local, sum(revenue) as revenue, sum(cost) as cost, "
            f"min(rate_path) as rate_path {window} group by all"
        )
        try:
            total = connection.execute(f"select count(*), sum(revenue) from ({documents})", given)
        except duckdb.CatalogException:
            log.warning(
                "the lines lie on Spark (intermediate.int_invoice_lines_converted): no documents shown"
            )
            return None
        count, revenue = total.fetchone() or (0, None)
        largest = _rows(
            connection,
            f"from ({documents}) order by abs(revenue) desc, invoice_id limit {DOCUMENTS_SHOWN}",
            given,
        )
    return {"count": count, "revenue": revenue, "largest": largest}


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, given: list[Any] | dict[str, Any]
) -> list[dict[str, Any]]:
    result = connection.execute(query, given)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
