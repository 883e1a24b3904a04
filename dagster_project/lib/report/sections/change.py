"""What moved between the last two months, and why."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.lib.report.accounts import Moves
from dagster_project.lib.report.blocks import Block, Cell, Column, Matrix, Section, Table, Text
from dagster_project.lib.report.portfolio import Totals
from dagster_project.lib.report.reading import Row
from dagster_project.lib.report.said import DASH, Said
from dagster_project.lib.report.sections.curves import name_cell


def moved(moves: Moves, totals: Totals, say: Said) -> Section:
    """Migration, causes, and the largest moves with their sentence."""
    title = say("moves_title")
    if not moves.has_month_before:
        return Section("moves", title, [Text(say("moves_no_history"), tone="note")])
    blocks: list[Block] = [_migration(moves.migration, totals.tiers, say)]
    lead = ""
    if moves.count:
        blocks.append(_causes(moves, say))
        blocks.append(_table(moves.shown, moves.count, "largest_moves_caption", say))
        promoted, demoted = say.count(moves.promoted), say.count(moves.demoted)
        lead = say("moves_lead", n=moves.count, promoted=promoted, demoted=demoted)
    else:
        blocks.append(Text(say("moves_none"), tone="note"))
    if moves.restated:
        blocks.append(_table(moves.restated, moves.restated_count, "restated_caption", say))
    return Section("moves", title, blocks, lead=lead, side_by_side=len(blocks) > 2)


def _causes(moves: Moves, say: Said) -> Table:
    return Table(
        say("causes_caption"),
        [
            Column(say("cause")),
            Column(say("promoted"), is_number=True),
            Column(say("demoted"), is_number=True),
            Column(say("moves"), is_number=True),
        ],
        [
            [
                Cell(say.word(row["move_cause"]), detail=say(f"cause_{row['move_cause']}")),
                say.count(row["promoted"]),
                say.count(row["demoted"]),
                say.count(row["moves"]),
            ]
            for row in moves.causes
        ],
    )


def _migration(migration: Sequence[Row], tiers: Sequence[str], say: Said) -> Matrix:
    counts = {(row["from_tier"], row["to_tier"]): row["account_count"] for row in migration}
    before = [*tiers, *sorted({f for f, _ in counts if f is not None} - set(tiers))]
    after = [*tiers, *sorted({t for _, t in counts if t is not None} - set(tiers))]
    rows: list[tuple[str, Sequence[Cell]]] = []
    for start in [*before, *([None] if any(f is None for f, _ in counts) else [])]:
        whole = sum(counts.get((start, end), 0) for end in after) or 1
        cells = []
        for end in after:
            count = counts.get((start, end), 0)
            kind = "stayed" if start == end else "moved" if count else "empty"
            cells.append(Cell(say.count(count) if count else "0", kind, share=count / whole))
        rows.append((start or say("new_account"), cells))
    return Matrix(say("migration_caption"), say("from_to"), after, rows)


def _table(shown: Sequence[Row], count: int, caption: str, say: Said) -> Table:
    rows: list[Sequence[str | Cell]] = []
    for move in shown:
        cause = say.word(move["move_cause"])
        if move["is_restated"]:
            again = say("restated")
            cause = f"{cause} ({again})"
        rows.append(
            [
                Cell(name_cell(move).text, "name", detail=reason(move, say)),
                Cell(move["from_tier"] or DASH, "tier"),
                Cell(move["to_tier"] or DASH, "tier"),
                cause,
                say.money(move["from_value"]),
                say.money(move["to_value"]),
            ]
        )
    left = count - len(shown)
    return Table(
        say(caption, currency=say.currency),
        [
            *(Column(say(key)) for key in ("account", "from", "to", "cause")),
            Column(say("value_before"), is_number=True),
            Column(say("value_now"), is_number=True),
        ],
        rows,
        note=say("more_moves", n=left) if left > 0 else "",
        is_wide=True,
    )


def reason(account: Row, say: Said) -> str:
    """The tier's sentence; of an override neither who decided nor what was written, as both may name people."""
    if account["override_tier"] is not None:
        return say(
            "overridden", tier=account["override_tier"], stable=account["stable_tier"] or DASH
        )
    return say.sentence(account["tier_reason"])
