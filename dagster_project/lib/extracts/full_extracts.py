"""Full extracts: which delivered files still count once a later extract has come in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from natsort import natsort_keygen


class Delivered(Protocol):
    """What a delivered file says of itself; an empty `extract` makes it a delta."""

    @property
    def system(self) -> str: ...
    @property
    def entity(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def extract(self) -> str: ...


@dataclass(frozen=True)
class Place:
    """Where a delivered file stands among the extracts of its system, entity, layout and scope.

    Attributes:
        extract_rank: 1 = part of the latest full extract, 2 = of the one before it; None of a delta.
        is_replaced: a full extract stands in its place, and nothing of it counts any more.
    """

    extract_rank: int | None
    is_replaced: bool


def places_of(deliveries: Sequence[Delivered]) -> list[Place]:
    """The place of each delivery, given in the order of deliveries.

    The latest full extract is the one whose name is last in natural order: the parts of two extracts
    (`part1_0101, part1_0108, part2_0101, ...`) may lie in turns. A delta counts on top of it where it
    comes after the extract's first part. Layouts do not replace each other: invoices and credit notes of one
    system are two layouts of one entity. Nor do scopes: of a French accounting file each fiscal year is one.
    """
    scopes: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for position, delivered in enumerate(deliveries):
        key = (delivered.system, delivered.entity, delivered.layout, delivered.scope)
        scopes[key].append(position)
    places = [Place(None, is_replaced=False)] * len(deliveries)
    for positions in scopes.values():
        ranks = _ranks([deliveries[position].extract for position in positions])
        first = min((p for p in positions if ranks.get(deliveries[p].extract) == 1), default=-1)
        for position in positions:
            rank = ranks.get(deliveries[position].extract)
            is_replaced = position < first if rank is None else rank > 1
            places[position] = Place(rank, is_replaced=is_replaced)
    return places


def _ranks(extracts: Sequence[str]) -> dict[str, int]:
    """Rank of each named extract, the latest first; of equals in natural order the later delivered one."""
    last = {extract: position for position, extract in enumerate(extracts) if extract}
    natural = natsort_keygen()
    ordered = sorted(last, key=lambda extract: (natural(extract), last[extract]), reverse=True)
    return {extract: rank for rank, extract in enumerate(ordered, start=1)}
