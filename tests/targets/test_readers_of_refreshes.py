"""Readers of all marts while `kam refresh` runs again and again, each time with another invoice and another account.

Three refreshes here, as many as REFRESHES says in `make test-fifty`.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from dagster_project.lib.release.live import LiveRelease
from tests.pipeline.pipeline_runs import REFRESH_SECONDS, Refreshed, replace_line
from tests.targets.company import Company
from tests.targets.readers import Readers

REFRESHES = int(os.environ.get("REFRESHES", "3"))
# seconds; readers that never pause would leave a refresh little of a small machine
PAUSE = 1.0
BESIDE_READERS = 3 * REFRESH_SECONDS
SUMMED = ("INTEGER", "BIGINT", "HUGEINT", "DECIMAL")


def summed(live: LiveRelease, mart: str) -> str:
    """A query of what all columns say that have one sum in every database, and of the length of texts."""
    described = duckdb.sql(f"describe select * from '{live.mart(mart)}'").fetchall()
    sums = [
        f"coalesce(sum({name})::text, '-')"
        for name, kind, *_ in described
        if kind.startswith(SUMMED)
    ]
    sums += [
        f"coalesce(sum(length({name}))::text, '-')"
        for name, kind, *_ in described
        if kind == "VARCHAR"
    ]
    return f"select concat_ws(' ', {', '.join(sums)}), count(*) from {{0}}"


def change(company: Refreshed, number: int) -> None:
    """One invoice has another amount each time, and one account comes or goes."""
    invoices = company.landing / "erp" / "invoice_lines.csv"
    before = f"invoice,,,{200 + number - 1}," if number > 1 else "invoice,,,200,"
    replace_line(invoices, 8, before, f"invoice,,,{200 + number},")
    accounts = company.landing / "crm" / "accounts.csv"
    if number % 2:
        with accounts.open("a") as lines:
            lines.write("99,Larch,,prospect,,,DE,false,,,,,\n")
    else:
        kept = [line for line in accounts.read_text().splitlines(True) if line[:3] != "99,"]
        accounts.write_text("".join(kept))


def test_readers_see_one_release_or_the_next_during_real_refreshes(
    golden: Refreshed, url: str, tmp_path: Path
) -> None:
    company = Company(golden.copy(tmp_path), tmp_path, schema="account_tiering")
    code, _, errors = company.kam("refresh", url=url)
    assert code == 0, errors
    first = company.company.live
    readers = Readers(
        {mart.name: summed(first, mart.name) for mart in first.manifest.marts},
        published=company.company.out / "published",
        store=tmp_path / "store",
        url=url,
        folder=tmp_path,
        pause=PAUSE,
    )
    readers.note_live()
    releases = [first.release_id]
    with readers.at_work():
        for number in range(1, REFRESHES + 1):
            change(company.company, number)
            code, _, errors = company.kam("refresh", url=url, seconds=BESIDE_READERS)
            assert code == 0, errors
            readers.note_live()
            releases.append(company.company.live.release_id)
    assert len(set(releases)) == REFRESHES + 1, "each refresh published"
