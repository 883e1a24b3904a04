"""Which deliveries count once full extracts replace each other."""

from dataclasses import dataclass

import pytest

from dagster_project.lib.extracts.full_extracts import Place, places_of


@dataclass(frozen=True)
class File:
    """What a delivered file says of itself."""

    extract: str
    system: str = "erp"
    entity: str = "customers"
    layout: str = ""
    scope: str = ""


@pytest.mark.parametrize(
    ("extracts", "ranks", "replaced"),
    [
        ([], [], []),
        (["", ""], [None, None], []),
        (["1", "2"], [2, 1], [0]),
        # parts of one extract do not replace each other
        (["1", "2", "2"], [2, 1, 1], [0]),
        # parts lie in turns: part1_0101, part1_0108, part2_0101, part2_0108
        (["0101", "0108", "0101", "0108"], [2, 1, 2, 1], [0, 2]),
        # the name is read as a person reads it
        (["week10", "week9"], [1, 2], [1]),
        # a delta before the extract is in it, one after it comes on top
        (["", "1", ""], [None, 1, None], [0]),
        # one among the parts as well
        (["1", "", "1"], [1, None, 1], []),
        # what came on top of an extract is gone with it
        (["1", "", "2"], [2, None, 1], [0, 1]),
        # equal in natural order: the later delivered
        (["01", "1"], [2, 1], [0]),
    ],
)
def test_the_latest_extract_counts_with_the_deltas_after_it(
    extracts: list[str], ranks: list[int | None], replaced: list[int]
) -> None:
    assert places_of([File(extract) for extract in extracts]) == [
        Place(rank, is_replaced=position in replaced) for position, rank in enumerate(ranks)
    ]


@pytest.mark.parametrize(
    "other",
    [
        File("2", system="erp_us"),
        File("2", entity="products"),
        File("2", layout="credit_memos"),
        File("2", scope="2026"),
    ],
)
def test_systems_entities_layouts_and_scopes_do_not_replace_each_other(other: File) -> None:
    assert places_of([File("1"), other]) == [Place(1, is_replaced=False)] * 2
