"""`report.html` of a release: one file, both languages, nothing from the network, the same for the same release."""

from __future__ import annotations

import shutil
from pathlib import Path

from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.report.accounts import read_moves, read_risk, read_time
from dagster_project.lib.report.blocks import Section
from dagster_project.lib.report.page import render
from dagster_project.lib.report.portfolio import read_concentration, read_curve, read_totals
from dagster_project.lib.report.reading import Marts, marts_of
from dagster_project.lib.report.said import LOCALES, Said
from dagster_project.lib.report.sections import care, change, curves, overview, trusted
from dagster_project.lib.report.trust import read_backtest, read_quality

WHALE_SCHEME = "gross_margin"
PRIMARY_SCHEME = "revenue"  # where an older manifest does not say
CUT_BY_SHARE = "cumulative_share"


def write_report(release: LiveRelease) -> Path:
    """Writes the report of a release, or of a draft that has its marts, into its folder; answers the file."""
    spill = release.folder / ".report_spill"
    try:
        with marts_of(release, spill=spill) as marts:
            sections = read_sections(marts)
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    release.report.write_text(render(release.manifest, sections), encoding="utf-8")
    return release.report


def read_sections(marts: Marts) -> dict[str, list[Section]]:
    """All sections by language: the figures are read once and said in each."""
    manifest = marts.release.manifest
    policy = manifest.policy
    primary = policy.primary_scheme if policy else PRIMARY_SCHEME
    levels = [
        float(cut)
        for cut in (policy.cut_points.values() if policy and policy.rule == CUT_BY_SHARE else ())
        if cut is not None
    ]
    totals, moves, risk = read_totals(marts), read_moves(marts), read_risk(marts)
    time, quality, backtest = read_time(marts), read_quality(marts), read_backtest(marts)
    pareto, whale = read_curve(marts, primary), read_curve(marts, WHALE_SCHEME)
    months = read_concentration(marts, PRIMARY_SCHEME)
    said: dict[str, list[Section]] = {}
    for language in LOCALES:
        say = Said(language, currency=manifest.reporting_currency)
        said[language] = [
            overview.headline(totals, moves, risk, quality, say),
            overview.tiers(totals, time, say),
            curves.curves(pareto, whale, levels, say),
            change.moved(moves, totals, say),
            care.at_risk(risk, totals, say),
            care.time_spent(time, say),
            curves.concentration(months, totals.data_since, totals.window_months, say),
            trusted.backtested(backtest, say),
            trusted.data_quality(quality, totals, say),
        ]
    return said
