"""How `kam explain` tells an account's story."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dagster_project.lib.shown import table
from dagster_project.lib.shown_service import service
from dagster_project.lib.words import Words

OTHER_RUN = ", which is not the revenue above: the warehouse is of another run"


def story(console: Console, told: dict[str, Any], say: Words) -> None:
    """The sentence first, then the figures, the line, the documents and the history behind it."""
    account, currency = told["account"], told["currency"]
    console.print(Text(f"{account['account_name']}  ({account['account_key']})", style="bold"))
    console.print(Text(say.sentence(str(account["tier_reason"]))), soft_wrap=True)
    console.print(
        table(
            say(
                "As of {day}, amounts in {currency}",
                day=say.day(account["as_of"]),
                currency=currency,
            ),
            [say("what"), say("value")],
            _facts(account, say),
        )
    )
    _rank(console, told, say)
    console.print(
        table(
            say("Who it is"),
            [say(name) for name in ("system", "entity", "id", "matched by", "confidence")],
            [
                [
                    member["source_system"],
                    member["source_entity"],
                    member["source_id"],
                    say(member["match_rule"].replace("_", " ")),
                    str(member["match_confidence"]),
                ]
                for member in told["members"]
            ],
        )
    )
    _documents(console, told, say)
    _history(console, told, say)
    service(console, told, say)


def _facts(account: dict[str, Any], say: Words) -> list[list[Any]]:
    tiers = {
        name: account[f"{name}_tier"] or "-" for name in ("value", "raw", "stable", "override")
    }
    facts = [
        ["relationship", say(account["relationship"])],
        ["final tier", f"{account['final_tier']} ({say(account['posture'])})"],
        [
            "on the way there",
            say("value {value}, raw {raw}, stable {stable}, override {override}", **tiers),
        ],
        *_potential(account, say),
        ["last month", _last_month(account, say)],
        ["revenue", say.money(account["revenue"])],
        ["revenue of the window before", say.money(account["revenue_previous"])],
        *_margins(account, say),
        [
            "invoices",
            say(
                "{count} in {months} months, first {first}, last {last}",
                count=account["invoice_count"],
                months=account["active_months"],
                first=say.day(account["first_invoice_date"]),
                last=say.day(account["last_invoice_date"]),
            ),
        ],
        ["new customer", say("yes" if account["is_new_customer"] else "no")],
    ]
    if account["ultimate_parent_account_key"] != account["account_key"]:
        facts.append(["group", account["ultimate_parent_account_key"]])
    if account["is_excluded"]:
        facts.append(["not ranked", say(account["excluded_reason"])])
    return [[say(name), value] for name, value in facts]


def _potential(account: dict[str, Any], say: Words) -> list[list[Any]]:
    """Potential, its basis, and the cell of the decision table; nothing where it is not computed."""
    if account.get("potential") is None:
        return []
    amount = say(
        "{amount} a year ({basis})",
        amount=say.money(account["potential"]),
        basis=say(account["potential_basis"]),
    )
    facts = [["potential", amount]]
    if account.get("potential_tier"):
        cell = say(
            "{value} by value and {potential} by potential: {raw}",
            value=account["value_tier"] or "-",
            potential=account["potential_tier"],
            raw=account["raw_tier"] or "-",
        )
        facts += [["tier by potential", account["potential_tier"]], ["decision table", cell]]
    return facts


def _margins(account: dict[str, Any], say: Words) -> list[list[Any]]:
    gross = say(
        "{amount} ({rate}; cost known for {coverage})",
        amount=say.money(account["gross_margin"]),
        rate=say.percent(account["gross_margin_rate"]),
        coverage=say.percent(account["cost_coverage"]),
    )
    facts = [["gross margin", gross], ["tier by gross margin", account["gross_margin_tier"] or "-"]]
    if account.get("net_margin") is not None:
        facts.append(["net margin", say.money(account["net_margin"])])
    if account.get("net_margin_tier"):
        facts.append(["tier by net margin", account["net_margin_tier"]])
    return facts


def _last_month(account: dict[str, Any], say: Words) -> str:
    tier = account["previous_tier"] or "-"
    if not account["move_cause"]:
        return str(tier)
    cause = say(account["move_cause"].replace("_", " "))
    return say("{tier}, moved because of {cause}", tier=tier, cause=cause)


def _rank(console: Console, told: dict[str, Any], say: Words) -> None:
    account = told["account"]
    if account["revenue_rank"] is None:
        console.print(
            say("It has no place on the revenue curve, which is built by positive values only.")
        )
        return
    console.print(
        table(
            say("Where the lines are (revenue)"),
            [say(name) for name in ("tier", "accounts", "begins at", "cumulative share")],
            [
                [
                    line["tier"],
                    line["accounts"],
                    say.money(line["entry_value"]),
                    say.percent(line["cumulative_share"]),
                ]
                for line in told["line"]
            ],
        )
    )
    distance = account["revenue_distance"]
    if distance is not None and distance > 0:
        console.print(
            say("It misses the next better tier by {amount}.", amount=say.money(distance)),
            highlight=False,
        )
    elif distance is not None:
        console.print(
            say("It is {amount} above the line of its tier.", amount=say.money(-distance)),
            highlight=False,
        )
    console.print(
        table(
            say("Rank {rank} and its neighbours", rank=account["revenue_rank"]),
            [say(name) for name in ("rank", "account", "revenue", "share before", "tier")],
            [
                [
                    n["curve_rank"],
                    n["account_name"],
                    say.money(n["value"]),
                    say.percent(n["share_before"]),
                    n["tier"],
                ]
                for n in told["neighbours"]
            ],
        )
    )


def _documents(console: Console, told: dict[str, Any], say: Words) -> None:
    documents = told["documents"]
    if documents is None or not documents["count"]:
        return
    agreed = documents["revenue"] == told["account"]["revenue"]
    console.print(
        table(
            say(
                "The largest of {count} documents; all of them sum up to {amount}"
                + ("" if agreed else OTHER_RUN),
                count=documents["count"],
                amount=say.money(documents["revenue"]),
            ),
            [
                *(say(name) for name in ("document", "date", "type", "lines", "amount")),
                "",
                *(say(name) for name in ("revenue", "rate")),
            ],
            [
                [
                    document["invoice_id"],
                    say.day(document["invoice_date"]),
                    say(str(document["document_type"]).replace("_", " ")),
                    document["lines"],
                    say.money(document["amount_local"]),
                    document["currency"],
                    say.money(document["revenue"]),
                    document["rate_path"] or "-",
                ]
                for document in documents["largest"]
            ],
        )
    )


def _history(console: Console, told: dict[str, Any], say: Words) -> None:
    console.print(
        table(
            say("The last months (revenue of the 12 months to each)"),
            [
                say(name)
                for name in ("month", "revenue", "by revenue", "raw", "stable", "override", "final")
            ],
            [
                [
                    say.month(row["month"]),
                    say.money(row["revenue"]),
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
                say("Moves"),
                [say(name) for name in ("month", "from", "to", "cause", "value before", "value")],
                [
                    [
                        say.month(move["month"]),
                        move["from_tier"] or "-",
                        move["to_tier"],
                        say(move["move_cause"].replace("_", " ")),
                        say.money(move["from_value"]),
                        say.money(move["to_value"]),
                    ]
                    for move in told["moves"]
                ],
            )
        )
