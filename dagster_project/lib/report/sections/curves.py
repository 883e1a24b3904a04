"""The Pareto curve, the whale curve, and concentration over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dagster_project.lib.report.blocks import Block, Cell, Chart, Column, Section, Table, Text
from dagster_project.lib.report.drawing import Line, Mark, Picture, Zone, draw
from dagster_project.lib.report.portfolio import CURVE_STEPS, Curve, months_back
from dagster_project.lib.report.reading import Row
from dagster_project.lib.report.said import Said, clean

MARKED_TIERS = 2
FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
MEASURES = ("top_1", "top_5", "top_20", "gini")
TIME_LABELS = 3
LABEL_ROOM = 66


def curves(
    pareto: Curve | None, whale: Curve | None, levels: Sequence[float], say: Said
) -> Section:
    """Both curves side by side."""
    blocks: list[Block] = [_pareto(pareto, levels, say), _whale(whale, say)]
    return Section(
        "curves", say("curves_title"), blocks, lead=say("curves_lead"), side_by_side=True
    )


def _pareto(curve: Curve | None, levels: Sequence[float], say: Said) -> Block:
    points = [row for row in curve.points if row["cumulative_share"] is not None] if curve else []
    if curve is None or not curve.line or not points:
        return Text(say("pareto_none"), tone="note")
    ranked = points[-1]["curve_rank"]
    scheme = say.word(curve.scheme)
    first = curve.line[0]
    picture = Picture(
        lines=[
            Line([(0.0, 0.0)] + [(r["curve_rank"] / ranked, r["cumulative_share"]) for r in points])
        ],
        x_title=say("share_of_ranked"),
        x_ticks=[(fifth, say.percent(fifth, 0)) for fifth in FIFTHS],
        y_text=lambda share: say.percent(share, 0),
        y_title=say("cumulative_of", scheme=scheme),
        marks=[
            Mark(
                (row["last_rank"] / ranked, row["cumulative_share"]),
                say(
                    "mark_accounts", n=row["last_rank"], share=say.percent(row["cumulative_share"])
                ),
            )
            for row in curve.line[: min(MARKED_TIERS, len(curve.line) - 1)]
        ],
        zones=_zones(curve.line, ranked),
        levels=levels,
    )
    return Chart(
        say("pareto_title", scheme=scheme),
        draw(picture),
        say(
            "pareto_summary",
            n=first["accounts"],
            tier=first["tier"],
            of=say.count(ranked),
            share=say.percent(first["cumulative_share"]),
        ),
        _line_table(curve, say),
        note=_note(curve, say("pareto_note", n=ranked), say),
    )


def _zones(line: Sequence[Row], ranked: int) -> list[Zone]:
    zones, start = [], 0.0
    for index, row in enumerate(line):
        end = row["last_rank"] / ranked
        zones.append(Zone(start, end, row["tier"], f"zone-{min(index, 2) + 1}"))
        start = end
    return zones


def _line_table(curve: Curve, say: Said) -> Table:
    """The largest accounts, by name: what a curve cannot say."""
    return Table(
        say("largest_caption", n=len(curve.largest), currency=say.currency),
        [
            Column(say("account")),
            Column(say("tier_by_value")),
            Column(say.word(curve.scheme), is_number=True),
            Column(say("share"), is_number=True),
            Column(say("cumulative"), is_number=True),
        ],
        [
            [
                name_cell(row),
                Cell(row["tier"], "tier"),
                say.money(row["value"]),
                say.percent(row["share"]),
                say.percent(row["cumulative_share"]),
            ]
            for row in curve.largest
        ],
        note="; ".join(
            say(
                "line_begins",
                n=row["accounts"],
                tier=row["tier"],
                amount=say.money(row["begins_at"]),
                share=say.percent(row["cumulative_share"]),
            )
            for row in curve.line
        )
        + ".",
    )


def _whale(curve: Curve | None, say: Said) -> Block:
    if curve is None:
        return Text(say("whale_none"), tone="note")
    points = [row for row in curve.points if row["cumulative_share_net"] is not None]
    if not points:
        return Text(say("whale_not_positive", amount=say.short_money(curve.total)), tone="poor")
    peak = max(points, key=lambda row: float(row["cumulative_share_net"]))
    count = curve.account_count
    picture = Picture(
        lines=[
            Line(
                [(0.0, 0.0)]
                + [(r["curve_rank"] / count, r["cumulative_share_net"]) for r in points],
                style="line-2",
            )
        ],
        x_title=say("share_of_known"),
        x_ticks=[(fifth, say.percent(fifth, 0)) for fifth in FIFTHS],
        y_text=lambda share: say.percent(share, 0),
        y_title=say("cumulative_of", scheme=say.word(curve.scheme)),
        marks=[
            Mark(
                (peak["curve_rank"] / count, peak["cumulative_share_net"]),
                say("mark_peak", share=say.percent(peak["cumulative_share_net"])),
            )
        ],
        levels=[1.0],
    )
    summary = (
        say(
            "whale_summary",
            n=curve.losing_count,
            amount=say.short_money(abs(curve.losing_value)),
            peak=say.percent(peak["cumulative_share_net"]),
        )
        if curve.losing_count
        else say("whale_summary_none")
    )
    return Chart(
        say("whale_title"),
        draw(picture),
        summary,
        _steps_table(points, count, say),
        note=_note(curve, say("whale_note", n=count), say),
    )


def _steps_table(points: Sequence[Row], count: int, say: Said) -> Table:
    """The curve's height at each tenth of the accounts (the sampled account next before it)."""
    rows = []
    for tenth in range(1, 11):
        reached = [row for row in points if row["curve_rank"] <= count * tenth / 10]
        if reached:
            last = reached[-1]
            rows.append(
                [
                    say.percent(tenth / 10, 0),
                    say.count(last["curve_rank"]),
                    say.percent(last["cumulative_share_net"]),
                ]
            )
    return Table(
        say("steps_caption"),
        [
            Column(say("share_of_known")),
            Column(say("accounts"), is_number=True),
            Column(say("cumulative"), is_number=True),
        ],
        rows,
    )


