"""Where attention is due: the base at risk, and time against the plan."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.lib.report.accounts import Risk, Time
from dagster_project.lib.report.blocks import Block, Cell, Column, Section, Table, Text
from dagster_project.lib.report.portfolio import Totals
from dagster_project.lib.report.reading import Row
from dagster_project.lib.report.said import Said
from dagster_project.lib.report.sections.curves import name_cell

PERCENT_UNITS = ("share", "rate")


def at_risk(risk: Risk, totals: Totals, say: Said) -> Section:
    """Reasons by what they put at stake, then the accounts."""
    title = say("risk_title")
    if not risk.account_count:
        return Section("risk", title, [Text(say("risk_none"), tone="note")])
    blocks: list[Block] = [
        Table(
            say("risk_reasons_caption", currency=say.currency),
            [
                Column(say("reason")),
                Column(say("accounts"), is_number=True),
                Column(say("of_which_high"), is_number=True),
                Column(say("value_at_risk"), is_number=True),
                Column(say("share_of_risk")),
            ],
            [
                [
                    Cell(say.word(row["reason"]), detail=say(f"risk_{row['reason']}")),
                    say.count(row["accounts"]),
                    say.count(row["high"]),
                    say.money(row["value"]),
                    Cell(
                        say.percent(_part(row["value"], risk.value)),
                        "bar",
                        share=_part(row["value"], risk.value),
                    ),
                ]
                for row in risk.reasons
            ],
            note=say("risk_reasons_note"),
        )
    ]
    if risk.shown:
        blocks.append(_accounts(risk, say))
    lead = say("risk_lead_none", tier=totals.headline.best_tier or "")
    if risk.behaving_count:
        lead = say(
            "risk_lead",
            n=risk.behaving_count,
            tier=totals.headline.best_tier or "",
            amount=say.short_money(risk.behaving_value),
        )
    only_time = risk.account_count - risk.behaving_count
    if only_time:
        lead += " " + say(
            "risk_only_time",
            n=only_time,
            amount=say.short_money(risk.value - risk.behaving_value),
        )
    return Section("risk", title, blocks, lead=lead)


def _accounts(risk: Risk, say: Said) -> Table:
    left = risk.behaving_count - len(risk.shown)
    return Table(
        say("risk_accounts_caption", currency=say.currency),
        [
            Column(say("account")),
            Column(say("value_at_risk"), is_number=True),
            Column(say("why")),
        ],
        [
            [
                name_cell(row),
                say.money(row["value"]),
                "; ".join(_reason(one, say) for one in row["reasons"]),
            ]
            for row in risk.shown
        ],
        note=say("more_at_risk", n=left) if left > 0 else "",
    )


def _reason(reason: Row, say: Said) -> str:
    unit = reason["unit"]
    if unit in PERCENT_UNITS:
        observed, threshold = say.percent(reason["observed"]), say.percent(reason["threshold"])
    else:
        observed, threshold = (
            say.decimal(reason["observed"], 1),
            say.decimal(reason["threshold"], 1),
        )
    key = f"observed_{reason['rule']}"
    return say(key if say.has(key) else "observed_other", observed=observed, threshold=threshold)


def time_spent(time: Time, say: Said) -> Section:
    """Hours per tier, then the accounts furthest from their plan."""
    title = say("time_title")
    if not time.tiers:
        return Section("time", title, [Text(say("time_none"), tone="note")])
    blocks: list[Block] = []
    if not time.given_hours:
        blocks.append(Text(say("time_no_activity"), tone="note"))
    blocks.append(_tiers(time, say))
    if time.under_served:
        blocks.append(_served(time.under_served, "under_served_caption", say))
    if time.over_served:
        blocks.append(_served(time.over_served, "over_served_caption", say))
    if time.owners["owners"]:
        blocks.append(
            Text(
                say(
                    "owners",
                    n=time.owners["owners"],
                    overloaded=say.count(time.owners["overloaded"]),
                    needed=say.hours(time.owners["needed"]),
                    available=say.hours(time.owners["available"]),
                )
            )
        )
    return Section("time", title, blocks, lead=_time_lead(time, say), side_by_side=True)


def _time_lead(time: Time, say: Said) -> str:
    best, worst = time.tiers[0], time.tiers[-1]
    if not time.given_hours:
        return ""
    if not best["needed"]:
        return say("time_lead_served", tier=best["final_tier"])
    return say(
        "time_lead",
        n=best["under_served"],
        tier=best["final_tier"],
        missing=say.hours(best["needed"]),
        lowest=worst["final_tier"],
        spare=say.hours(worst["spare"]),
    )


def _tiers(time: Time, say: Said) -> Table:
    hours = [row[name] or 0 for row in time.tiers for name in ("planned", "given")]
    largest = float(max(hours, default=0)) or 1
    return Table(
        say("time_tiers_caption"),
        [
            Column(say("tier")),
            Column(say("hours_planned")),
            Column(say("hours_given")),
            Column(say("under_served"), is_number=True),
            Column(say("hours_missing"), is_number=True),
            Column(say("over_served"), is_number=True),
            Column(say("hours_spare"), is_number=True),
        ],
        [
            [
                Cell(row["final_tier"], "tier"),
                Cell(say.hours(row["planned"]), "bar", share=_part(row["planned"], largest)),
                Cell(say.hours(row["given"]), "bar", share=_part(row["given"], largest)),
                say.count(row["under_served"]),
                say.hours(row["needed"]),
                say.count(row["over_served"]),
                say.hours(row["spare"]),
            ]
            for row in time.tiers
        ],
        is_wide=True,
    )


def _served(rows: Sequence[Row], caption: str, say: Said) -> Table:
    return Table(
        say(caption, currency=say.currency),
        [
            Column(say("account")),
            Column(say("tier")),
            Column(say("revenue"), is_number=True),
            Column(say("hours_planned"), is_number=True),
            Column(say("hours_given"), is_number=True),
        ],
        [
            [
                name_cell(row),
                Cell(row["final_tier"], "tier"),
                say.money(row["revenue"]),
                say.decimal(row["planned_hours"], 1),
                say.decimal(row["actual_hours"], 1),
            ]
            for row in rows
        ],
    )


def _part(part: object, whole: object) -> float:
    return float(part) / float(whole) if part and whole else 0.0  # type: ignore[arg-type]
