"""`manifest.json`: what a release was made from, what it amounts to, and what was checked."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parquet import MartFile
from dagster_project.lib.warehouse.dbt_project import project_hash

PACKAGES = (
    "account-tiering",
    "dagster",
    "dagster-dbt",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "pandas",
    "pyarrow",
)

# What is summed up needs no room beside the file's own pages, and nothing to spill.
SUMS_ONLY: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "256MB",
    "temp_directory": "",
    "threads": 1,
}


class _Record(BaseModel):
    # A manifest may be read by an older or newer project than the one that wrote it.
    model_config = ConfigDict(frozen=True, extra="ignore")


class InputFile(_Record):
    """One delivered file; rows_read = rows_loaded + rows_superseded + rows_rejected.

    Apart from these: rows that the profile leaves out as none of the entity, lines that are no rows.
    """

    file: str
    sha256: str
    system: str
    entity: str
    profile: str
    rows_read: int
    rows_loaded: int
    rows_superseded: int
    rows_rejected: int
    rows_left_out: int = 0
    lines_skipped: int = 0


class Totals(_Record):
    """Of the accounts that the extracts hold; removed ones have no money.

    Money is in reporting currency, of the window, and text in JSON.

    `excluded_value` is the part of `revenue` that excluded accounts hold; `gross_margin` is null
    where no cost is known.
    """

    revenue: Decimal
    gross_margin: Decimal | None
    excluded_value: Decimal
    accounts: int
    accounts_by_final_tier: dict[str, int]


class CheckOutcome(_Record):
    """One check of the gate."""

    name: str
    asset: str
    severity: str
    passed: bool
    observed: str = ""


class PolicyRecord(_Record):
    """The policy in a line: the name of its file (null: the default), the primary scheme and its cut points."""

    file: str | None
    primary_scheme: str
    rule: str
    cut_points: dict[str, str | None]
    lowest_tier: str
    window_months: int | None = None  # absent where an older project wrote the manifest

    @property
    def tiers(self) -> tuple[str, ...]:
        """Best first."""
        return (*self.cut_points, self.lowest_tier)


class MartRecord(_Record):
    """One published mart; `sha256` is of its content in key order."""

    name: str
    key: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(_Record):
    """The whole file.

    `forgotten` is the fingerprint of what `kam forget` had filtered from the inputs; on the days of
    `rewritten_on` it took something out of the release itself, and the marts' hashes are those since then.
    """

    release_id: str
    previous_release_id: str | None
    as_of: date
    run_at: datetime
    reporting_currency: str
    policy_sha256: str
    policy: PolicyRecord | None = None  # absent where an older project wrote the manifest
    inputs: tuple[InputFile, ...]
    totals: Totals
    checks: tuple[CheckOutcome, ...]
    marts: tuple[MartRecord, ...]
    versions: dict[str, str]
    forgotten: str = ""
    rewritten_on: tuple[date, ...] = ()

    def is_made_of(
        self,
        inputs: Iterable[tuple[str, str, str, str, str]],
        *,
        as_of: date,
        policy_sha256: str,
        versions: Mapping[str, str],
    ) -> bool:
        """Whether a run on these would say the same again, so that there is nothing to do.

        Args:
            inputs: (file, sha256, system, entity, profile) of each delivered file, in their order.
            as_of: the day the run would be for.
            policy_sha256: hash of the effective policy.
            versions: as `versions()` gives them.
        """
        known = [(i.file, i.sha256, i.system, i.entity, i.profile) for i in self.inputs]
        return (
            known == list(inputs)
            and self.as_of == as_of
            and self.policy_sha256 == policy_sha256
            and self.versions == dict(versions)
        )


def versions() -> dict[str, str]:
    """Python, the packages that can change a result, and the hash of the models and seeds, which users edit."""
    found = {"python": platform.python_version(), "dbt_project": project_hash()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def mart_records(marts: Sequence[Mart], files: Iterable[MartFile]) -> tuple[MartRecord, ...]:
    """The manifest's list of marts, from the written files."""
    keys = {mart.name: mart.key for mart in marts}
    return tuple(
        MartRecord(name=file.name, key=keys[file.name], rows=file.rows, sha256=file.sha256)
        for file in files
    )


def check_outcomes(results: Iterable[CheckResult]) -> tuple[CheckOutcome, ...]:
    """The manifest's list of checks, sorted by asset and name."""
    ordered = sorted(results, key=lambda result: (result.asset, result.check_name))
    return tuple(
        CheckOutcome(
            name=result.check_name,
            asset=result.asset,
            severity=result.severity,
            passed=result.passed,
            observed=result.observed,
        )
        for result in ordered
    )


def read_totals(account_tiers: Path) -> Totals:
    """The control totals of the mart `account_tiers` (its Parquet file)."""
    source = f"read_parquet({literal(account_tiers)})"
    with duckdb.connect(config=SUMS_ONLY) as connection:
        row = connection.execute(
            "select coalesce(sum(revenue), 0), sum(gross_margin), "
            "coalesce(sum(revenue) filter (where is_excluded), 0), "
            f"count(*) filter (where inactive_since is null) from {source}"
        ).fetchone()
        tiers = connection.execute(
            f"select final_tier, count(*) from {source} where inactive_since is null "
            "group by all order by final_tier"
        ).fetchall()
    assert row is not None
    return Totals(
        revenue=row[0],
        gross_margin=row[1],
        excluded_value=row[2],
        accounts=row[3],
        accounts_by_final_tier={str(tier): count for tier, count in tiers},
    )


def content_id(*, as_of: date, policy_sha256: str, files: Iterable[MartFile]) -> str:
    """Eight hex digits of what a release says: as_of, policy, contents of the marts."""
    said: list[Any] = [as_of.isoformat(), policy_sha256]
    said.extend([file.name, file.sha256] for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:8]
