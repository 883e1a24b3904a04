"""Each shipped profile lands its sample, in the system's own layout, as its expected canonical rows."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.ledger import LedgerEntry
from dagster_project.lib.extracts.profile import SHIPPED, load_profile
from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.settings import load_settings

SAMPLES = Path(__file__).parents[2] / "fixtures" / "profiles"
SHIPPED_PROFILES = sorted(path.stem for path in SHIPPED.glob("*.yml") if path.stem != "generic")


class Sample:
    """A sample that was landed as the system `sys`."""

    def __init__(self, profile: str, out: Path) -> None:
        self.expected = SAMPLES / profile / "expected"
        self.profile = load_profile(profile)
        landing = out / "landing"
        shutil.copytree(SAMPLES / profile / "landing", landing / "sys")
        flags = {"landing": landing, "out": out, "profiles": {"sys": profile}}
        settings = load_settings(None, flags, environment={})
        self.raw = settings.raw
        self.report: LandingReport = land_everything(settings, scratch=out / "scratch")

    def rows(self, entity: str) -> list[dict[str, str]]:
        entries = [file.entry for file in self.report.files if file.entry.entity == entity]
        paths = [str(self.raw / entity / entry.landed) for entry in entries]
        if not paths:
            return []
        with duckdb.connect() as connection:
            found = connection.execute(f"select columns(*)::varchar from read_parquet({paths})")
            names = [column[0] for column in found.description]
            return [
                {name: value or "" for name, value in zip(names, row, strict=True)}
                for row in found.fetchall()
            ]

    def rejected(self) -> list[tuple[str, str, str, str, str]]:
        paths = [
            str(self.raw / "rejected" / str(file.entry.rejected))
            for file in self.report.files
            if file.entry.rejected
        ]
        if not paths:
            return []
        found = duckdb.execute(
            "select source_file, line_number::varchar, entity, coalesce(column_name, ''), rule"
            f" from read_parquet({paths})"
        ).fetchall()
        return sorted((str(a), str(b), str(c), str(d), str(e)) for a, b, c, d, e in found)


def _table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _same_form(entity: str, row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Decimals by value: 10 is 10.0000."""
    columns = load_entities()[entity].columns
    return tuple((name, _value(value, columns[name].type)) for name, value in row.items())


def _value(text: str, kind: str) -> str:
    if kind in ("amount", "quantity", "rate", "share") and text:
        try:
            return str(Decimal(text).normalize() + 0)
        except InvalidOperation:
            return text
    return text.replace("T", " ") if kind == "timestamp" else text


def rows_written(raw: Path, entry: LedgerEntry) -> tuple[int, int]:
    """Rows in the raw zone and rows among the rejected, counted in the files themselves."""
    paths = [raw / entry.entity / entry.landed]
    if entry.rejected:
        paths.append(raw / "rejected" / entry.rejected)
    counts = [
        len(duckdb.execute(f"select 1 from read_parquet('{path}')").fetchall()) for path in paths
    ]
    return counts[0], sum(counts[1:])


@pytest.fixture(scope="module", params=SHIPPED_PROFILES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)
        return Sample(request.param, tmp_path_factory.mktemp(request.param) / "out")


def test_the_sample_is_read_whole(sample: Sample) -> None:
    others = {"accounts", "customers", "invoice_lines"}
    errors = [e for e in sample.report.errors if not any(f"no extract of {o}" in e for o in others)]
    assert errors == []
    assert sample.report.files


def test_rows_are_the_expected_ones(sample: Sample) -> None:
    made = {file.entry.entity for file in sample.report.files} & set(load_entities())
    expected = {path.stem for path in sample.expected.glob("*.csv")} & set(load_entities())
    assert made == expected
    for entity in sorted(made):
        wanted = _table(sample.expected / f"{entity}.csv")
        assert wanted, f"{entity}: no expected row"
        names = list(wanted[0])
        required = [c.name for c in load_entities()[entity].columns.values() if c.required]
        assert set(required) <= set(names), f"{entity}: required columns must be expected"
        found = [{name: row[name] for name in names} for row in sample.rows(entity)]
        assert sorted(_same_form(entity, row) for row in found) == sorted(
            _same_form(entity, row) for row in wanted
        ), entity


def test_rejected_rows_are_the_expected_ones(sample: Sample) -> None:
    wanted = sorted(
        (r["file"], r["line_number"], r["entity"], r["column_name"], r["rule"])
        for r in _table(sample.expected / "rejected.csv")
    )
    assert sample.rejected() == wanted


def test_rows_left_out_are_the_expected_ones(sample: Sample) -> None:
    found = sorted(
        (file.file, file.entry.entity, reason, str(rows))
        for file in sample.report.files
        for reason, rows in file.entry.rows_left_out.items()
    )
    wanted = sorted(
        (r["file"], r["entity"], r["reason"], r["rows"])
        for r in _table(sample.expected / "left_out.csv")
    )
    assert found == wanted


def test_no_row_is_lost(sample: Sample) -> None:
    for file in sample.report.files:
        entry = file.entry
        assert entry.rows_read == entry.rows_loaded + entry.rows_rejected
        assert rows_written(sample.raw, entry) == (entry.rows_loaded, entry.rows_rejected)
