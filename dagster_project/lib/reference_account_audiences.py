"""Account audiences once more, in plain Python, without the SQL of the exports.

Rows are dictionaries with the columns of the mart `abm_accounts`, and of `account_tiers` where a
function says so. Used by tests only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def domain_reasons(
    accounts: Iterable[Row], tiers: Mapping[str, Row], domains: Mapping[str, Iterable[str]]
) -> dict[str, str | None]:
    """By account: why it does not speak for a domain, or None where it does.

    `domains`: by account all of its members', of websites and of addresses.
    """
    listed = list(accounts)
    silenced = _silenced(listed, domains)
    keepers: dict[str, str] = {}
    by_size = sorted(listed, key=lambda row: _size(row, tiers[row["account_key"]]))
    for row in by_size:
        if row["is_eligible"] and row["website_domain"] is not None:
            keepers.setdefault(row["website_domain"], row["account_key"])
    reasons: dict[str, str | None] = {}
    for row in listed:
        domain, reason = row["website_domain"], row["ineligible_reason"]
        if reason is None and domain is None:
            reason = "no_domain"
        if reason is None and silenced & {domain, row["email_domain"]}:
            reason = "suppressed"
        if reason is None and keepers[domain] != row["account_key"]:
            reason = "shared_domain"
        reasons[row["account_key"]] = reason
    return reasons


def _size(account: Row, tier: Row) -> tuple[bool, Decimal, bool, Decimal, str]:
    potential = tier["potential"]
    return (
        account["crm_account_id"] is None,
        -tier["revenue"],
        potential is None,
        -(potential or Decimal(0)),
        account["account_key"],
    )


def members(accounts: Iterable[Row], lines: Iterable[Row]) -> dict[str, dict[str, str | None]]:
    """By audience and account that fits it: why it is left out; `lines` are those of the seed."""
    listed, found = list(accounts), defaultdict[str, dict[str, str | None]](dict)
    for line in lines:
        for row in listed:
            if line["tier"] in ("any", row["final_tier"]) and _related(line, row):
                found[line["audience"]][row["account_key"]] = row["ineligible_reason"]
    return dict(found)


def site_rows(
    accounts: Iterable[Row],
    tiers: Mapping[str, Row],
    lines: Sequence[Row],
    domains: Mapping[str, Iterable[str]],
) -> dict[str, set[tuple[str, str, str]]]:
    """6sense: by audience, (name, country, domain) of the groups' accounts."""
    by_key = {row["account_key"]: row for row in accounts}
    silenced = _silenced(by_key.values(), domains)
    found: dict[str, set[tuple[str, str, str]]] = {}
    for audience, reasons in members(by_key.values(), lines).items():
        own = [line for line in lines if line["audience"] == audience]
        groups = {
            tiers[key]["ultimate_parent_account_key"]
            for key, reason in reasons.items()
            if reason is None
        }
        rows = found[audience] = set()
        for key, row in by_key.items():
            group = tiers[key]["ultimate_parent_account_key"]
            if group not in groups or not any(_related(line, row) for line in own):
                continue
            parent: Row = by_key.get(group, {})
            domain: str | None = row["website_domain"] or parent.get("website_domain")
            if domain is None or row["country_code"] is None:
                continue
            if silenced & {domain, row["email_domain"] or parent.get("email_domain")}:
                continue
            if row["ineligible_reason"] is None:
                rows.add((row["account_name"], row["country_code"], domain))
    return found


def _silenced(accounts: Iterable[Row], domains: Mapping[str, Iterable[str]]) -> set[str]:
    keys = (row["account_key"] for row in accounts if row["is_suppressed"])
    return {domain for key in keys for domain in domains.get(key, ())}


def _related(line: Row, row: Row) -> bool:
    return line["relationship"] in ("any", row["relationship"])
