"""How far to trust it: potential against what came, and the quality of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from dagster_project.lib.report.blocks import Block, Cell, Column, Section, Table, Text
from dagster_project.lib.report.portfolio import Totals
from dagster_project.lib.report.reading import Row
from dagster_project.lib.report.said import DASH, Said, clean
from dagster_project.lib.report.trust import POPULATIONS, Backtest, Quality

CORRELATION, LAST_YEAR = "rank_correlation", "rank_correlation_last_year"
LIFT, LIFT_LAST_YEAR = "lift_over_random", "lift_over_last_year"
COVERED = "covered_revenue_share"
IN_THE_TABLE = (CORRELATION, LAST_YEAR, LIFT, LIFT_LAST_YEAR, COVERED)


def backtested(backtest: Backtest, say: Said) -> Section:
    """Potential a window ago beside last year's revenue, whichever told more."""
    title = say("backtest_title")
    if not backtest.rows:
        return Section("backtest", title, [Text(say("backtest_absent"), tone="note")])
    first = backtest.rows[0]
    days: dict[str, Any] = {
        "then": say.day(first["potential_as_of"]),
        "now": say.day(first["as_of"]),
    }
    known = any(row["figure"] is not None for row in backtest.rows)
    if not known:
        text = say("backtest_unknown", **days)
        return Section("backtest", title, [Text(text, tone="note")])
    missed = [row for row in backtest.rows if row["is_met"] is False]
    blocks: list[Block] = [_verdict(backtest, say), _populations(backtest, say)]
    if missed:
        elsewhere = sum(
            row["metric"] not in IN_THE_TABLE or row["population"] not in POPULATIONS
            for row in missed
        )
        text = say("backtest_missed", n=len(missed))
        text += " " + say("backtest_missed_elsewhere", n=elsewhere) if elsewhere else ""
        blocks.append(Text(text, tone="poor"))
    return Section("backtest", title, blocks, lead=say("backtest_lead", **days))


def _verdict(backtest: Backtest, say: Said) -> Text:
    ours = _figure(backtest, CORRELATION, "all")
    theirs = _figure(backtest, LAST_YEAR, "all")
    if ours is None or theirs is None:
        return Text(say("verdict_unknown"), tone="note")
    is_better = ours >= theirs
    return Text(
        say(
            "verdict_better" if is_better else "verdict_worse",
            ours=say.decimal(ours, 2),
            theirs=say.decimal(theirs, 2),
        ),
        tone="good" if is_better else "poor",
    )


def _populations(backtest: Backtest, say: Said) -> Table:
    rows: list[Sequence[str | Cell]] = []
    for population in POPULATIONS:
        row = backtest.figures.get((CORRELATION, population))
        if row is None:
            continue
        rows.append(
            [
                Cell(say(f"population_{population}")),
                say.count(row["account_count"]),
                _judged(row, say),
                _plain(backtest.figures.get((LAST_YEAR, population)), say),
                _judged(backtest.figures.get((LIFT, population)), say),
                _judged(backtest.figures.get((LIFT_LAST_YEAR, population)), say),
                _judged(backtest.figures.get((COVERED, population)), say, say.percent),
            ]
        )
    return Table(
        say("backtest_caption"),
        [Column(say("population"))]
        + [
            Column(say(key), is_number=True)
            for key in (
                *("accounts", "col_correlation", "col_correlation_last_year"),
                *("col_lift", "col_lift_last_year", "col_covered"),
            )
        ],
        rows,
        note=say("backtest_note"),
        is_wide=True,
    )


def _plain(row: Row | None, say: Said, form: Callable[[float], str] | None = None) -> str:
    if row is None or row["figure"] is None:
        return DASH
    return form(row["figure"]) if form else say.decimal(row["figure"], 2)


def _judged(row: Row | None, say: Said, form: Callable[[float], str] | None = None) -> str | Cell:
    """The figure, and under it whether it reaches what the company asks for."""
    if row is None or row["figure"] is None or row["minimum"] is None:
        return _plain(row, say, form)
    least = form(row["minimum"]) if form else say.decimal(row["minimum"], 2)
    key = {True: "met", False: "not_met", None: "too_few"}[row["is_met"]]
    return Cell(_plain(row, say, form), "judged-" + key, detail=say(key, least=least))


def _figure(backtest: Backtest, metric: str, population: str) -> float | None:
    row = backtest.figures.get((metric, population))
    return None if row is None else row["figure"]


