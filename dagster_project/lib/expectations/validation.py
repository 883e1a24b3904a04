"""From a frame and a suite to results of the gate, by Great Expectations on pandas."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.expectations.library import load_library
from dagster_project.lib.expectations.suites import Check, Suite

NAMED_ROWS = 3
SEVERITIES = {"error": "critical", "warn": "warning"}


def validate(
    frame: pd.DataFrame, suite: Suite, *, parameters: Mapping[str, Any] | None = None
) -> list[CheckResult]:
    """Hold a frame against a suite.

    Args:
        frame: has the columns that the suite names; amounts as floats (sums are judged elsewhere).
        suite: from `load_suites`.
        parameters: values of the suite's `$PARAMETER`s.

    Returns:
        One result per check, in the suite's order. An expectation that cannot be evaluated has
        failed.
    """
    expectations = [expectation for check in suite.checks for expectation in _made(check)]
    gx = load_library()
    outcome = (
        _batch_definition()
        .get_batch(batch_parameters={"dataframe": frame})
        .validate(
            gx.ExpectationSuite(name=suite.frame, expectations=expectations),
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": NAMED_ROWS,
                "unexpected_index_column_names": list(suite.name_by),
            },
            expectation_parameters=dict(parameters or {}),
        )
    )
    found: dict[str, list[Any]] = {}
    for result in outcome.results:
        found.setdefault(result.expectation_config.meta["check"], []).append(result)
    return [_judged(check, found[check.name], suite) for check in suite.checks]


@cache
def _batch_definition() -> Any:
    """An ephemeral context without progress bars, with one place for frames."""
    gx = load_library()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("marts").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _made(check: Check) -> Iterator[Any]:
    expectation_class = getattr(load_library().expectations, check.expectation)
    meta = {
        "check": check.name,
        "severity": check.severity,
        "reason": check.reason,
        "remedy": check.remedy,
    }
    for arguments in check.arguments:
        yield expectation_class(**arguments, meta=meta, severity=SEVERITIES[check.severity])


def _judged(check: Check, results: Sequence[Any], suite: Suite) -> CheckResult:
    failed = [result for result in results if not result.success]
    observed = "; ".join(_said(result, suite.name_by) for result in failed or results[:1])
    return CheckResult(
        check_name=check.name,
        asset=suite.asset,
        severity=check.severity,
        passed=not failed,
        observed=observed if failed else f"holds: {observed}",
        remedy=check.remedy,
    )


def _said(result: Any, name_by: Sequence[str]) -> str:
    raised = _raised(result.exception_info)
    if raised:
        return f"could not be evaluated: {raised}"
    found = result.result
    if "unexpected_count" not in found:
        observed = found.get("observed_value")
        if isinstance(observed, list):
            return _shown(found["details"]) if "details" in found else f"{len(observed)} columns"
        return _shown(observed)
    if not found["unexpected_count"]:
        return f"{found['element_count']:,} rows, none apart"
    named = found.get("partial_unexpected_index_list") or []
    rows = "; ".join(_named(row, name_by) for row in named[:NAMED_ROWS] if isinstance(row, dict))
    count = f"{found['unexpected_count']:,} of {found['element_count']:,} rows"
    return f"{count}: {rows}" if rows else f"{count}: {found.get('partial_unexpected_list')}"


def _named(row: Mapping[str, Any], name_by: Sequence[str]) -> str:
    name = " ".join(_shown(row[column]) for column in name_by)
    rest = ", ".join(f"{key} {_shown(value)}" for key, value in row.items() if key not in name_by)
    # A frame may bring the sentence that describes a row: its figures stand in it.
    return name if not rest or "described" in name_by else f"{name} ({rest})"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Mapping) and "mismatched" in value:
        return "; ".join(
            f"column {item['Expected Column Position']} is {item['Found']}, not {item['Expected']}"
            for item in value["mismatched"][:NAMED_ROWS]
        )
    # Dates come back as timestamps.
    return str(value).removesuffix(" 00:00:00")


def _raised(info: Mapping[str, Any] | None) -> str | None:
    """The message of the exception, if there was one; Great Expectations nests it by metric."""
    if not info:
        return None
    nested = info.values() if "raised_exception" not in info else [info]
    for entry in nested:
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            return str(entry.get("exception_message"))
    return None
