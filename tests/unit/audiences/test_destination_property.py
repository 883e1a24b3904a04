"""Whatever happens between releases, a destination that is given every file holds what it may hold.

A destination is played by a set or a dictionary that does what the files say. Beside it stand the lists as they
would be if they were computed from nothing at each release.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.audiences.destinations import Destination
from tests.unit.audiences.lists import CHANGES, KEYED, MATCHED, releases, run

EXAMPLES = 15  # each is up to four releases
Member = tuple[str, str | None]
HELD = Destination.model_validate(CHANGES.model_dump() | {"name": "held", "held": "exp_held"})


def read(folder: Path, file: str) -> list[tuple[str, ...]]:
    path = folder / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in csv.reader(stream)][1:]


def cells(members: Mapping[str, Member]) -> dict[str, tuple[str, str]]:
    return {key: (company, city or "") for key, (company, city) in members.items()}


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases(1))
def test_removes_and_adds_lead_to_the_list(history: list[dict[str, Member]]) -> None:
    rows: set[tuple[str, ...]] = set()
    keys: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        previous: Path | None = None
        for number, members in enumerate(history):
            folder = Path(name) / str(number)
            run(folder, members, MATCHED, KEYED, previous=previous)
            may_hold = set(cells(members).values())
            gone, come = (read(folder, f"matched/A_{kind}.csv") for kind in ("remove", "add"))
            assert set(gone) <= rows, "only what is held is withdrawn"
            assert not set(come) & (rows - set(gone)), "what is held is not sent again"
            assert (len(set(gone)), len(set(come))) == (len(gone), len(come)), "no row stands twice"
            rows = (rows - set(gone)) | set(come)
            assert rows <= may_hold, "nobody stays who must go"
            if len(may_hold) >= MATCHED.minimum_rows:
                assert rows == may_hold
                assert sorted(read(folder, "matched/A.csv")) == sorted(may_hold)
            for key, _ in read(folder, "keyed/A_remove.csv"):
                del keys[key]
            keys |= {key: company for key, company in read(folder, "keyed/A_add.csv")}
            assert keys.keys() <= members.keys()
            if len(members) >= KEYED.minimum_rows:
                assert keys.keys() == members.keys()
            previous = folder


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases(1), st.sets(st.sampled_from(["k1", "k2", "k3"])))
def test_upserts_lead_to_the_state(history: list[dict[str, Member]], lost: set[str]) -> None:
    """`lost` are deleted in the destination whenever they are in no list."""
    with tempfile.TemporaryDirectory() as name:
        previous: Path | None = None
        state: dict[str, tuple[str, ...]] = {}
        for number, members in enumerate(history):
            folder = Path(name) / str(number)
            state = {key: row for key, row in state.items() if key in members or key not in lost}
            held = tuple(state.keys() | members.keys())
            run(folder, members, HELD, previous=previous, held=held)
            for key, *row in read(folder, "held/A.csv"):
                is_new = key not in state
                assert not is_new or key in members, "who is not there is not created by a clearing"
                assert is_new or state[key] != tuple(row), "only what changed is sent"
                state[key] = tuple(row)
            now = cells(members)
            cleared = {key: row for key, row in state.items() if key not in now}
            assert {key: row for key, row in state.items() if key in now} == now
            assert set(cleared.values()) <= {("#N/A", "#N/A")}
            previous = folder
