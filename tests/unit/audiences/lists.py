"""Made-up audiences for the tests of the engine: their destinations, and a release of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
from hypothesis import strategies as st

from dagster_project.lib.audiences.destinations import Destination
from dagster_project.lib.audiences.records import AudienceManifest
from dagster_project.lib.audiences.write import write_audiences

MATCHED = Destination(
    name="matched",
    table="exp_companies",
    members="exp_members",
    header=("company", "city"),
    minimum_rows=3,
    differences="row",
)
KEYED = MATCHED.model_copy(
    update={"name": "keyed", "header": ("account_key", "company"), "differences": "key"}
)
CHANGES = MATCHED.model_copy(
    update={
        "name": "changes",
        "header": ("account_key", "company", "city"),
        "audiences": ("A",),
        "minimum_rows": 0,
        "differences": "changed",
        "cleared": "#N/A",
        "kept_when_cleared": ("account_key",),
    }
)
Companies = Mapping[str, tuple[str, str | None]]


def releases(at_least: int) -> st.SearchStrategy[list[dict[str, tuple[str, str | None]]]]:
    """Up to four releases. Few names and cities, so that members look alike, come back and change into each other."""
    members = st.dictionaries(
        st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
        st.tuples(st.sampled_from(["Alpha", "Beta", "Gamma"]), st.sampled_from(["Paris", None])),
    )
    return st.lists(members, min_size=at_least, max_size=4)


def run(
    folder: Path,
    companies: Companies,
    *destinations: Destination,
    previous: Path | None = None,
    suppressed: int = 0,
    order: str = "audience",
    held: tuple[str, ...] = (),
) -> AudienceManifest:
    """Audience A holds the companies, A+B one more for each, `tiny` the first one."""
    rows = [("A", key, *values) for key, values in companies.items()]
    rows += [("A+B", key, *values) for key, values in companies.items()]
    rows += [("A+B", f"b{key}", f"{values[0]} 2", values[1]) for key, values in companies.items()]
    rows += [("tiny", key, *values) for key, values in list(companies.items())[:1]]
    with duckdb.connect() as connection:
        connection.execute("create schema exports; create schema seeds")
        connection.execute(
            "create table exports.incoming (audience varchar, account_key varchar, company varchar,"
            " city varchar)"
        )
        if rows:
            connection.executemany("insert into exports.incoming values (?, ?, ?, ?)", rows)
        connection.execute(
            f"create table exports.exp_companies as from exports.incoming order by {order};"
            "create table exports.exp_members as select audience, account_key,"
            " null::varchar as ineligible_reason from exports.incoming;"
            "create table exports.exp_held (account_key varchar);"
            "create table seeds.audiences as select * from (values ('A', 'A', 'A+B'),"
            " ('A+B', 'A', null), ('A+B', 'B', null), ('tiny', 'A', 'A'))"
            " as t (audience, tier, wider_audience);"
        )
        connection.execute(
            "insert into exports.exp_members select 'A', 's' || i, 'suppressed'"
            f" from range({suppressed}) as t (i)"
        )
        if held:
            connection.executemany("insert into exports.exp_held values (?)", [(k,) for k in held])
        return write_audiences(
            connection, destinations=destinations, folder=folder, previous=previous
        )
