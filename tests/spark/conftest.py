"""The companies, refreshed by DuckDB as the pipeline's tests do, and Spark to refresh them on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.conftest import adventureworks, demo, golden, second_golden
from tests.spark.servers import cluster, connect_server, thrift_server

__all__ = ["adventureworks", "demo", "golden", "second_golden"]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a standalone cluster of two workers."""
    with cluster(tmp_path_factory.mktemp("cluster")) as address:
        yield address


@pytest.fixture(scope="module")
def thrift_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Thrift server."""
    with thrift_server(tmp_path_factory.mktemp("thrift")) as port:
        yield port


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of Spark Connect."""
    with connect_server(tmp_path_factory.mktemp("connect")) as address:
        yield address
