"""The rows of a delivered file as rows of a canonical entity, by the profile's mapping.

A plain mapping is typed straight from the file. One with joins, conditions or computed values is laid
out first: `this` holds the file's rows as text, `mapped` each row's canonical texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.dialect_sql import SHORTENED, UNREADABLE, null_words_out
from dagster_project.lib.extracts.entities import Column, Entity
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.header import Header, label_form, label_form_sql
from dagster_project.lib.extracts.profile import GENERIC, THIS, EntityMapping, Layout, Source
from dagster_project.lib.extracts.quoting import identifier, literal, text_map
from dagster_project.lib.extracts.typed_sql import SourceColumn, text_alias, value_alias
from dagster_project.lib.extracts.values import Failure, failures, trimmed, typed
from dagster_project.lib.extracts.vocabulary import document_types
from dagster_project.lib.extracts.writing import RAW_FORMAT

# A text as it was delivered, which no macro has read.
_PLACE = re.compile(r"p[0-9]+")
# A text that stands for a row that the profile rejects under a rule of its own.
_BROKEN = "\x1f"
# Texts by which companies are recognised; a spreadsheet damages them as it does ids.
_IDENTIFYING = ("registration_number", "vat_number")
_READERS = {
    "amount": "as_number",
    "quantity": "as_number",
    "rate": "as_number",
    "share": "as_number",
    "integer": "as_number",
    "date": "as_date",
    "timestamp": "as_timestamp",
    "boolean": "as_boolean",
    "country": "as_country",
}


@dataclass(frozen=True)
class TextRows:
    """A delivered file as DuckDB reads it: `s1` to `sN` are texts, `s0` the line where `has_line`.

    `rejects`: JSON lines of the lines that could not be read; None where there are none.
    """

    relation: str
    header: Header
    has_line: bool
    line_offset: int
    may_need_trim: bool
    rejects: Path | None = None


@dataclass(frozen=True)
class Mapped:
    """What typed_query needs of an entity, and the rows of the file that are none of it, by reason."""

    relation: str
    columns: dict[str, SourceColumn]
    line: str | None
    extra: str | None
    absent: tuple[str, ...]
    left_out: dict[str, int] = field(default_factory=dict)


def map_plain(
    entity: Entity, mapping: EntityMapping, rows: TextRows, *, dialect: Dialect, profile: str
) -> Mapped:
    """Each value is read where it stands: one pass over the file."""
    read = [
        (column, source)
        for column in entity.columns.values()
        if (source := mapping.columns.get(column.name)) is not None
        and _is_there(source, rows.header)
    ]
    columns = {}
    for column, source in read:
        position = rows.header.positions.get(source.column or "")
        delivered = "null" if position is None else f"s{position + 1}"
        text = f"p{position + 1}" if position is not None else "null"
        columns[column.name] = _source_column(
            entity,
            column,
            text=_value(column, source, text, profile=profile)
            if position is not None
            else literal(str(source.const if source.const is not None else source.when_absent)),
            raw=delivered,
            profile=profile,
        )
    return Mapped(
        relation=_with_texts(rows, dialect),
        columns=columns,
        line="s0::bigint" if rows.has_line else None,
        extra=_extra(rows.header),
        absent=tuple(name for name in entity.columns if name not in columns),
    )


def lay_out(
    connection: duckdb.DuckDBPyConnection, layout: Layout, rows: TextRows, *, dialect: Dialect
) -> int:
    """Creates the table `this`: all rows as text, and returns their number."""
    line = "s0::bigint" if rows.has_line else f"row_number() over () + {rows.line_offset - 1}"
    columns = []
    for name in layout.columns:
        position = rows.header.positions.get(name)
        text = "null" if position is None else f"p{position + 1}"
        columns.append(f"({text})::varchar as {identifier(name)}")
    extra = _extra(rows.header) or "null"
    query = (
        f"select ({line})::bigint as line, {', '.join(columns)}, {extra}::varchar as extra_columns"
    )
    relation = _with_texts(rows, dialect)
    connection.execute(f"create or replace temp table {THIS} as {query} from {relation}")
    if layout.fill_down:
        _fill_down(connection, layout.fill_down, rejects=rows.rejects)
    counted = connection.execute(f"select count(*) from {THIS}").fetchone()
    assert counted is not None
    return int(counted[0])


def _with_texts(rows: TextRows, dialect: Dialect) -> str:
    """The relation with `p1` to `pN` beside: the used columns trimmed, null where empty or a word for nothing.

    Step by step, each text written once: DuckDB's time to plan grows with the square of what is written twice.
    """
    used = sorted(set(rows.header.positions.values()))
    trim = trimmed if rows.may_need_trim else str
    trimmed_texts = ", ".join(f"{trim(f's{p + 1}')} as q{p + 1}" for p in used)
    texts = ", ".join(f"{null_words_out(f'q{p + 1}', dialect)} as p{p + 1}" for p in used)
    return f"(select *, {texts} from (select *, {trimmed_texts} from {rows.relation}))"


def write_layout(connection: duckdb.DuckDBPyConnection, layout: Layout, target: Path) -> None:
    """Writes `this` as the rows of a layout that other files are joined with."""
    names = ", ".join(identifier(name) for name in layout.columns)
    connection.execute(
        f"copy (select {names}, extra_columns, line from {THIS} order by line)"
        f" to {literal(target)} ({RAW_FORMAT})"
    )


def create_layout_view(
    connection: duckdb.DuckDBPyConnection, name: str, layout: Layout, files: Sequence[Path]
) -> None:
    """A view of a layout's rows in all its files; of a key the row of the last file, last line."""
    names = ", ".join(identifier(column) for column in layout.columns)
    if not files:
        empty = ", ".join(f"null::varchar as {identifier(column)}" for column in layout.columns)
        source = f"select {empty}, null::bigint as line where false"
    else:
        listed = " union all ".join(
            f"select {names}, line, {order} as delivery_order from read_parquet({literal(path)})"
            for order, path in enumerate(files)
        )
        source = f"select {names}, line from ({listed})"
        if layout.key:
            key = ", ".join(identifier(column) for column in layout.key)
            source += f" qualify row_number() over (partition by {key} order by delivery_order desc, line desc) = 1"
    connection.execute(f"create or replace temp view {identifier(name)} as {source}")


