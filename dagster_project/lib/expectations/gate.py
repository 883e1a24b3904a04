"""The quality floor in one call: every expectation, and the recomputed tiers.

Belongs here: which frame goes to which suite, and the parameters that the policy gives. Not: SQL,
thresholds.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import duckdb
import pandas as pd

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.expectations import frames
from dagster_project.lib.expectations.metrics import (
    build_metrics_frame,
    figures_of_manifest,
    figures_of_warehouse,
)
from dagster_project.lib.expectations.suites import Suite, load_suites, suite_of
from dagster_project.lib.expectations.validation import validate
from dagster_project.lib.recomputed import recompute_tiers
from dagster_project.lib.recomputed_history import recompute_final_tiers
from dagster_project.lib.recomputed_posture import recompute_postures
from dagster_project.policy import Policy

NUMBERS = "numbers_"
DRIFT = "drift_"


def run_gate(
    connection: duckdb.DuckDBPyConnection,
    *,
    policy: Policy,
    live_manifest: Mapping[str, Any] | None,
    run_at: datetime.datetime,
) -> list[CheckResult]:
    """Judge the marts of the warehouse.

    Args:
        connection: the warehouse with schemas `marts` and `intermediate` built; only read.
        policy: the effective policy of the run.
        live_manifest: manifest.json of the live release; None before the first one.
        run_at: moment of the run, UTC, without time zone.

    Returns:
        One result per check: the expectations in the order of `suites.yml`, then each scheme
        recomputed, then the final tiers and the postures. Same input, same results.
    """
    judge = Judge(connection, policy, live_manifest=live_manifest, run_at=run_at)
    results = [result for suite in load_suites() for result in judge.judge(suite)]
    results += recompute_tiers(connection, policy)
    results += recompute_final_tiers(connection, policy)
    results.append(recompute_postures(connection, policy))
    return results


class Judge:
    """Reads a suite's frame from the warehouse and validates it; figures of releases come once."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        policy: Policy,
        *,
        live_manifest: Mapping[str, Any] | None,
        run_at: datetime.datetime,
    ) -> None:
        """Take what `run_gate` takes."""
        self._connection = connection
        self._policy = policy
        self._live_manifest = live_manifest
        self._run_at = run_at
        self._parameters = suite_parameters(policy)

    def judge(self, suite: Suite) -> list[CheckResult]:
        """One result per check of the suite."""
        if suite.frame.startswith(DRIFT):
            return drift_results(suite, self._metrics, parameters=self._parameters)
        return validate(self._frame(suite.frame), suite, parameters=self._parameters)

    def _frame(self, name: str) -> pd.DataFrame:
        connection, policy = self._connection, self._policy
        if name.startswith(NUMBERS):
            return frames.numbers(connection, name.removeprefix(NUMBERS))
        readers: dict[str, Callable[[], pd.DataFrame]] = {
            "account_tiers_contract": lambda: frames.account_tiers_contract(
                connection, contracted_columns()
            ),
            "account_tiers": lambda: frames.account_tiers(connection, self._run_at),
            "cost_coverage": lambda: frames.cost_coverage(connection, policy),
            "curves": lambda: frames.curves(connection, policy),
            "histories": lambda: frames.histories(connection, policy),
            "months": lambda: frames.months(connection),
            "currency_lists": lambda: frames.currency_lists(connection),
            "portfolio_concentration": lambda: frames.portfolio_concentration(connection),
            "concentration_steps": lambda: frames.concentration_steps(connection),
            "account_coverage": lambda: frames.account_coverage(connection, policy),
            "owner_capacity": lambda: frames.owner_capacity(connection, policy),
        }
        return readers[name]()

    @cached_property
    def _metrics(self) -> pd.DataFrame | None:
        if self._live_manifest is None:
            return None
        return build_metrics_frame(
            figures_of_warehouse(self._connection),
            figures_of_manifest(self._live_manifest),
            few_rows=self._policy.gate.min_population,
        )


def suite_parameters(policy: Policy) -> dict[str, Any]:
    """The `$PARAMETER`s of `suites.yml`."""
    gate = policy.gate
    return {
        "tiers": list(policy.primary.tiers),
        "history_months": policy.history_months,
        "min_cost_coverage": float(gate.min_cost_coverage),
        "min_row_count_change": -float(gate.max_row_count_drop),
        "min_revenue_change": -float(gate.max_revenue_change),
        "max_revenue_change": float(gate.max_revenue_change),
    }


def contracted_columns() -> list[str]:
    """The columns of `account_tiers` that others rely on, as `suites.yml` lists them."""
    return list(suite_of("account_tiers_contract").checks[0].arguments[0]["column_list"])


def drift_results(
    suite: Suite, metrics: pd.DataFrame | None, *, parameters: Mapping[str, Any]
) -> list[CheckResult]:
    """Hold the figures of the suite's kind against the live release.

    Args:
        suite: on the frame `drift_<kind>`.
        metrics: from `build_metrics_frame`; None before the first release.
        parameters: from `suite_parameters`.
    """
    if metrics is None:
        return [
            CheckResult(
                check_name=check.name,
                asset=suite.asset,
                severity=check.severity,
                passed=True,
                observed="first release: there is no live one to compare with",
                remedy=check.remedy,
            )
            for check in suite.checks
        ]
    frame = metrics[metrics["kind"] == suite.frame.removeprefix(DRIFT)].reset_index(drop=True)
    described = "; ".join(frame["described"]) or "nothing to compare"
    return [
        replace(result, observed=described) if result.passed else result
        for result in validate(frame, suite, parameters=parameters)
    ]
