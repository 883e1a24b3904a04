"""How `kam simulate` shows what another policy would do."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dagster_project.lib.shown import percent, table
from dagster_project.lib.simulation.compared import Comparison, Move

MOVES_SHOWN = 20


def simulation(console: Console, found: Comparison) -> None:
    """What was changed, the tiers before and after, the largest moves, the owners."""
    for change in found.changes:
        text = f"{change['name']}: {change['before'] or '-'} -> {change['after'] or '-'}"
        console.print(Text(text), soft_wrap=True)
    has_hours = any(tier.hours_after is not None for tier in found.tiers)
    console.print(
        table(
            f"Tiers as of {found.as_of}, amounts in {found.currency}: before -> after",
            [
                *("tier", "accounts", "after", "revenue", "after", "share", "after"),
                *(("hours", "after") if has_hours else ()),
            ],
            [
                [
                    tier.tier,
                    tier.accounts_before,
                    tier.accounts_after,
                    tier.revenue_before,
                    tier.revenue_after,
                    percent(tier.share_before),
                    percent(tier.share_after),
                    *(_hours(tier.hours_before, tier.hours_after) if has_hours else ()),
                ]
                for tier in found.tiers
            ],
        )
    )
    _moves(console, found)
    _owners(console, found)


def _moves(console: Console, found: Comparison) -> None:
    if not found.moves:
        console.print("no account would change its tier")
    else:
        title = f"{len(found.moves):,} accounts would move"
        if len(found.moves) > MOVES_SHOWN:
            title += f", the {MOVES_SHOWN} largest"
        console.print(
            table(
                title,
                ["account", "name", "from", "to", "revenue", "gross margin", "potential"],
                [_move(move) for move in found.moves[:MOVES_SHOWN]],
            )
        )
    if found.postures_changed:
        console.print(
            f"{found.postures_changed:,} accounts would keep their tier and have another posture",
            highlight=False,
        )


def _owners(console: Console, found: Comparison) -> None:
    if found.owners is None:
        console.print("hours and owners: no service model")
        return
    if not found.owners:
        console.print("no owner is overloaded, before or after")
        return
    console.print(
        table(
            "Overloaded owners: hours needed before -> after",
            ["owner", "hours available", "before", "after", "overloaded before", "after"],
            [
                [
                    owner.owner_id,
                    *_hours(owner.hours_available, owner.hours_before, owner.hours_after),
                    "yes" if owner.is_overloaded_before else "no",
                    "yes" if owner.is_overloaded_after else "no",
                ]
                for owner in found.owners
            ],
        )
    )


def _move(move: Move) -> list[Any]:
    return [
        move.account_key,
        move.account_name or "-",
        move.from_tier or "-",
        move.to_tier or "-",
        move.revenue,
        move.gross_margin,
        move.potential,
    ]


def _hours(*hours: float | None) -> list[str]:
    return ["-" if value is None else f"{value:,.1f}" for value in hours]
