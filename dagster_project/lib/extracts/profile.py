"""Source profiles: how a system's own files become rows of the canonical entities, as data.

A profile is one YAML file: shipped ones lie in `profiles/`, a company's own in a folder of its choice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.yaml_files import YamlFileError, first_problem, merged, read_mapping

SHIPPED = Path(__file__).with_name("profiles")
GENERIC = "generic"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
THIS = "this"
# Macros of every dialect (dialect_sql), which a profile's own may use and not replace.
READERS = frozenset(
    (
        *("as_number", "as_date", "as_timestamp", "as_boolean", "as_country"),
        *("negated", "without_zeros", "scaled", "added", "point_placed", "written_out"),
    )
)


class ProfileError(ValueError):
    """A profile cannot be used; one line with its file, the key, what is wrong and the remedy."""


class Part(BaseModel):
    """A part of a profile: nothing unknown, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Labels(Part):
    """The names under which a column is found in a header; `required`: the file fails without it."""

    labels: tuple[str, ...] = ()
    required: bool = False


def _labels(value: object) -> object:
    return {"labels": value} if isinstance(value, list) else value if value is not None else {}


SourceColumn = Annotated[Labels, BeforeValidator(_labels)]


class Layout(Part):
    """One kind of file that the system writes.

    Attributes:
        files: patterns over the file's name without folder and suffixes; `*` and `?` as in a shell.
        sheet: of a workbook; None = the first sheet that has the header.
        columns: name in the profile -> labels in the file.
        key: columns of which the later delivery wins where the layout is joined; empty: all rows count.
        fill_down: continuation rows: where all of these are empty, all take the values of the row above.
        deliveries: `full`: each extract replaces the one before it.
        extract: with `full`, a pattern over the file's name; equal groups are parts of one extract. A name
            that it does not fit is no full extract: its rows are added and updated.
        scope: with `full`, a pattern over the file's name; only extracts with equal groups replace each other.
        dialect: what differs from the profile's dialect.
    """

    files: tuple[str, ...]
    sheet: str | None = None
    columns: dict[str, SourceColumn]
    key: tuple[str, ...] = ()
    fill_down: tuple[str, ...] = ()
    deliveries: Literal["delta", "full"] = "delta"
    extract: str | None = None
    scope: str | None = None
    dialect: dict[str, Any] = Field(default_factory=dict)

    @field_validator("extract", "scope")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern} is no regular expression ({error})") from None
        return pattern

    @model_validator(mode="after")
    def _knows_its_columns(self) -> Layout:
        for name in (*self.key, *self.fill_down):
            if name not in self.columns:
                raise ValueError(f"{name} is not among the layout's columns; name one that is")
        return self

    def extract_of(self, file_name: str) -> str:
        """The full extract that a file belongs to; empty where its deliveries are deltas."""
        if self.deliveries == "delta":
            return ""
        if self.extract is None:
            return file_name
        return _groups(self.extract, file_name)

    def scope_of(self, file_name: str) -> str:
        """What a full extract replaces: the earlier ones of the same scope."""
        return _groups(self.scope, file_name)


def _groups(pattern: str | None, file_name: str) -> str:
    found = re.search(pattern, file_name) if pattern else None
    return "|".join(found.groups() or (found[0],)) if found else ""


class Join(Part):
    """Rows joined to the delivered file's own: those of a layout, or of a query over layouts."""

    table: str | None = None
    select: str | None = None
    on: str
    required: bool = False

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Join:
        if (self.table is None) == (self.select is None):
            raise ValueError("name either a table (a layout) or a select")
        return self


class LeftOut(Part):
    """Rows that are no rows of the entity, counted by reason."""

    reason: str
    when: str


class Rejected(Part):
    """Rows that are wrong, rejected under a rule of the profile."""

    rule: str
    column: str
    when: str


def _text_keys(value: object) -> object:
    return {str(key): word for key, word in value.items()} if isinstance(value, dict) else value


