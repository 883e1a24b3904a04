"""A release that Spark computed is the one that DuckDB computed: every mart, row by row, every value.

The inputs are the demo company, AdventureWorks and the golden company; the engines a standalone cluster of two
workers, a Thrift server and Spark Connect. No column is left out: the first release of equal inputs names no run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spark.servers import cluster

Company = tuple[Path, str]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a standalone cluster."""
    with cluster(tmp_path_factory.mktemp("cluster")) as address:
        yield address
