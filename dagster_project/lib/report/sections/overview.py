"""The first look: headline figures, and what each tier brings, numbers and takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dagster_project.lib.headline import TierFigures
from dagster_project.lib.report.accounts import Moves, Risk, Time
from dagster_project.lib.report.blocks import Block, Card, Cards, Cell, Column, Section, Table, Text
from dagster_project.lib.report.portfolio import Totals
from dagster_project.lib.report.said import Said
from dagster_project.lib.report.trust import Quality


def headline(totals: Totals, moves: Moves, risk: Risk, quality: Quality, say: Said) -> Section:
    """What everybody asks first."""
    figures = totals.headline
    last_day = totals.as_of - timedelta(days=1)
    cards = [
        Card(say("card_revenue"), say.short_money(figures.revenue), _since_before(totals, say)),
        _margin(totals, say),
        Card(say("card_accounts"), say.count(figures.accounts), _relationships(totals, say)),
    ]
    if figures.best_tier and figures.best_tier_share_of_revenue is not None:
        cards.append(
            Card(
                say("card_best", tier=figures.best_tier),
                say.percent(figures.best_tier_share_of_revenue),
                say(
                    "card_best_detail",
                    n=figures.tiers[0].accounts,
                    share=say.percent(figures.best_tier_share_of_accounts),
                ),
            )
        )
    if figures.accounts_making_80_percent is not None:
        cards.append(
            Card(
                say("card_making_80", share=say.percent(0.8, 0)),
                say.count(figures.accounts_making_80_percent),
                say("card_making_80_detail"),
            )
        )
    cards += [
        Card(
            say("card_risk"),
            say.short_money(risk.behaving_value),
            say("card_risk_detail", n=risk.behaving_count, tier=figures.best_tier or ""),
        ),
        _moved(moves, say),
        Card(
            say("card_checks"),
            say.count(quality.passed),
            say("card_checks_detail", n=len(quality.failed)),
        ),
    ]
    blocks: list[Block] = [Cards(cards)]
    if figures.excluded_accounts:
        blocks.append(
            Text(
                say(
                    "excluded",
                    n=figures.excluded_accounts,
                    amount=say.short_money(figures.excluded_value),
                ),
                tone="note",
            )
        )
    lead = say(
        "headline_lead",
        n=totals.window_months,
        day=say.day(last_day),
        currency=figures.currency,
    )
    return Section("headline", say("headline_title"), blocks, lead=lead)


def tiers(totals: Totals, time: Time, say: Said) -> Section:
    """One row per tier: value, accounts, time."""
    figures = totals.headline
    if not figures.tiers:
        return Section("tiers", say("tiers_title"), [Text(say("tiers_none"), tone="note")])
    hours = {row["final_tier"]: row for row in time.tiers}
    ranked = sum(tier.accounts for tier in figures.tiers)
    blocks: list[Block] = [
        Table(
            say("tiers_shares_caption"),
            [Column(say(key)) for key in ("tier", "share_of_revenue", "share_of_accounts")]
            + ([Column(say("share_of_hours"))] if time.given_hours else []),
            [_shares(tier, ranked, hours, time, say) for tier in figures.tiers],
        ),
        Table(
            say("tiers_caption", currency=figures.currency),
            [Column(say("tier"))]
            + [
                Column(say(key), is_number=True)
                for key in (
                    *("accounts", "customers", "prospects", "revenue", "gross_margin"),
                    *("hours_planned", "hours_given"),
                )
            ],
            [_amounts(tier, hours.get(tier.tier), say) for tier in figures.tiers],
            note=say("tiers_note"),
        ),
    ]
    return Section("tiers", say("tiers_title"), blocks, lead=_insight(totals, hours, time, say))


def _insight(totals: Totals, hours: dict[str, Any], time: Time, say: Said) -> str:
    """The tier's sentence that a director would say aloud."""
    best = totals.headline.tiers[0]
    if not best.accounts or best.revenue_share is None:
        return ""
    ranked = sum(tier.accounts for tier in totals.headline.tiers)
    given: dict[str, Any] = {
        "tier": best.tier,
        "accounts": say.percent(best.accounts / ranked),
        "revenue": say.percent(best.revenue_share),
    }
    row = hours.get(best.tier)
    if not row or not time.given_hours:
        return say("tiers_insight", **given)
    share = say.percent(float((row["given"] or 0) / time.given_hours))
    return say("tiers_insight_hours", hours=share, **given)


def _shares(
    tier: TierFigures, ranked: int, hours: dict[str, Any], time: Time, say: Said
) -> Sequence[str | Cell]:
    cells: list[str | Cell] = [
        Cell(tier.tier, "tier"),
        _bar(tier.revenue_share, say),
        _bar(tier.accounts / ranked if ranked else None, say),
    ]
    if time.given_hours:
        given = hours.get(tier.tier, {}).get("given") or 0
        cells.append(_bar(float(given / time.given_hours), say))
    return cells


def _amounts(tier: TierFigures, hours: Any, say: Said) -> Sequence[str | Cell]:
    return [
        Cell(tier.tier, "tier"),
        say.count(tier.accounts),
        say.count(tier.customers),
        say.count(tier.prospects),
        say.money(tier.revenue),
        say.money(tier.gross_margin),
        say.hours(hours["planned"] if hours else None),
        say.hours(hours["given"] if hours else None),
    ]


def _bar(share: float | None, say: Said) -> Cell:
    return Cell(say.percent(share), "bar", share=share or 0.0)


def _since_before(totals: Totals, say: Said) -> str:
    if totals.revenue_previous is None:
        return say("card_revenue_no_before")
    change = float(totals.headline.revenue / totals.revenue_previous) - 1
    return say("card_revenue_change", change=say.change(change))


def _margin(totals: Totals, say: Said) -> Card:
    if totals.gross_margin is None:
        return Card(say("gross_margin"), say("unknown"), say("card_margin_none"))
    return Card(
        say("gross_margin"),
        say.short_money(totals.gross_margin),
        say(
            "card_margin_detail",
            rate=say.percent(totals.gross_margin_rate),
            coverage=say.percent(totals.cost_coverage),
        ),
    )


def _relationships(totals: Totals, say: Said) -> str:
    return ", ".join(
        say(f"relationship_{name}", n=count) for name, count in totals.relationships.items()
    )


def _moved(moves: Moves, say: Said) -> Card:
    if not moves.has_month_before:
        return Card(say("card_moves"), "0", say("card_moves_none"))
    return Card(
        say("card_moves"),
        say.count(moves.count),
        say(
            "card_moves_detail",
            promoted=say.count(moves.promoted),
            demoted=say.count(moves.demoted),
        ),
    )
