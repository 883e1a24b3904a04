"""Time, risk and readiness of the company of twelve accounts, as worked out by hand."""

from __future__ import annotations

import pytest

from tests.pipeline.pipeline_runs import Refreshed
from tests.pipeline.test_golden import assert_rows_equal, expected


@pytest.mark.parametrize(
    ("mart", "key"),
    [
        ("account_coverage", ("account_key",)),
        ("service_balance", ("final_tier", "coverage_status")),
        ("owner_capacity", ("owner_key",)),
        ("base_at_risk", ("account_key", "reason")),
        ("readiness", ("criterion",)),
    ],
)
def test_mart_is_as_worked_out(golden: Refreshed, mart: str, key: tuple[str, ...]) -> None:
    assert_rows_equal(golden.rows(f"select * from {mart}"), expected(mart), key)