class Source(Part):
    """Where a canonical column's value comes from.

    Attributes:
        column: a column of the layout, or `<join>.<column>`; shown where the value is rejected.
        sql: DuckDB's SQL of the canonical text; without it the column is read by its canonical type.
        const: one value for all rows.
        words: delivered word (any case) -> canonical word; any other stays as it is, and is read by the type.
        otherwise: of a value that is none of the words.
        default: of an empty value.
        when_absent: of all rows of a file that does not have the column.
        when_absent_sql: the same, computed.
        negative_when: SQL condition under which the number's sign is turned.
    """

    column: str | None = Field(None, alias="from")
    sql: str | None = None
    const: str | None = None
    words: Annotated[dict[str, str], BeforeValidator(_text_keys)] = Field(default_factory=dict)
    otherwise: str | None = Field(None, alias="else")
    default: str | None = None
    when_absent: str | None = None
    when_absent_sql: str | None = None
    negative_when: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Source:
        if self.column is None and self.sql is None and self.const is None:
            raise ValueError("name one of from, sql, const")
        return self

    def reads_in_place(self, positions: Container[str]) -> bool:
        """Whether in a file with these columns it reads one of them and nothing else."""
        is_computed = self.when_absent_sql is not None and self.column not in positions
        is_simple = (
            self.sql is None and self.negative_when is None and "." not in (self.column or "")
        )
        return is_simple and not is_computed


