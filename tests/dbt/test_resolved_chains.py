"""Chains of links against a walk in plain Python: drawn graphs with circles, ways into them and long chains."""

from __future__ import annotations

import random
from collections.abc import Mapping

import duckdb
import pytest

from tests.dbt.rendered import macros

LONGEST = 64
Chain = tuple[str, str, int, str | None, bool]


def _circle(links: Mapping[str, str | None], start: str) -> list[str]:
    """The nodes of the circle that the node is part of; none where it is part of none."""
    way, node = [start], links[start]
    while node is not None and node not in way and len(way) <= LONGEST:
        way.append(node)
        node = links[node]
    return way if node == start else []


def _walked(links: Mapping[str, str | None]) -> list[Chain]:
    smallest = {node: min(_circle(links, node), default=None) for node in links}
    cut = {node: None if smallest[node] == node else links[node] for node in links}
    chains: list[Chain] = []
    for node in sorted(links):
        root, depth = node, 0
        while (parent := cut[root]) is not None and depth < LONGEST:
            root, depth = parent, depth + 1
        chains.append((node, root, depth, cut[node], smallest[node] == node))
    return chains


def _drawn(draw: random.Random) -> dict[str, str | None]:
    nodes = [f"n{number}" for number in draw.sample(range(1_000), draw.randint(1, 12))]
    return {
        node: draw.choice([None, *(other for other in nodes if other != node)]) for node in nodes
    }


def _line(length: int, last: int | None) -> dict[str, str | None]:
    """A chain of so many nodes, whose last one leads nowhere or back to one of them."""
    names = [f"n{number:03}" for number in range(length)]
    return dict(zip(names, [*names[1:], None if last is None else names[last]], strict=True))


@pytest.mark.parametrize(
    "links",
    [
        *(_drawn(random.Random(seed)) for seed in range(40)),
        _line(90, None),
        _line(90, 0),
        _line(90, 70),
        _line(LONGEST, 0),
        {"A": "x|C|y", "x|C|y": "C", "C": "D", "D": None},
        {"A": "x^1C", "x^1C": "x|C", "x|C": "A^", "A^": "A"},
    ],
)
def test_chains_end_where_a_walk_ends(links: dict[str, str | None]) -> None:
    chains = macros("duckdb", "resolved_chains")["resolved_chains"]("links")
    with duckdb.connect() as connection:
        connection.execute("create table links (node varchar, next_node varchar)")
        connection.executemany("insert into links values (?, ?)", list(links.items()))
        found = connection.execute(
            f"select node, root, chain_depth, next_node, is_cut from ({chains}) order by node"
        ).fetchall()
    assert found == _walked(links)