def _note(curve: Curve, note: str, say: Said) -> str:
    parts = [note]
    if len(curve.points) < curve.account_count:
        parts.append(say("sampled", n=len(curve.points), steps=CURVE_STEPS))
    if curve.populations > 1:
        parts.append(say("one_population", n=curve.populations, name=clean(curve.population)))
    return " ".join(parts)


def concentration(months: Sequence[Row], since: date | None, window: int, say: Said) -> Section:
    """How much hangs on how few, month by month; windows that begin before the first invoice are only listed."""
    title = say("concentration_title")
    if not months:
        return Section("concentration", title, [Text(say("concentration_none"), tone="note")])
    last, table = months[-1], _concentration_table(months, say)
    lead = say(
        "concentration_lead",
        n=last["making_80"],
        share=say.percent(0.8, 0),
        effective=say.count(round(last["effective_count"])),
        major=_major(last["major_customer_count"] or 0, say),
    )
    if len(months) == 1:
        blocks: list[Block] = [Text(say("concentration_one_month"), tone="note"), table]
        return Section("concentration", title, blocks, lead=lead)
    whole = months_back(since, 1 - window) if since else months[0]["month"]
    drawn, note = [row for row in months if row["month"] >= whole], say("concentration_note")
    if len(drawn) < 2:
        drawn = list(months)
        note += " " + say("partial_windows", month=say.month(whole))
    elif len(drawn) < len(months):
        note += " " + say("whole_windows", month=say.month(whole))
    for same in _measures(drawn):
        if len(same) > 1:
            names = ", ".join(say(f"short_{measure}") for measure in same)
            note += " " + say("one_line", names=names)
    before, now = say.percent(drawn[0]["top_20"]), say.percent(last["top_20"])
    blocks = [
        Chart(
            say("concentration_chart_title"),
            draw(_over_time(drawn, say)),
            say(
                "concentration_summary_same" if before == now else "concentration_summary",
                start=say.month(drawn[0]["month"]),
                end=say.month(last["month"]),
                before=before,
                now=now,
            ),
            table,
            note=note,
        ),
        _making_80(drawn, say),
    ]
    return Section("concentration", title, blocks, lead=lead, side_by_side=True)


