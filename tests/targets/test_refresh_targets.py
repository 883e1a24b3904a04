"""`kam refresh` with targets: a target that fails takes nothing back, is told, and is caught up by the next run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.pipeline_runs import Refreshed
from tests.targets.company import WRONG, Company
from tests.targets.servers import PASSWORD, Server


@pytest.fixture
def company(golden: Refreshed, tmp_path: Path) -> Company:
    return Company(golden.copy(tmp_path), tmp_path)


def test_target_that_fails_is_behind_until_the_next_refresh(
    company: Company, server: Server, url: str
) -> None:
    database = url.rpartition("/")[2]
    wrong = server.url(database=database, password=WRONG)
    first = company.company.live.release_id

    # nothing to do but the targets, of which one fails
    code, said, errors = company.kam("refresh", url=wrong)
    assert code == 1
    assert "postgres: no connection" in errors and "TEST_POSTGRES_URL" in errors
    assert f"release {first} is live; a target is behind" in " ".join(errors.split())
    assert company.company.live.release_id == first
    assert company.states(wrong)["object_store"]["release_id"] == first
    assert company.states(wrong)["postgres"]["problem"]

    code, said, errors = company.kam("refresh", url=url)
    assert code == 0, errors
    assert "nothing to do" in said and "target postgres was behind, and has the live" in said
    assert "object_store" not in said
    assert company.states(url)["postgres"]["release_id"] == first
    code, said, _ = company.kam("refresh", url=url)
    assert (code, "was behind" in said) == (0, False)

    # a new release, of which one target hears nothing
    policy = company.settings.with_name("policy.yml")
    policy.write_text("schemes: {revenue: {cut_points: {A: 0.60, B: 0.90}}}\n")
    company.settings.write_text(company.settings.read_text() + "policy: policy.yml\n")
    code, said, errors = company.kam("refresh", url=wrong)
    second = company.company.live.release_id
    assert (code, second != first) == (1, True)
    assert f"release {second} is live; a target is behind" in " ".join(errors.split())
    states = company.states(url)
    assert states["object_store"]["release_id"] == second
    assert (states["postgres"]["release_id"], states["postgres"]["is_behind"]) == (first, True)
    code, said, _ = company.kam("status", url=url)
    assert f"target postgres: behind, it has release {first}" in said

    code, said, errors = company.kam("refresh", "--json", url=url)
    assert code == 0, errors
    assert json.loads(said)["targets_caught_up"] == ["postgres"]
    assert not any(state["is_behind"] for state in company.states(url).values())
    told = b"".join(path.read_bytes() for path in company.company.out.rglob("*") if path.is_file())
    for secret in (WRONG, PASSWORD):
        assert secret.encode() not in told, "no log, event or manifest holds a password"
