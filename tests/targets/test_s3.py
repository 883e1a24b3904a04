"""The object store by S3's own protocol: moto's server on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from dagster_project.lib.targets.errors import TargetError
from dagster_project.lib.targets.object_store import (
    publish_to_object_store,
    release_in_object_store,
)
from dagster_project.target_settings import ObjectStoreTarget
from tests.targets.releases import Releases


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a store with the bucket `tiers`; credentials come by the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-somebody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # the store is the process's, whichever server shows it
    urlopen(Request(f"{address}/moto-api/reset", method="POST"), timeout=10).close()
    s3fs.S3FileSystem(endpoint_url=address, skip_instance_cache=True).mkdir("tiers")
    yield address
    server.stop()


def test_releases_lie_in_s3_as_they_lie_in_the_published_folder(
    releases: Releases, endpoint: str
) -> None:
    target = ObjectStoreTarget(url="s3://tiers/of/us", options={"endpoint_url": endpoint})
    assert release_in_object_store(target) is None
    first = releases.publish()
    sent = publish_to_object_store(first, target, keep_releases=2)
    assert len(sent) == len(first.manifest.marts)
    for tier in ("A", "B"):
        releases.change(f"update marts.account_tiers set final_tier = '{tier}'")
        live = releases.publish()
        assert publish_to_object_store(live, target, keep_releases=2) == ("account_tiers",)
    assert release_in_object_store(target) == live.release_id
    store = s3fs.S3FileSystem(endpoint_url=endpoint, skip_instance_cache=True)
    root = "tiers/of/us/"
    found = {path.removeprefix(root): store.cat_file(path) for path in store.find(root)}
    published = releases.published
    wanted = {
        str(path.relative_to(published)): path.read_bytes()
        for path in published.rglob("*")
        if path.is_file()
        and path.suffix != ".duckdb"
        and "audiences" not in path.parts
        and first.release_id not in path.parts
    }
    assert found.keys() == wanted.keys()
    assert found == wanted


def test_bucket_that_is_not_there_is_told_without_the_secret(
    releases: Releases, endpoint: str
) -> None:
    target = ObjectStoreTarget(url="s3://absent/of/us", options={"endpoint_url": endpoint})
    with pytest.raises(TargetError, match=r"s3://absent/of/us: .*check the place") as caught:
        publish_to_object_store(releases.publish(), target, keep_releases=2)
    assert "s3cr3t" not in str(caught.value)


def test_store_that_does_not_answer_is_told(releases: Releases, endpoint: str) -> None:
    target = ObjectStoreTarget(
        url="s3://tiers/x",
        options={
            "endpoint_url": "http://127.0.0.1:9",
            "config_kwargs": {"retries": {"max_attempts": 1}, "connect_timeout": 2},
        },
    )
    with pytest.raises(TargetError, match="check the place, its options and the credentials"):
        release_in_object_store(target)
