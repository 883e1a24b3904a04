"""What another policy reaches: which models are to be built again, which are read as they are kept.

The answer comes from dbt's own graph, so that a model added tomorrow is part of it. A changed parameter
reaches the models whose SQL, or whose macros, name its column; schemes, cut points and the policy's other
tables always count as changed, so that even the same policy is computed again and not just handed back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

PARAMETERS = "policy_parameters"
LINES = "invoice_lines"
# marts that a simulation is about, those of them that the project has
TARGETS = ("account_tiers", "account_coverage", "owner_capacity")


@dataclass(frozen=True)
class Reach:
    """unique_ids: what dbt builds, and the kept relations that it then reads."""

    built: frozenset[str]
    kept: frozenset[str]


class Graph:
    """dbt's manifest as far as the marts of a simulation reach upwards."""

    def __init__(self, manifest: Mapping[str, Any], targets: Collection[str] = TARGETS) -> None:
        self.nodes: Mapping[str, Any] = manifest["nodes"]
        self.sources: Mapping[str, Any] = manifest["sources"]
        self.macros: Mapping[str, Any] = manifest["macros"]
        self.parents: Mapping[str, list[str]] = manifest["parent_map"]
        self.children: Mapping[str, list[str]] = manifest["child_map"]
        ends = [
            name
            for name, node in self.nodes.items()
            if node["resource_type"] == "model" and node["name"] in targets
        ]
        self.needed = self._closure(ends, self.parents)

    def reach(
        self, policy_tables: Collection[str], changed: Collection[str], derived: Collection[str]
    ) -> Reach:
        """What is built when the policy's tables are new and these parameters differ.

        Args:
            policy_tables: the tables of schema `raw` that hold the policy.
            changed: parameters with another value than the kept tables were made with.
            derived: columns that the staging model of the parameters computes from others.
        """
        parameters = self._staged([PARAMETERS])
        begun = self._staged(set(policy_tables) - {PARAMETERS})
        built = self.affected(begun | self.readers(changed, derived)) | parameters
        # a kept view names the relations of its own warehouse, so it is made anew on top of them
        while views := {name for name in self._above(built) - built if self._is_view(name)}:
            built |= views
        seeds = {name for name in self._above(built) if name.startswith("seed.")}
        built |= seeds
        return Reach(frozenset(built), frozenset(self._above(built) - built))

    def readers(self, changed: Collection[str], derived: Collection[str]) -> set[str]:
        """Models that name one of the parameters in their SQL or in a macro that they call."""
        staged = self._staged([PARAMETERS])
        words = set(changed)
        if any(self._names(self.nodes[name]["raw_code"], words) for name in staged):
            words |= set(derived)
        return {
            name
            for parent in staged
            for name in self.children.get(parent, [])
            if name in self.needed and words and self._names(self._sql(name), words)
        }

    def affected(self, begun: Iterable[str]) -> set[str]:
        """The models themselves and everything needed below them."""
        return self._closure(begun, self.children) & self.needed

    def in_order(self, names: Collection[str]) -> list[str]:
        """The names, each after its parents."""
        sorter = TopologicalSorter(
            {name: sorted(set(self.parents.get(name, ())) & set(names)) for name in sorted(names)}
        )
        return list(sorter.static_order())

    def reads_lines_again(self, models: Iterable[str]) -> bool:
        """Whether building them means reading invoice lines, not only their kept sums."""
        return any(not self._is_view(name) and self._reads_lines(name) for name in models)

    def _reads_lines(self, name: str) -> bool:
        return any(
            self.sources[parent]["name"] == LINES
            if parent in self.sources
            else self._is_view(parent) and self._reads_lines(parent)
            for parent in self.parents.get(name, [])
        )

    def _staged(self, tables: Collection[str]) -> set[str]:
        """The staging models of the run's tables."""
        return {
            child
            for name, source in self.sources.items()
            if source["source_name"] == "run" and source["name"] in tables
            for child in self.children.get(name, [])
            if child in self.needed
        }

    def _sql(self, name: str) -> str:
        node = self.nodes[name]
        macros = self._closure(
            node["depends_on"]["macros"],
            {key: macro["depends_on"]["macros"] for key, macro in self.macros.items()},
        )
        own = [self.macros[key] for key in macros if key in self.macros]
        texts = [m["macro_sql"] for m in own if m["package_name"] == node["package_name"]]
        return "\n".join([node["raw_code"], *texts])

    def _above(self, names: Iterable[str]) -> set[str]:
        return {parent for name in names for parent in self.parents.get(name, [])}

    def _is_view(self, name: str) -> bool:
        node = self.nodes.get(name)
        return node is not None and node["config"]["materialized"] in ("view", "ephemeral")

    @staticmethod
    def _names(text: str, words: Collection[str]) -> bool:
        return bool(words) and bool(re.search(rf"\b({'|'.join(sorted(words))})\b", text))

    @staticmethod
    def _closure(begun: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
        found = set(begun)
        waiting = list(found)
        while waiting:
            new = set(edges.get(waiting.pop(), ())) - found
            found |= new
            waiting.extend(new)
        return found
