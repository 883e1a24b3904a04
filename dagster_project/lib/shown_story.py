"""How `kam explain` tells an account's story."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dagster_project.lib.shown import money, percent, table


def story(console: Console, told: dict[str, Any]) -> None:
    """The sentence first, then the figures, the line, the documents and the history behind it."""
    account, currency = told["account"], told["currency"]
    console.print(Text(f"{account['account_name']}  ({account['account_key']})", style="bold"))
    console.print(Text(str(account["tier_reason"])), soft_wrap=True)
    console.print(
        table(
            f"As of {account['as_of']}, amounts in {currency}", ["what", "value"], _facts(account)
        )
    )
    _rank(console, told)
    console.print(
        table(
            "Who it is",
            ["system", "entity", "id", "matched by", "confidence"],
            [
                [
                    member["source_system"],
                    member["source_entity"],
                    member["source_id"],
                    member["match_rule"].replace("_", " "),
                    str(member["match_confidence"]),
                ]
                for member in told["members"]
            ],
        )
    )
    _documents(console, told)
    _history(console, told)


def _facts(account: dict[str, Any]) -> list[list[Any]]:
    facts = [
        ["relationship", account["relationship"]],
        ["final tier", f"{account['final_tier']} ({account['posture']})"],
        [
            "on the way there",
            f"value {account['value_tier'] or '-'}, raw {account['raw_tier'] or '-'}, "
            f"stable {account['stable_tier'] or '-'}, override {account['override_tier'] or '-'}",
        ],
        ["last month", f"{account['previous_tier'] or '-'}{_cause(account)}"],
        ["revenue", money(account["revenue"])],
        ["revenue of the window before", money(account["revenue_previous"])],
        [
            "gross margin",
            f"{money(account['gross_margin'])} ({percent(account['gross_margin_rate'])}; cost known "
            f"for {percent(account['cost_coverage'])})",
        ],
        ["tier by gross margin", account["gross_margin_tier"] or "-"],
        [
            "invoices",
            f"{account['invoice_count']} in {account['active_months']} months, first "
            f"{account['first_invoice_date'] or '-'}, last {account['last_invoice_date'] or '-'}",
        ],
        ["new customer", account["is_new_customer"]],
    ]
    if account["ultimate_parent_account_key"] != account["account_key"]:
        facts.append(["group", account["ultimate_parent_account_key"]])
    if account["is_excluded"]:
        facts.append(["not ranked", account["excluded_reason"]])
    return facts


def _cause(account: dict[str, Any]) -> str:
    return (
        f", moved because of {account['move_cause'].replace('_', ' ')}"
        if account["move_cause"]
        else ""
    )


def _rank(console: Console, told: dict[str, Any]) -> None:
    account = told["account"]
    if account["revenue_rank"] is None:
        console.print(
            "It has no place on the revenue curve, which is built by positive values only."
        )
        return
    console.print(
        table(
            "Where the lines are (revenue)",
            ["tier", "accounts", "begins at", "cumulative share"],
            [
                [
                    line["tier"],
                    line["accounts"],
                    line["entry_value"],
                    percent(line["cumulative_share"]),
                ]
                for line in told["line"]
            ],
        )
    )
    distance = account["revenue_distance"]
    if distance is not None and distance > 0:
        console.print(f"It misses the next better tier by {money(distance)}.", highlight=False)
    elif distance is not None:
        console.print(f"It is {money(-distance)} above the line of its tier.", highlight=False)
    console.print(
        table(
            f"Rank {account['revenue_rank']} and its neighbours",
            ["rank", "account", "revenue", "share before", "tier"],
            [
                [
                    n["curve_rank"],
                    n["account_name"],
                    n["value"],
                    percent(n["share_before"]),
                    n["tier"],
                ]
                for n in told["neighbours"]
            ],
        )
    )


def _documents(console: Console, told: dict[str, Any]) -> None:
    documents = told["documents"]
    if documents is None or not documents["count"]:
        return
    agreed = documents["revenue"] == told["account"]["revenue"]
    console.print(
        table(
            f"The largest of {documents['count']} documents; all of them sum up to "
            f"{money(documents['revenue'])}"
            + (
                ""
                if agreed
                else ", which is not the revenue above: the warehouse is of another run"
            ),
            ["document", "date", "type", "lines", "amount", "", "revenue", "rate"],
            [
                [
                    document["invoice_id"],
                    document["invoice_date"],
                    document["document_type"],
                    document["lines"],
                    document["amount_local"],
                    document["currency"],
                    document["revenue"],
                    document["rate_path"] or "-",
                ]
                for document in documents["largest"]
            ],
        )
    )


def _history(console: Console, told: dict[str, Any]) -> None:
    console.print(
        table(
            "The last months (revenue of the 12 months to each)",
            ["month", "revenue", "by revenue", "raw", "stable", "override", "final"],
            [
                [
                    f"{row['month']:%Y-%m}",
                    row["revenue"],
                    row["revenue_tier"] or "-",
                    row["raw_tier"] or "-",
                    row["stable_tier"] or "-",
                    row["override_tier"] or "-",
                    row["final_tier"],
                ]
                for row in told["history"]
            ],
        )
    )
    if told["moves"]:
        console.print(
            table(
                "Moves",
                ["month", "from", "to", "cause", "value before", "value"],
                [
                    [
                        f"{move['month']:%Y-%m}",
                        move["from_tier"] or "-",
                        move["to_tier"],
                        move["move_cause"].replace("_", " "),
                        move["from_value"],
                        move["to_value"],
                    ]
                    for move in told["moves"]
                ],
            )
        )
