"""How `kam explain` tells an account's story."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dagster_project.lib.shown import table
from dagster_project.lib.shown_service import service
from dagster_project.lib.words import Words

# where groups are classified: what is the group's, what is the account's own; the rest is neither
OF_THE_GROUP = {
    "final tier",
    "on the way there",
    "tier by potential",
    "decision table",
    "before this publication",
    "last month",
    "tier by gross margin",
    "tier by net margin",
    "by revenue",
    "value before",
}
ITS_OWN = {
    "potential",
    "revenue",
    "revenue of the window before",
    "gross margin",
    "net margin",
    "invoices",
}
MONTHS_OF_A_WINDOW = 12  # as the history says it
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
            _facts(told, say),
        )
    )
    if group := told["group"]:
        console.print(
            say(
                "It is classified with its group {name} ({count} accounts): tiers, ranks, lines and the "
                "values of moves are the group's; revenue, margins, potential, invoices, documents and "
                "hours are the account's own.",
                name=group["account_name"] or group["account_key"],
                count=group["account_count"],
            ),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    _rank(console, told, say)
    console.print(
        table(
            say("Who it is"),
            [say(name) for name in ("system", "entity", "id", "matched by", "confidence")],
            [
                [
                    member["source_system"],
                    say(member["source_entity"]),
                    member["source_id"],
                    say(member["match_rule"].replace("_", " ")),
                    say.number(member["match_confidence"], places=3),
                ]
                for member in told["members"]
            ],
        )
    )
    _documents(console, told, say)
    _history(console, told, say)
    service(console, told, say)


def _facts(told: dict[str, Any], say: Words) -> list[list[Any]]:
    account = told["account"]
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
        *_before(told, say),
        ["revenue", say.money(account["revenue"])],
        ["revenue of the window before", say.money(account["revenue_previous"])],
        *_margins(account, say),
        ["invoices", _invoices(account, say)],
        ["new customer", say("yes" if account["is_new_customer"] else "no")],
    ]
    if account["ultimate_parent_account_key"] != account["account_key"]:
        facts.append(["group", account["ultimate_parent_account_key"]])
    if account["is_excluded"]:
        facts.append(["not ranked", say(account["excluded_reason"])])
    if group := told["group"]:
        facts.append(["revenue of the group", say.money(group["revenue"])])
    return [[_label(name, told, say), value] for name, value in facts]


def _invoices(account: dict[str, Any], say: Words) -> str:
    days = {
        "first": say.day(account["first_invoice_date"]),
        "last": say.day(account["last_invoice_date"]),
    }
    if account["first_invoice_date"] is None:
        return say("never one")
    if not account["invoice_count"]:
        return say("none in the window, first {first}, last {last}", **days)
    return say(
        "{count} in {months} months, first {first}, last {last}",
        count=account["invoice_count"],
        months=account["active_months"],
        **days,
    )


def _label(name: str, told: dict[str, Any], say: Words) -> str:
    """Whose figure it is, where the account is classified with its group."""
    if told["group"] and name in OF_THE_GROUP:
        return say("{what} (of its group)", what=say(name))
    if told["group"] and name in ITS_OWN:
        return say("{what} (its own)", what=say(name))
    return say(name)


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
    gross = say.money(account["gross_margin"])
    if account["cost_coverage"] is not None:
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


def _before(told: dict[str, Any], say: Words) -> list[list[Any]]:
    """The tier of the month before; where this month was published before with another one, that too."""
    account, history = told["account"], told["history"]
    if not account["move_cause"]:
        return [["last month", str(account["previous_tier"] or "-")]]
    moved = say(
        "{tier}, moved because of {cause}",
        tier=account["previous_tier"] or "-",
        cause=say(account["move_cause"].replace("_", " ")),
    )
    of_this_month = [move for move in told["moves"] if move["as_of"] == account["as_of"]]
    if not any(move["move_kind"] == "restated" for move in of_this_month):
        return [["last month", moved]]
    last_month = history[1]["final_tier"] if len(history) > 1 else "-"
    return [["before this publication", moved], ["last month", last_month]]


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
                _label(name, told, say)
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
    _say_since(console, told, say)
    if told["moves"]:
        remarks = [_remark(move, say) for move in told["moves"]]
        console.print(
            table(
                say("Moves"),
                [
                    *(say(name) for name in ("month", "from", "to", "cause")),
                    _label("value before", told, say),
                    say("value"),
                    *([say("remark")] if any(remarks) else []),
                ],
                [
                    [
                        say.month(move["month"]),
                        move["from_tier"] or "-",
                        move["to_tier"],
                        say(move["move_cause"].replace("_", " ")),
                        say.money(move["from_value"]),
                        say.money(move["to_value"]),
                        *([remark] if any(remarks) else []),
                    ]
                    for move, remark in zip(told["moves"], remarks, strict=True)
                ],
            )
        )


def _remark(move: dict[str, Any], say: Words) -> str:
    """What the two values do not tell: a month said again, and a demotion that patience held back."""
    if move["move_kind"] == "restated":
        return say("the month was published again")
    if (move["months_below"] or 0) > 1:
        return say("{count} months below the line; patience is over", count=move["months_below"])
    return ""


def _say_since(console: Console, told: dict[str, Any], say: Words) -> None:
    """Where the months shown reach back to windows that begin before the first invoice of all."""
    since, history = told["data_since"], told["history"]
    if since is None or not history:
        return
    first = history[-1]["month"]
    if (first.year - since.year) * 12 + first.month - since.month < MONTHS_OF_A_WINDOW - 1:
        console.print(
            say(
                "The extracts have invoices from {month} on: sums of 12 months that begin before are of fewer months.",
                month=say.month(since),
            ),
            highlight=False,
            soft_wrap=True,
        )