def create_macros(
    connection: duckdb.DuckDBPyConnection, own: Mapping[str, str], *, file: str
) -> None:
    """The profile's own macros, which may use the dialect's.

    Raises:
        ExtractError: the SQL of one fails.
    """
    for name, body in own.items():
        try:
            connection.execute(f"create or replace temp macro {identifier(name)}(x) as {body}")
        except duckdb.Error as error:
            raise ExtractError(
                file,
                f"the SQL of the profile's macro {name} fails ({_said(error)})",
                remedy="Correct the profile; kam check reads the files without a run.",
            ) from error


def map_laid_out(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    mapping: EntityMapping,
    rows: TextRows,
    *,
    profile: str,
    file: str,
) -> Mapped:
    """Joins, conditions and computed values, from `this` and the views of the joined layouts.

    Raises:
        ExtractError: a join gives a row several partners, or the profile's SQL fails.
    """
    # a query's own columns are no columns of the file
    computed = {
        name: source
        for name, source in mapping.columns.items()
        if mapping.from_select or _is_there(source, rows.header)
    }
    try:
        connection.execute(
            "create or replace temp table mapped as "
            + _mapped_query(entity, mapping, computed, rows.header, profile=profile)
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise ExtractError(
            file,
            f"the SQL of the profile {profile} for {entity.name} fails ({_said(error)})",
            remedy="Correct the profile; kam check reads the files without a run.",
        ) from error
    _refuse_twins(connection, entity, file)
    left_out = connection.execute(
        "select left_out, count(*) from mapped where left_out is not null group by left_out order by left_out"
    ).fetchall()
    order = {name: index for index, name in enumerate(entity.columns)}
    columns = {
        name: _source_column(
            entity,
            entity.columns[name],
            text=f"e{order[name]}",
            raw=f"d{order[name]}",
            profile=profile,
            broken=[rule for rule, _ in _broken(mapping, name, computed)],
        )
        for name in entity.columns
        if name in computed
    }
    return Mapped(
        relation="(select * from mapped where left_out is null order by line)",
        columns=columns,
        line="line",
        extra="extra_columns",
        absent=tuple(name for name in entity.columns if name not in columns),
        left_out={str(reason): int(count) for reason, count in left_out},
    )


def _mapped_query(
    entity: Entity,
    mapping: EntityMapping,
    computed: Mapping[str, Source],
    header: Header,
    *,
    profile: str,
) -> str:
    order = {name: index for index, name in enumerate(entity.columns)}
    source = f"({mapping.from_select})" if mapping.from_select else THIS
    items = [f"{THIS}.line::bigint as line"]
    items.append(
        "null::varchar as extra_columns" if mapping.from_select else f"{THIS}.extra_columns"
    )
    for name, rule in computed.items():
        text = _text(
            entity.columns[name],
            rule,
            profile=profile,
            is_absent=rule.column is not None
            and not mapping.from_select
            and "." not in rule.column
            and rule.column not in header.positions,
        )
        for broken, condition in _broken(mapping, name, computed):
            text = f"case when {condition} then {literal(_BROKEN + broken)} else {text} end"
        items.append(f"({text})::varchar as e{order[name]}")
        delivered = _reference(rule.column) if rule.column else "null"
        items.append(f"({delivered})::varchar as d{order[name]}")
    reasons = " ".join(
        f"when {rule.when} then {literal(rule.reason)}" for rule in mapping.leave_out
    )
    items.append(f"{f'case {reasons} end' if reasons else 'null'}::varchar as left_out")
    joins = " ".join(
        f"left join {f'({join.select})' if join.select else identifier(str(join.table))} as {identifier(name)}"
        f" on {join.on}"
        for name, join in mapping.joins.items()
    )
    return f"select {', '.join(items)} from {source} as {THIS} {joins}"


def _broken(
    mapping: EntityMapping, name: str, computed: Mapping[str, Source]
) -> Iterable[tuple[str, str]]:
    """(rule, condition) of the rows that the profile rejects in this column, the first rule last."""
    rules = [(rule.rule, rule.when) for rule in mapping.reject if rule.column == name]
    if name == next(iter(computed)):
        rules += [
            (f"no_{alias}", f"not coalesce({join.on}, false)")
            for alias, join in mapping.joins.items()
            if join.required
        ]
    return list(reversed(rules))


def _source_column(
    entity: Entity,
    column: Column,
    *,
    text: str,
    raw: str,
    profile: str,
    broken: Sequence[str] = (),
) -> SourceColumn:
    index = list(entity.columns).index(column.name)
    alias, value = text_alias(index), value_alias(index)
    found = [Failure(f"{alias} = {literal(_BROKEN + rule)}", rule) for rule in broken]
    if profile != GENERIC and column.type in ("id", "text"):
        if column.type == "id" or column.name in _IDENTIFYING:
            # asked first of what costs a fifth: few ids hold the letter
            has_exponent = f"(contains({alias}, 'E') or contains({alias}, 'e'))"
            is_short = f"regexp_full_match({alias}, '{SHORTENED}')"
            found.append(Failure(f"{has_exponent} and {is_short}", "damaged_id"))
        if not _PLACE.fullmatch(text):
            found.append(Failure(f"starts_with({alias}, '{UNREADABLE}')", "unreadable"))
    return SourceColumn(
        column=column,
        text=text,
        value=typed(column, alias),
        raw=raw,
        failures=(*found, *failures(column, text=alias, value=value)),
    )


def _is_there(source: Source, header: Header) -> bool:
    """Whether the file says anything of the column."""
    if source.column is None or source.sql is not None or "." in source.column:
        return True
    is_given = source.const is not None or source.when_absent is not None
    return is_given or source.when_absent_sql is not None or source.column in header.positions


def _text(column: Column, source: Source, *, profile: str, is_absent: bool) -> str:
    """The canonical text of a column, over `this` and the joins."""
    if source.sql is not None:
        return _signed(f"({source.sql})::varchar", source)
    if source.column is None:
        return literal(str(source.const))
    if is_absent:
        if source.when_absent_sql is not None:
            return f"({source.when_absent_sql})::varchar"
        if source.when_absent is not None:
            return literal(source.when_absent)
    return _signed(_value(column, source, _reference(source.column), profile=profile), source)


def _signed(text: str, source: Source) -> str:
    if source.negative_when is None:
        return text
    return f"case when {source.negative_when} then negated({text}) else {text} end"


def _reference(column: str) -> str:
    table, _, name = column.rpartition(".")
    return f"{identifier(table or THIS)}.{identifier(name)}"


def _value(column: Column, source: Source, text: str, *, profile: str) -> str:
    """The canonical text of a delivered one."""
    reader = _READERS.get(column.type) if profile != GENERIC else None
    read = f"{reader}({text})" if reader else text
    if source.words:
        # a map is looked up once a row, where each `when` of a case would form the label again
        canonical = _canonical_words(column) if source.otherwise is None else {}
        words = {word.lower(): said for word, said in source.words.items()}
        as_written = text_map(canonical | words)
        as_label = text_map({label_form(word): said for word, said in source.words.items()})
        other = read if source.otherwise is None else literal(source.otherwise)
        found = (
            f"coalesce({as_written}[lower({text})], {as_label}[{label_form_sql(text)}], {other})"
        )
        read = f"case when {text} is null then null else {found} end"
    if source.default is not None:
        read = f"coalesce({read}, {literal(source.default)})"
    return read


def _canonical_words(column: Column) -> dict[str, str]:
    """What the column's type takes as it stands, so that it is found with the profile's words."""
    known = document_types() if column.type == "document_type" else column.words
    return {word: word for word in known}


def _fill_down(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], *, rejects: Path | None
) -> None:
    """Rows in which all these columns are empty continue the row above, and take its values.

    A line that could not be read may have begun a record: what continues it stays without values.
    """
    begins = " or ".join(f"{identifier(name)} is not null" for name in names)
    taken = ", ".join(
        f"first({identifier(name)}) over (partition by record order by line) as {identifier(name)}"
        for name in names
    )
    rows = f"select *, false as is_broken from {THIS}"
    if rejects is not None:
        rows += (
            " union all by name select line_number as line, true as is_broken"
            f" from read_json({literal(rejects)}, format = 'newline_delimited',"
            " columns = {line_number: 'BIGINT'})"
        )
    connection.execute(
        f"create or replace temp table {THIS} as"
        f" select * exclude (record, is_broken) replace ({taken}) from"
        f" (select *, count(*) filter (where is_broken or {begins}) over (order by line) as record"
        f" from ({rows})) qualify not is_broken order by line"
    )


def _refuse_twins(connection: duckdb.DuckDBPyConnection, entity: Entity, file: str) -> None:
    twins = connection.execute(
        "select line from mapped group by line having count(*) > 1 order by line limit 1"
    ).fetchone()
    if twins is not None:
        raise ExtractError(
            file,
            f"the profile's joins for {entity.name} give one row several partners (line {twins[0]})",
            remedy="Give the joined layout a key, or group the joined select by what it is joined on.",
        )


def _extra(header: Header) -> str | None:
    items = ", ".join(f"{literal(name)}, s{position + 1}" for name, position in header.extra)
    return f"json_object({items})::varchar" if items else None


def _said(error: duckdb.Error) -> str:
    """What is wrong with the SQL; of an error at a row only its kind, for its text may hold values."""
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return re.sub(r"\s+", " ", str(error).partition("\n")[0])[:200]
    return type(error).__name__
