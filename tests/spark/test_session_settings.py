"""What dbt-spark opens its sessions with keeps figures exact, by each way to a Spark."""

from __future__ import annotations

import pytest
from dbt.adapters.spark.connections import SparkCredentials

from dagster_project.lib.spark.connection import ANSI, OF_SESSION, keep_settings

PROFILE = {"spark.sql.session.timeZone": "UTC", ANSI: "false"}


@pytest.mark.parametrize(("method", "prefix"), [("session", ""), ("thrift", OF_SESSION)])
def test_the_profiles_settings_are_those_of_the_session(method: str, prefix: str) -> None:
    keep_settings()
    keep_settings()
    made = SparkCredentials(
        method=method, host="127.0.0.1", schema="default", server_side_parameters=dict(PROFILE)
    )
    wanted = {prefix + "spark.sql.session.timeZone": "UTC", prefix + ANSI: "true"}
    assert made.server_side_parameters == wanted
    made.__post_init__()
    assert made.server_side_parameters | wanted == made.server_side_parameters
