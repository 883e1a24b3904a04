"""By a Thrift server and by Spark Connect the golden company comes out as from DuckDB."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, MOMENTS, Refreshed, content_hashes
from tests.spark.engines import SMALL, differences, refreshed_on

# of a row that changed since the release before: the time of the run that changed it
RUN_TIMES = frozenset(MOMENTS.values())
TIMED_MARTS = (*MOMENTS, "account_changes")


def test_thrift_server_is_equal_release_after_release(
    golden: Refreshed, second_golden: Refreshed, thrift_port: int, tmp_path: Path
) -> None:
    def refreshed(company: Refreshed) -> Refreshed:
        return refreshed_on(
            "spark_thrift",
            company.landing,
            tmp_path / "out",
            as_of=GOLDEN_AS_OF,
            variables=SMALL | {"KAM_SPARK_THRIFT_PORT": str(thrift_port)},
        )

    first = refreshed(golden)
    assert differences(golden.live, first.live) == {}
    assert content_hashes(first) == content_hashes(golden)
    second = refreshed(second_golden)
    assert differences(second_golden.live, second.live, but=RUN_TIMES) == {}
    assert content_hashes(second, but=TIMED_MARTS) == content_hashes(second_golden, but=TIMED_MARTS)


def test_spark_connect_is_equal(golden: Refreshed, remote: str, tmp_path: Path) -> None:
    found = refreshed_on(
        "spark_connect",
        golden.landing,
        tmp_path / "out",
        as_of=GOLDEN_AS_OF,
        variables=SMALL | {"KAM_SPARK_REMOTE": remote},
    )
    assert differences(golden.live, found.live) == {}
    assert content_hashes(found) == content_hashes(golden)
