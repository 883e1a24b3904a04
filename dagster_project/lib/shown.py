"""How `kam` shows its results to people: tables on a terminal, the same as plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.headline import Headline
from dagster_project.lib.landing import LandingReport
from dagster_project.lib.rejections import Reason
from dagster_project.lib.release.manifest import Manifest
from dagster_project.lib.words import Figure

WARNINGS_SHOWN = 8


def money(amount: Decimal | None) -> str:
    """With thousands separators and two decimals; a dash where there is none."""
    return "-" if amount is None else f"{amount:,.2f}"


def percent(share: float | None) -> str:
    """With one decimal; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f}%"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Numbers to the right, texts to the left; cells are never read as markup."""
    listed = [list(row) for row in rows]
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float | Decimal | Figure) for row in listed)
        shown.add_column(
            column,
            justify="right" if numeric else "left",
            no_wrap=numeric,
            overflow="ellipsis" if numeric else "fold",
        )
    for row in listed:
        shown.add_row(*[Text(_cell(value)) for value in row])
    return shown


def headline(console: Console, figures: Headline) -> None:
    """The tiers' table, the headline figures and where the marts are."""
    console.print(
        table(
            f"Tiers as of {figures.as_of}, amounts in {figures.currency}",
            [
                *("tier", "accounts", "customers", "prospects", "others"),
                *("revenue", "share", "gross margin"),
            ],
            [
                [
                    tier.tier,
                    tier.accounts,
                    tier.customers,
                    tier.prospects,
                    tier.accounts - tier.customers - tier.prospects,
                    tier.revenue,
                    percent(tier.revenue_share),
                    tier.gross_margin,
                ]
                for tier in figures.tiers
            ],
        )
    )
    lines = [
        f"accounts            {figures.accounts:,}"
        + (
            f" (of which {figures.excluded_accounts:,} not ranked, with {money(figures.excluded_value)})"
            if figures.excluded_accounts
            else ""
        ),
        f"revenue             {money(figures.revenue)} {figures.currency}",
        f"share of {figures.best_tier or 'A'}          "
        f"{percent(figures.best_tier_share_of_revenue)} of revenue with "
        f"{percent(figures.best_tier_share_of_accounts)} of the accounts",
        f"accounts making 80% {figures.accounts_making_80_percent or '-'}",
        f"release             {figures.release_id}",
        f"marts               {figures.marts}",
        f"database            {figures.database}",
        f"report              {figures.report or 'could not be made'}",
    ]
    console.print(Group(*[Text(line) for line in lines]), soft_wrap=True)


def lines(console: Console, told: Iterable[str]) -> None:
    """Lines of text as they are."""
    console.print(Group(*[Text(line) for line in told]), soft_wrap=True)


def policy_line(manifest: Manifest) -> str:
    """The policy of a release: its file, its hash in short, the primary scheme and its cut points."""
    name, said = f"policy              {manifest.policy_sha256[:8]}", manifest.policy
    if said is None:
        return name
    cuts = ", ".join(
        tier if cut is None else f"{tier} {cut}" for tier, cut in said.cut_points.items()
    )
    return (
        f"{name} ({said.file or 'default'}): {said.primary_scheme} by {said.rule}, {cuts}, "
        f"the rest {said.lowest_tier}"
    )


def failed_checks(console: Console, checks: Iterable[CheckResult]) -> None:
    """What stopped the publication: each check with what was found and what to do."""
    for check in checks:
        line = f"{check.asset}: {check.check_name}: {check.observed}"
        console.print(Text(line, style="red"), Text(f"  {check.remedy}"), sep="\n", soft_wrap=True)


def warnings(console: Console, checks: Iterable[CheckResult]) -> None:
    """Failed checks that do not stop the publication, the first few in words."""
    failed = [check for check in checks if check.severity == "warn" and not check.passed]
    for check in failed[:WARNINGS_SHOWN]:
        line = f"warning: {check.check_name}: {check.observed}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if len(failed) > WARNINGS_SHOWN:
        console.print(
            f"[yellow]and {len(failed) - WARNINGS_SHOWN} more warnings; see the mart quality_results"
        )


def rejections(console: Console, reasons: Sequence[Reason]) -> None:
    """The most frequent reasons, each with an example."""
    if reasons:
        console.print(
            table(
                "Rejected rows, the most frequent reasons first",
                ["entity", "column", "rule", "rows", "for example"],
                [[r.entity, r.column or "-", r.rule, r.rows, r.example] for r in reasons],
            )
        )


def landing(console: Console, report: LandingReport) -> None:
    """One row per file, then what was rejected and what was not read."""
    console.print(
        table(
            "Extracts",
            ["file", "entity", "rows", "loaded", "rejected", "left out", "encoding", "dialect"],
            [
                [
                    file.file,
                    file.entry.entity,
                    file.entry.rows_read,
                    file.entry.rows_loaded,
                    file.entry.rows_rejected,
                    sum(file.entry.rows_left_out.values()),
                    file.entry.encoding,
                    file.entry.dialect,
                ]
                for file in report.files
            ],
        )
    )
    for file in report.files:
        if file.entry.rows_left_out:
            reasons = ", ".join(
                f"{rows:,} {reason}" for reason, rows in file.entry.rows_left_out.items()
            )
            console.print(
                f"{escape(file.file)}: left out of {file.entry.entity}: {escape(reasons)}",
                highlight=False,
            )
    entries = [file.entry for file in report.files]
    for file, place in zip(report.files, places_of(entries), strict=True):
        if place.is_replaced:
            console.print(
                f"{escape(file.file)}: counts for nothing, a later full extract stands in its place",
                highlight=False,
            )
    for name in report.left:
        console.print(f"{escape(name)}: still being written, left for the next run")
    for text in report.ignored:
        console.print(f"ignored: {escape(text)}", highlight=False)


def columns_absent(console: Console, report: LandingReport) -> None:
    """Of each file the columns that its entity knows and it does not have."""
    for file in report.files:
        if file.entry.absent_columns:
            names = ", ".join(file.entry.absent_columns)
            console.print(
                f"{escape(file.file)}: {file.entry.entity} without {names}",
                highlight=False,
                soft_wrap=True,
            )


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)
