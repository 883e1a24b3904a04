"""A profile's documentation page, made from the profile itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import yaml

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.profile import EntityMapping, Layout, Profile, Source

TEXTS = Path(__file__).with_name("profile_page.yml")
Language = Literal["en", "fr"]
_MARKS = {"\t": "tab", " ": "U+0020", "\u00a0": "U+00A0", "\u202f": "U+202F"}


def page(profile: Profile, *, lang: Language) -> str:
    """The page in Markdown: what to export, how it is read, what becomes of it.

    Args:
        profile: any profile.
        lang: `en` or `fr`.
    """
    say = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))[lang]
    parts = [
        f"# {profile.title.get(lang, profile.name)} (`{profile.name}`)",
        profile.describes.get(lang, ""),
        say["set"].format(name=profile.name),
        say["done"] if profile.done_files else "",
        f"## {say['files']}",
        _table(
            say["file_columns"],
            (
                [
                    name,
                    _code(layout.files),
                    say[layout.deliveries],
                    _code(c for c, column in layout.columns.items() if column.required) or "-",
                ]
                for name, layout in profile.layouts.items()
            ),
        ),
        f"## {say['writing']}",
        _dialect(profile.dialect, say),
    ]
    for entity, mappings in profile.entities.items():
        for mapping in mappings:
            parts += _entity(entity, mapping, profile.layouts[mapping.layout], say)
    return "\n\n".join(part for part in parts if part) + "\n"


def _entity(entity: str, mapping: EntityMapping, layout: Layout, say: dict[str, str]) -> list[str]:
    known = load_entities()[entity].columns
    rows = (
        [f"`{name}`{' *' if known[name].required else ''}", *_origin(source, layout, say)]
        for name, source in mapping.columns.items()
    )
    lines = [
        *(
            f"- {say['joined']} `{name}`{say['colon']}`{join.on}`"
            for name, join in mapping.joins.items()
        ),
        *(
            f"- {say['left_out']} ({rule.reason}){say['colon']}`{rule.when}`"
            for rule in mapping.leave_out
        ),
        *(
            f"- {say['rejected']} ({rule.rule}){say['colon']}`{rule.when}`"
            for rule in mapping.reject
        ),
    ]
    return [
        f"## `{entity}` {say['from']} {mapping.layout}",
        _table(say["entity_columns"], rows),
        "\n".join(lines),
    ]


def _origin(source: Source, layout: Layout, say: dict[str, str]) -> list[str]:
    """Labels under which the value is found, and what is done with it."""
    column = layout.columns.get(source.column or "")
    labels = _code([source.column or "", *column.labels]) if column else f"`{source.column or '-'}`"
    done = []
    if source.const is not None:
        done.append(f"{say['always']} `{source.const}`")
    if source.sql is not None:
        done.append(f"`{' '.join(source.sql.split())}`")
    if source.words:
        done.append(", ".join(f"{word} = {meaning}" for word, meaning in source.words.items()))
    if source.otherwise is not None:
        done.append(f"{say['else']} {source.otherwise}")
    if source.negative_when is not None:
        done.append(f"{say['negative']} `{source.negative_when}`")
    for value in (source.default, source.when_absent, source.when_absent_sql):
        if value is not None:
            done.append(f"{say['default']} `{value}`")
    return [labels, "; ".join(done)]


def _dialect(dialect: Dialect, say: dict[str, str]) -> str:
    said = {
        "encodings": _code(dialect.encodings),
        "delimiters": _code(_MARKS.get(mark, mark) for mark in dialect.delimiters),
        "decimal": f"`{dialect.decimal}`",
        "thousands": _code(_MARKS.get(mark, mark) for mark in dialect.thousands),
        "dates": _code(dialect.dates),
        "timestamps": _code(dialect.timestamps) or "ISO 8601",
        "nulls": _code(dialect.null_words),
        "negatives": ", ".join(say[kind] for kind in dialect.negatives),
        "yes": _code(dialect.true_words),
        "no": _code(dialect.false_words),
        "banner": str(dialect.banner_lines or ""),
        "furniture": _code((*dialect.skip_lines, *dialect.footer_lines)),
    }
    return "\n".join(f"- {say[name]}{say['colon']}{value}" for name, value in said.items() if value)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


def _table(header: str, rows: Iterable[Iterable[str]]) -> str:
    columns = header.split("|")
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    # a bar inside a cell would end it
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
