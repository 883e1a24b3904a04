"""By a Thrift server and by Spark Connect the golden company comes out as from DuckDB."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, Refreshed, content_hashes
from tests.spark.engines import SMALL, differences, refreshed_on


def test_thrift_server_is_equal(golden: Refreshed, thrift_port: int, tmp_path: Path) -> None:
    found = refreshed_on(
        "spark_thrift",
        golden.landing,
        tmp_path / "out",
        as_of=GOLDEN_AS_OF,
        variables=SMALL | {"KAM_SPARK_THRIFT_PORT": str(thrift_port)},
    )
    assert differences(golden.live, found.live) == {}
    assert content_hashes(found) == content_hashes(golden)


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
