"""Normal forms and hashes of people on Spark: the fixed vectors, and every letter that it composes."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from tests.dbt.rendered import FORMS, macros
from tests.dbt.test_contact_forms import KINDS, VECTORS, expressions

Formed = Callable[[str, list[str]], list[str | None]]
# Latin-1, Latin Extended-A, the letters with a horn, Romanian's commas, and Vietnamese.
LETTERS = [
    chr(code)
    for start, end in ((0xC0, 0x180), (0x1A0, 0x1B1), (0x218, 0x21C), (0x1EA0, 0x1EFA))
    for code in range(start, end)
]


@pytest.fixture(scope="module")
def formed() -> Iterator[Formed]:
    """What Spark makes of texts by an expression over `raw`."""
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )

    def run(expression: str, texts: list[str]) -> list[str | None]:
        rows = spark.createDataFrame(list(enumerate(texts)), "place int, raw string")
        rows.createOrReplaceTempView("vectors")
        query = f"select {expression} as form, place from vectors order by place"
        return [row[0] for row in spark.sql(query).collect()]

    yield run
    spark.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_fixed_vectors(kind: str, formed: Formed) -> None:
    raw = [vector[0] for vector in VECTORS[kind]]
    assert formed(expressions("spark")[kind], raw) == [vector[1] for vector in VECTORS[kind]]


def test_fixed_hashes(formed: Formed) -> None:
    texts = [vector[0] for vector in VECTORS["sha256"]]
    wanted = [v[1] or hashlib.sha256(v[0].encode()).hexdigest() for v in VECTORS["sha256"]]
    assert formed(expressions("spark")["sha256"], texts) == wanted


def test_letters_are_composed(formed: Formed) -> None:
    composed = macros("spark", *FORMS)["composed_text"]("raw")
    taken_apart = [unicodedata.normalize("NFD", letter) for letter in LETTERS]
    assert formed(composed, taken_apart) == LETTERS
