"""The header of an extract, matched with the columns of its layout."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.limits import MAX_COLUMNS
from dagster_project.lib.extracts.profile import Labels, Layout
from dagster_project.lib.extracts.quoting import literal

APOSTROPHE = "'"


@dataclass(frozen=True)
class Header:
    """Where each column stands in the file.

    Attributes:
        width: number of columns of the file.
        positions: column of the layout -> position in the file, from 0.
        extra: (name, position) of the columns that the layout does not know.
    """

    width: int
    positions: dict[str, int]
    extra: tuple[tuple[str, int], ...]


def label_form(name: str) -> str:
    """A label without regard to case, accents, the apostrophe's form, and runs of white space or `_`."""
    marks = unicodedata.normalize(
        "NFKD", name.strip().strip("\ufeff").replace("\u2019", APOSTROPHE)
    )
    bare = "".join(character for character in marks if not unicodedata.combining(character))
    return re.sub(r"[\s_]+", " ", bare).strip().lower()


def label_form_sql(text: str) -> str:
    """label_form of a trimmed text, as DuckDB's SQL."""
    straight = f"replace({text}, '\u2019', {literal(APOSTROPHE)})"
    return f"regexp_replace(lower(strip_accents({straight})), '[\\s_\u00a0\u202f]+', ' ', 'g')"


def known_labels(layout: Layout) -> Callable[[Sequence[str]], int]:
    """A function that says how many fields of a line are labels of the layout's columns."""
    labels = {form for name, column in layout.columns.items() for form in _forms(name, column)}
    return lambda fields: len({label_form(field) for field in fields} & labels)


def required_labels(layout: Layout) -> list[str]:
    """The usual label of each column without which a file of the layout fails."""
    return [
        column.labels[0] if column.labels else name
        for name, column in layout.columns.items()
        if column.required
    ]


def match_header(names: Sequence[str], layout: Layout, *, what: str, file: str) -> Header:
    """Matches the file's names with the layout's labels; of several labels of a column the first counts.

    Raises:
        ExtractError: too many columns, a name twice, no known name, a required column missing.
    """
    found = [label_form(name) for name in names]
    forms = {name: _forms(name, column) for name, column in layout.columns.items()}
    _refuse_odd_headers(found, {form: name for name, some in forms.items() for form in some}, file)
    positions = {
        name: found.index(form)
        for name, some in forms.items()
        if (form := next((form for form in some if form in found), None)) is not None
    }
    if not positions:
        raise _unknown_language(names, layout, what=what, file=file)
    for name, column in layout.columns.items():
        if column.required and name not in positions:
            wanted = " or ".join([*column.labels[:2], *([] if column.labels else [name])])
            raise ExtractError(
                file,
                "the required column is missing; nothing of this file is loaded",
                column=name,
                remedy=f"Add the column {wanted} to the export and deliver the file again.",
            )
    taken = set(positions.values())
    seen: Counter[str] = Counter()
    extra = []
    for position, name in enumerate(names):
        if position not in taken:
            own = name.strip().strip("\ufeff").strip() or f"column_{position + 1}"
            seen[own] += 1
            extra.append((own if seen[own] == 1 else f"{own} ({seen[own]})", position))
    return Header(width=len(names), positions=positions, extra=tuple(extra))


def _forms(name: str, column: Labels) -> list[str]:
    return [label_form(label) for label in (name, *column.labels)]


def _refuse_odd_headers(found: list[str], known: Mapping[str, str], file: str) -> None:
    if len(found) > MAX_COLUMNS:
        raise too_many_columns(len(found), file)
    twice = [name for name, count in Counter(found).items() if name in known and count > 1]
    if twice:
        raise ExtractError(
            file,
            "the header names this column more than once",
            column=known[twice[0]],
            remedy="Rename or remove one of the two: which one counts cannot be guessed.",
        )


def too_many_columns(count: int, file: str) -> ExtractError:
    """What a header over the limit is told."""
    return ExtractError(
        file,
        f"the header has {count} columns, the limit is {MAX_COLUMNS}",
        remedy="Export only the columns that the entity needs.",
    )


def _unknown_language(
    names: Sequence[str], layout: Layout, *, what: str, file: str
) -> ExtractError:
    wanted = ", ".join(required_labels(layout))
    return ExtractError(
        file,
        f"the header is in no known language: none of its {len(names)} names is a column of {what}",
        remedy=f"The header must hold the column names, {wanted} among them.",
    )