def _measures(months: Sequence[Row]) -> list[list[str]]:
    """Those that are the same in every month together: of few customers the top 1% and 5% are one account."""
    found: dict[tuple[object, ...], list[str]] = {}
    for measure in MEASURES:
        found.setdefault(tuple(row[measure] for row in months), []).append(measure)
    return list(found.values())


def _over_time(months: Sequence[Row], say: Said) -> Picture:
    latest = len(months) - 1
    lines = []
    for number, (measure, *same) in enumerate(_measures(months), 1):
        points = [
            (float(index), row[measure])
            for index, row in enumerate(months)
            if row[measure] is not None
        ]
        if points:
            style = f"line-{len(MEASURES) if measure == MEASURES[-1] else number}"
            also = [say(f"short_{other}") for other in same]
            lines.append(Line(points, style=style, label=say(f"short_{measure}"), also=also))
    return Picture(
        lines=lines,
        x_title="",
        x_ticks=_month_ticks(months, say),
        x_max=float(latest),
        y_text=lambda share: say.percent(share, 0),
        label_room=LABEL_ROOM,
    )


def _making_80(months: Sequence[Row], say: Said) -> Chart:
    """How many accounts make most of the revenue, and how many would if all were equal in size."""
    latest = len(months) - 1
    first, last = months[0], months[-1]
    share = say.percent(0.8, 0)
    before, now = say.count(first["making_80"]), say.count(last["making_80"])
    lines = [
        Line(
            [(float(index), float(row[column])) for index, row in enumerate(months)],
            style=style,
            label=say(f"short_{column}", share=share),
        )
        for column, style in (("making_80", "line-1"), ("effective_count", "line-2"))
    ]
    picture = Picture(
        lines=lines,
        x_title="",
        x_ticks=_month_ticks(months, say),
        x_max=float(latest),
        y_text=say.count,
        least_step=1.0,
        label_room=LABEL_ROOM,
    )
    return Chart(
        say("making_80_title", share=share),
        draw(picture),
        say(
            "making_80_summary_same" if before == now else "making_80_summary",
            start=say.month(first["month"]),
            end=say.month(last["month"]),
            before=before,
            now=now,
        ),
        Table(
            say("concentration_caption"),
            [
                Column(say("month")),
                Column(say("making_80", share=share), is_number=True),
                Column(say("effective_count"), is_number=True),
                Column(say("major", share=say.percent(0.1, 0)), is_number=True),
            ],
            [
                [
                    say.month(row["month"]),
                    say.count(row["making_80"]),
                    say.decimal(row["effective_count"], 1),
                    say.count(row["major_customer_count"]),
                ]
                for row in reversed(months)
            ],
        ),
        note=say("making_80_note"),
    )


def _major(count: int, say: Said) -> str:
    share = say.percent(0.1, 0)
    return say("major_customers", n=count, share=share) if count else say("major_none", share=share)


def _month_ticks(months: Sequence[Row], say: Said) -> list[tuple[float, str]]:
    """A few months, the latest among them."""
    latest = len(months) - 1
    step = max(1, -(-latest // TIME_LABELS))
    return [
        (float(index), say.short_month(months[index]["month"]))
        for index in range(latest, -1, -step)
    ]


def _concentration_table(months: Sequence[Row], say: Said) -> Table:
    return Table(
        say("concentration_caption"),
        [
            Column(say("month")),
            *(Column(say(f"short_{measure}"), is_number=True) for measure in MEASURES),
            Column(say("making_80", share=say.percent(0.8, 0)), is_number=True),
            Column(say("customers"), is_number=True),
        ],
        [
            [
                say.month(row["month"]),
                *(say.percent(row[measure]) for measure in MEASURES[:-1]),
                say.decimal(row["gini"], 2),
                say.count(row["making_80"]),
                say.count(row["active_count"]),
            ]
            for row in reversed(months)
        ],
    )


def name_cell(row: Row) -> Cell:
    """The account's name, or its key where it has none."""
    return Cell(clean(row["account_name"] or row["account_key"]), "name")