def data_quality(quality: Quality, totals: Totals, say: Said) -> Section:
    """Rows in and out, matches, costs, reconciliation, checks."""
    blocks: list[Block] = [
        Table(
            say("coverage_caption"),
            [Column(say("what")), Column(say("share")), Column(say("detail"))],
            _coverage(quality, totals, say),
            is_wide=True,
        ),
        _extracts(quality, say),
        _matches(quality, say),
        _rejected(quality, say),
    ]
    if quality.failed:
        blocks.append(_warnings(quality, say))
    else:
        blocks.append(Text(say("no_warnings"), tone="good"))
    lead = say("quality_lead", n=quality.passed, warnings=say("warnings", n=len(quality.failed)))
    return Section("quality", say("quality_title"), blocks, lead=lead, side_by_side=True)


def _coverage(quality: Quality, totals: Totals, say: Said) -> list[Sequence[str | Cell]]:
    read = sum(row["read"] for row in quality.extracts)
    rejected = sum(row["rejected"] for row in quality.extracts)
    shares: list[tuple[str, float | None, str]] = [
        (
            "rows_accepted",
            1 - rejected / read if read else None,
            say("rows_accepted_detail", n=read, rejected=say.count(rejected)),
        ),
        (
            "matched_customers",
            quality.matched / quality.customers if quality.customers else None,
            say(
                "matched_customers_detail", n=quality.customers, matched=say.count(quality.matched)
            ),
        ),
        (
            "matched_revenue",
            quality.matched_revenue_share,
            say("matched_revenue_detail", n=quality.to_review),
        ),
        ("cost_known", totals.cost_coverage, say("cost_known_detail")),
    ]
    agreed = sum(row["n"] for row in quality.reconciled if row["status"] == "agrees")
    controls = sum(row["n"] for row in quality.reconciled)
    if controls:
        shares.append(
            (
                "reconciled",
                agreed / controls,
                say("reconciled_detail", n=controls, agreed=say.count(agreed)),
            )
        )
    return [
        [say(key), Cell(say.percent(share), "bar", share=min(max(share or 0.0, 0.0), 1.0)), detail]
        for key, share, detail in shares
    ]


def _extracts(quality: Quality, say: Said) -> Table:
    names = ("files", "read", "loaded", "superseded", "rejected")
    return Table(
        say("extracts_caption"),
        [Column(say("extract")), *(Column(say(f"rows_{name}"), is_number=True) for name in names)],
        [
            [
                f"{clean(row['system'])}: {row['entity'].replace('_', ' ')}",
                *(say.count(row[name]) for name in names),
            ]
            for row in quality.extracts
        ],
        note=say("extracts_note"),
        is_wide=True,
    )


def _matches(quality: Quality, say: Said) -> Block:
    if not quality.matches:
        return Text(say("matches_none"), tone="note")
    return Table(
        say("matches_caption"),
        [
            Column(say("matched_by")),
            Column(say("erp_customers"), is_number=True),
            Column(say("share")),
        ],
        [
            [
                say.word(row["match_rule"]),
                say.count(row["customers"]),
                Cell(
                    say.percent(row["customers"] / quality.customers),
                    "bar",
                    share=row["customers"] / quality.customers,
                ),
            ]
            for row in quality.matches
        ],
    )


def _rejected(quality: Quality, say: Said) -> Block:
    if not quality.rejected:
        return Text(say("rejected_none"), tone="good")
    return Table(
        say("rejected_caption", n=quality.rejected_count),
        [Column(say("rule")), Column(say("rows"), is_number=True), Column(say("extracts"))],
        [
            [
                say.word(row["rule"]),
                say.count(row["n"]),
                ", ".join(clean(place) for place in row["places"]),
            ]
            for row in quality.rejected
        ],
        note=say("rejected_note"),
        is_wide=True,
    )


def _warnings(quality: Quality, say: Said) -> Table:
    return Table(
        say("warnings_caption"),
        [
            Column(say("check")),
            Column(say("rows"), is_number=True),
            Column(say("remedy")),
        ],
        [
            [
                _of_check(
                    "names", row["check_name"].removeprefix("assert_").replace("_", " "), say
                ),
                say.count(row["failing_rows"]),
                _of_check("remedies", row["remedy"] or "", say),
            ]
            for row in quality.failed
        ],
        note=say("warnings_note"),
        is_wide=True,
    )


def _of_check(kind: Literal["names", "remedies"], english: str, say: Said) -> Cell:
    said = say.of_check(kind, english)
    return Cell(english, "english") if said is None else Cell(said)