def _source(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


class EntityMapping(Part):
    """How one layout's rows become rows of one entity.

    `from_select`: in place of the file's rows a query over `this` (and layouts) with a column `line`.
    """

    layout: str = Field(alias="from")
    from_select: str | None = None
    joins: dict[str, Join] = Field(default_factory=dict)
    leave_out: tuple[LeftOut, ...] = ()
    reject: tuple[Rejected, ...] = ()
    columns: dict[str, Annotated[Source, BeforeValidator(_source)]]

    def reads_in_place(self, positions: Container[str]) -> bool:
        """Whether each row of a file with these columns is one row of the entity, value by value."""
        return not (self.from_select or self.joins or self.leave_out or self.reject) and all(
            source.reads_in_place(positions) for source in self.columns.values()
        )


def _as_tuple(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Mappings = Annotated[tuple[EntityMapping, ...], BeforeValidator(_as_tuple)]


class Profile(Part):
    """A source profile; see its fields in `profiles/*.yml`.

    Attributes:
        name: of its file.
        canonical: its layouts are the canonical entities themselves, under other labels and dialect.
        done_files: a file is complete when `<file>.done` lies beside it.
        macros: name -> SQL over `x`, for expressions that stand in many places; a later one may use those before it.
    """

    name: str
    title: dict[Literal["en", "fr"], str]
    describes: dict[Literal["en", "fr"], str] = Field(default_factory=dict)
    dialect: Dialect = Field(default_factory=Dialect)
    macros: dict[str, str] = Field(default_factory=dict)
    canonical: bool = False
    done_files: bool = False
    layouts: dict[str, Layout] = Field(default_factory=dict)
    entities: dict[str, Mappings] = Field(default_factory=dict)

    @field_validator("macros")
    @classmethod
    def _have_names_of_their_own(cls, macros: dict[str, str]) -> dict[str, str]:
        for name in macros:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name} is no name of a macro; use small letters, digits and _")
            if name in READERS:
                raise ValueError(f"{name} is a macro of the dialect; give yours another name")
        return macros

    @model_validator(mode="after")
    def _hangs_together(self) -> Profile:
        for entity, mappings in self.entities.items():
            self._check_entity(entity, mappings)
        for name, layout in self.layouts.items():
            self._layout_dialect(name, layout)
        return self

    @cached_property
    def dialects(self) -> dict[str, Dialect]:
        """The dialect of each layout."""
        return {name: self._layout_dialect(name, layout) for name, layout in self.layouts.items()}

    @cached_property
    def id(self) -> str:
        """Name and content: what was landed by another content of the profile is landed again."""
        if self.name == GENERIC:
            return GENERIC
        said = json.dumps(self.model_dump(mode="json", exclude={"title", "describes"}))
        return f"{self.name}@{hashlib.sha256(said.encode()).hexdigest()[:8]}"

    def mappings(self, layout: str) -> list[tuple[str, EntityMapping]]:
        """(entity, mapping) of each entity that is made from the layout's rows."""
        return [
            (entity, mapping)
            for entity, mappings in self.entities.items()
            for mapping in mappings
            if mapping.layout == layout
        ]

    def joined(self, mapping: EntityMapping) -> tuple[str, ...]:
        """Layouts whose rows the mapping reads besides the delivered file's."""
        queries = [join.select or "" for join in mapping.joins.values()]
        words = {
            word
            for text in (*queries, mapping.from_select or "")
            for word in re.findall(r"(?i)\b(?:from|join)\s+([a-z_][a-z0-9_]*)", text)
        }
        tables = {join.table for join in mapping.joins.values()}
        return tuple(name for name in self.layouts if name in words | tables)

    @cached_property
    def joined_layouts(self) -> frozenset[str]:
        """Layouts whose rows other layouts' rows are joined with."""
        return frozenset(
            name
            for mappings in self.entities.values()
            for mapping in mappings
            for name in self.joined(mapping)
        )

    def _layout_dialect(self, name: str, layout: Layout) -> Dialect:
        try:
            return self.dialect.merged(layout.dialect)
        except ValidationError as error:
            raise ValueError(f"layouts.{name}.dialect.{first_problem(error, Dialect)}") from None

    def _check_entity(self, entity: str, mappings: tuple[EntityMapping, ...]) -> None:
        known = load_entities().get(entity)
        if known is None:
            raise ValueError(f"entities.{entity} is no canonical entity")
        layouts = [mapping.layout for mapping in mappings]
        if len(set(layouts)) < len(layouts):
            raise ValueError(f"entities.{entity}: one layout feeds it twice; make it one mapping")
        for mapping in mappings:
            if mapping.layout not in self.layouts:
                raise ValueError(f"entities.{entity}: {mapping.layout} is not among the layouts")
            named = {*mapping.columns, *(rule.column for rule in mapping.reject)}
            if unknown := sorted(named - set(known.columns)):
                raise ValueError(f"entities.{entity}: {unknown[0]} is no column of {entity}")
            missing = [
                c.name
                for c in known.columns.values()
                if c.required and c.name not in mapping.columns
            ]
            if missing:
                raise ValueError(
                    f"entities.{entity}: the required column {missing[0]} is not mapped"
                )
            for join in mapping.joins.values():
                if join.table is not None and join.table not in self.layouts:
                    raise ValueError(f"entities.{entity}: {join.table} is not among the layouts")
            for name, source in mapping.columns.items():
                self._check_source(f"entities.{entity}.{name}", source, mapping)

    def _check_source(self, place: str, source: Source, mapping: EntityMapping) -> None:
        if source.column is None:
            return
        table, _, column = source.column.rpartition(".")
        join = mapping.joins.get(table)
        if table and join is None:
            raise ValueError(f"{place}: {table} is not among the joins")
        layout = join.table if join else mapping.layout if not mapping.from_select else None
        if layout is not None and column not in self.layouts[layout].columns:
            raise ValueError(f"{place}: {column} is no column of the layout {layout}")


class CanonicalProfile(Part):
    """The file of a profile whose layouts are the canonical entities.

    Attributes:
        files: entity -> patterns of file names beside `<entity>*`.
        labels: entity -> canonical column -> labels beside its own name.
        words: entity -> canonical column -> delivered word -> canonical word.
        defaults: entity -> canonical column -> value where the file does not have the column.
        defaults_sql: the same, computed from `this`.
    """

    title: dict[Literal["en", "fr"], str]
    describes: dict[Literal["en", "fr"], str] = Field(default_factory=dict)
    canonical: Literal[True]
    done_files: bool = False
    dialect: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    labels: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    words: dict[str, dict[str, dict[str, str]]] = Field(default_factory=dict)
    defaults: dict[str, dict[str, str]] = Field(default_factory=dict)
    defaults_sql: dict[str, dict[str, str]] = Field(default_factory=dict)
    deliveries: dict[str, Literal["delta", "full"]] = Field(default_factory=dict)

    def written_out(self, name: str) -> dict[str, Any]:
        """The same as a profile with layouts and entities."""
        self._check_names()
        layouts: dict[str, Any] = {}
        entities: dict[str, Any] = {}
        for entity in load_entities().values():
            labels, words = self.labels.get(entity.name, {}), self.words.get(entity.name, {})
            defaults = self.defaults.get(entity.name, {})
            computed = self.defaults_sql.get(entity.name, {})
            layouts[entity.name] = {
                "files": tuple(
                    dict.fromkeys((f"{entity.name}*", *self.files.get(entity.name, ())))
                ),
                "deliveries": self.deliveries.get(entity.name, "delta"),
                "columns": {
                    column.name: {
                        "labels": labels.get(column.name, ()),
                        "required": column.required and column.name not in {**defaults, **computed},
                    }
                    for column in entity.columns.values()
                },
            }
            entities[entity.name] = {
                "from": entity.name,
                "columns": {
                    column.name: {
                        "from": column.name,
                        "when_absent": defaults.get(column.name),
                        "when_absent_sql": computed.get(column.name),
                        "words": words.get(column.name, {}),
                    }
                    for column in entity.columns.values()
                },
            }
        rest = self.model_dump(
            exclude={"files", "labels", "words", "defaults", "defaults_sql", "deliveries"}
        )
        return {**rest, "name": name, "layouts": layouts, "entities": entities}

    def _check_names(self) -> None:
        known = load_entities()
        for section in (
            *(self.files, self.labels, self.words),
            *(self.defaults, self.defaults_sql, self.deliveries),
        ):
            for entity, columns in section.items():
                if entity not in known:
                    raise ValueError(f"{entity} is no canonical entity")
                named = columns if isinstance(columns, dict) else {}
                if unknown := sorted(set(named) - set(known[entity].columns)):
                    raise ValueError(f"{entity}.{unknown[0]} is no column of {entity}")


def profile_files(own: Path | None) -> dict[str, Path]:
    """Profile name -> its file; a company's own stands before a shipped one of the same name."""
    folders = [SHIPPED, *([own] if own is not None and own.is_dir() else [])]
    return {
        path.stem: path
        for folder in folders
        for path in sorted(folder.glob("*.yml"))
        if NAME.fullmatch(path.stem)
    }


def load_profile(name: str, own: Path | None = None) -> Profile:
    """The profile of this name.

    Raises:
        ProfileError: there is none, or its file cannot be used.
    """
    files = profile_files(own)
    if name not in files:
        raise ProfileError(
            f"the source profile {name!r} is not known; known profiles: {', '.join(sorted(files))}"
        )
    return read_profile(files[name])


def read_profile(path: Path) -> Profile:
    """The profile in one file; a file that did not change is parsed once, for a run looks at the landing folder often.

    Raises:
        ProfileError: the file cannot be used.
    """
    try:
        stat = path.stat()
    except OSError:
        # reading says what is wrong with it
        return _parsed(path, (0, 0))
    return _parsed(path, (stat.st_mtime_ns, stat.st_size))


@cache
def _parsed(path: Path, _state: tuple[int, int]) -> Profile:
    model: type[BaseModel] = Profile
    try:
        document = _extended(path)
        if document.get("canonical"):
            model = CanonicalProfile
            document = CanonicalProfile.model_validate(document).written_out(path.stem)
        model = Profile
        return Profile.model_validate({**document, "name": path.stem})
    except ValidationError as error:
        raise ProfileError(f"profile {path}: {first_problem(error, model)}") from None
    except (YamlFileError, ValueError) as error:
        raise ProfileError(f"profile {path}: {error}") from None


def _extended(path: Path) -> dict[str, Any]:
    """The file's mapping over that of the shipped profile that it extends; lists are replaced, but for labels."""
    document = read_mapping(path)
    base = document.pop("extends", None)
    if base is None:
        return document
    shipped = profile_files(None)
    if base not in shipped:
        raise ValueError(f"extends: {base} is no shipped profile; name one of {', '.join(shipped)}")
    base_document = read_mapping(shipped[base])
    extended: dict[str, Any] = _with_labels_of(
        base_document, merged(base_document, document, whole=())
    )
    return extended


def _with_labels_of(base: Any, over: Any, *, is_label: bool = False) -> Any:
    """The labels of `over` with those of `base` behind them: who names one more keeps the others."""
    if isinstance(over, dict):
        below = base if isinstance(base, dict) else {}
        return {
            key: _with_labels_of(
                below.get(key), value, is_label=is_label or key in ("labels", "columns")
            )
            for key, value in over.items()
        }
    if is_label and isinstance(over, list) and isinstance(base, list):
        return [*over, *(label for label in base if label not in over)]
    return over
