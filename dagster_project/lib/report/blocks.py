"""What a section of the report is made of; the template knows how each is written in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A cell that is more than a text: the template picks its form by `kind`."""

    text: str
    kind: str = "text"  # text, name, tier, bar, english
    share: float = 0.0  # of a bar, 0..1
    detail: str = ""  # a second, smaller line


@dataclass(frozen=True)
class Column:
    """A heading; numbers stand to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Card:
    """One headline figure."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Cards:
    """Headline figures beside each other."""

    block: ClassVar[str] = "cards"
    cards: Sequence[Card]


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is `plain`, `note`, `good` or `poor`."""

    block: ClassVar[str] = "text"
    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Table:
    """Rows of texts and cells; the first column names the row."""

    block: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""
    is_wide: bool = False  # stands alone in its line


@dataclass(frozen=True)
class Matrix:
    """A square of counts: rows are from, columns are to; `shades` are 0..1 beside the counts."""

    block: ClassVar[str] = "matrix"
    caption: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Chart:
    """A drawing with its words and the numbers behind it."""

    block: ClassVar[str] = "chart"
    title: str
    drawing: Markup
    summary: str  # what a reader who does not see the drawing is told
    table: Table
    note: str = ""


Block = Cards | Text | Table | Matrix | Chart


@dataclass(frozen=True)
class Section:
    """A part of the report with its heading."""

    name: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""
    side_by_side: bool = field(default=False)
