"""How a system writes text files: encoding, separators, marks, forms of dates, furniture.

The defaults are what the profile `generic` reads.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from dagster_project.lib.extracts.values import FALSE_WORDS, TRUE_WORDS

DEFAULT_DELIMITERS = (",",)
MAX_BANNER_LINES = 1_000

# Directives of strptime that Python and DuckDB read alike.
_DAY = frozenset(["d"])
_MONTH = frozenset(["m", "b", "B"])
_YEAR = frozenset(["Y", "y"])
_OTHER_DIRECTIVES = frozenset(["a", "A", "H", "I", "p", "M", "S", "f", "z", "Z", "%"])
_DIRECTIVE = re.compile(r"%-?(.|$)", re.DOTALL)

# They keep a state over the whole file, or their bytes of ASCII mean something else.
_STATEFUL = ("utf-7", "iso2022", "hz")
_MARKED = ("utf-8-sig", "utf-16", "utf-32")


def _listed(value: object) -> object:
    if isinstance(value, (list, tuple)):
        for item in value:
            if not isinstance(item, str):
                raise ValueError(f"{item!r} must be a text; put it in quotes")
            if not item:
                raise ValueError("an empty text means nothing; remove it")
        return tuple(dict.fromkeys(value))
    raise ValueError(f"{value!r} must be a list; put it in brackets, such as ['{value}']")


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Dialect(BaseModel):
    """One system's way of writing.

    Attributes:
        encodings: codecs, tried strictly in this order; byte-order marks come before.
        delimiters: of which the one counts under which the header line is found.
        decimal: the decimal mark.
        thousands: marks between groups of three digits.
        negatives: how a negative number is marked: -1, 1-, (1).
        currency_signs: what may stand before or after a number.
        dates: forms of strptime; the first that fits counts.
        timestamps: the same; empty = ISO 8601.
        null_words: whole trimmed values that mean nothing, in any case.
        true_words: beside values.TRUE_WORDS, in any case.
        false_words: beside values.FALSE_WORDS, in any case.
        banner_lines: lines that may stand before the header.
        skip_lines: regular expressions of lines that are furniture.
        footer_lines: regular expressions of the first line of the end of the file.
        repeated_headers: a line equal to the header is furniture.
        edge_delimiters: lines may begin and end with the delimiter; in a file whose header line does, each
            must.
        quote: the quoting character, None = no quoting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encodings: Annotated[Texts, Field(min_length=1)] = ("utf-8",)
    delimiters: Annotated[Texts, Field(min_length=1)] = DEFAULT_DELIMITERS
    decimal: str = "."
    thousands: Texts = ()
    negatives: tuple[Literal["leading", "trailing", "brackets"], ...] = ("leading",)
    currency_signs: Texts = ()
    dates: Annotated[Texts, Field(min_length=1)] = ("%Y-%m-%d",)
    timestamps: Texts = ()
    null_words: Texts = ()
    true_words: Texts = ()
    false_words: Texts = ()
    banner_lines: Annotated[int, Field(ge=0, le=MAX_BANNER_LINES, strict=True)] = 0
    skip_lines: Texts = ()
    footer_lines: Texts = ()
    repeated_headers: Annotated[bool, Field(strict=True)] = False
    edge_delimiters: Annotated[bool, Field(strict=True)] = False
    quote: str | None = '"'

    def merged(self, overrides: Mapping[str, Any]) -> Dialect:
        """This dialect with single keys replaced, validated as a whole.

        Raises:
            pydantic.ValidationError: a key is unknown or a value is wrong.
        """
        return Dialect.model_validate(self.model_dump(exclude_unset=True) | dict(overrides))

    def with_edges(self, has_edges: bool) -> Dialect:
        """This dialect for a file whose lines do or do not begin and end with the delimiter."""
        if has_edges == self.edge_delimiters:
            return self
        return self.model_copy(update={"edge_delimiters": has_edges})

    def delimiters_for(self, suffix: str) -> tuple[str, ...]:
        """The delimiters of a file by its suffix: in a .tsv, tab comes before the others."""
        if suffix.lower() != ".tsv":
            return self.delimiters
        others = () if self.delimiters == DEFAULT_DELIMITERS else self.delimiters
        return tuple(dict.fromkeys(("\t", *others)))

    @field_validator("encodings")
    @classmethod
    def _can_be_told_apart(cls, encodings: tuple[str, ...]) -> tuple[str, ...]:
        names = [_codec(name) for name in encodings]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(f"{encodings[position]} stands twice; keep one of the two")
            if position < len(names) - 1 and not can_fail(name):
                raise ValueError(
                    f"{encodings[position]} can read any bytes, so the encodings after it would"
                    " never be tried; put it last"
                )
        if "utf-8" in names[1:]:
            raise ValueError(
                f"{encodings[0]} reads nearly all that is UTF-8, wrongly; put utf-8 first"
            )
        return tuple(names)

    @field_validator("delimiters")
    @classmethod
    def _are_delimiters(cls, delimiters: tuple[str, ...]) -> tuple[str, ...]:
        for sign in delimiters:
            is_usable = sign == "\t" or (sign.isprintable() and not sign.isalnum() and sign != " ")
            if len(sign) != 1 or not sign.isascii() or not is_usable:
                raise ValueError(
                    f"{sign!r} is no delimiter; give one ASCII sign, such as ';' or '\\t'"
                )
        return delimiters

    @field_validator("decimal")
    @classmethod
    def _is_decimal_mark(cls, mark: str) -> str:
        if not _is_mark(mark) or mark.isspace():
            raise ValueError(f"{mark!r} is no decimal mark; give '.' or ','")
        return mark

    @field_validator("thousands")
    @classmethod
    def _are_thousands_marks(cls, marks: tuple[str, ...]) -> tuple[str, ...]:
        for mark in marks:
            if not _is_mark(mark):
                raise ValueError(
                    f"{mark!r} is no mark between thousands; give one sign, such as ' '"
                )
        return marks

    @field_validator("currency_signs")
    @classmethod
    def _are_currency_signs(cls, signs: tuple[str, ...]) -> tuple[str, ...]:
        for sign in signs:
            is_mark = not sign.strip(".,'")
            if is_mark or sign != sign.strip() or re.search(r"[0-9+()-]", sign):
                raise ValueError(
                    f"{sign!r} would be taken for a part of the number; give the sign alone,"
                    " such as '€' or 'EUR'"
                )
        return signs

    @field_validator("dates", "timestamps")
    @classmethod
    def _are_whole_dates(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for form in forms:
            _check_form(form)
        for form in forms:
            turned = re.sub(r"%(-?)([dm])", _turn, form)
            if turned in forms and turned != form:
                raise ValueError(
                    f"{form!r} and {turned!r} read 01/02 as different days; keep the one that the"
                    " system writes"
                )
        return forms

    @field_validator("skip_lines", "footer_lines")
    @classmethod
    def _are_expressions(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                compiled = re.compile(pattern)
            except re.error as error:
                raise ValueError(
                    f"{pattern!r} is no regular expression ({error}); correct it"
                ) from None
            if compiled.search("") and compiled.search("a;1"):
                raise ValueError(f"{pattern!r} matches every line; make it more exact")
        return patterns

    @field_validator("quote")
    @classmethod
    def _is_quote(cls, quote: str | None) -> str | None:
        if quote is not None and (
            len(quote) != 1 or not quote.isascii() or not quote.isprintable() or quote.isalnum()
            or quote == " "
        ):  # fmt: skip
            raise ValueError(f"{quote!r} is no quoting character; give '\"', or null for none")
        return quote

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.decimal in self.thousands:
            raise ValueError(
                f"{self.decimal!r} is the decimal mark and stands between thousands too;"
                " remove it from one of the two"
            )
        if self.quote in self.delimiters:
            raise ValueError(
                f"{self.quote!r} is the quoting character and a delimiter; remove it from one"
            )
        yes = {word.casefold() for word in (*TRUE_WORDS, *self.true_words)}
        no = {word.casefold() for word in (*FALSE_WORDS, *self.false_words)}
        if both := sorted(yes & no):
            raise ValueError(f"{both[0]!r} means true and false; remove it from one of the two")
        return self


def _turn(part: re.Match[str]) -> str:
    return f"%{part[1]}{'m' if part[2] == 'd' else 'd'}"


def can_fail(encoding: str) -> bool:
    """Whether some byte is none in this codec, so that a wrong guess can be seen."""
    try:
        bytes(range(256)).decode(encoding)
    except UnicodeDecodeError:
        return True
    return False


def _codec(name: str) -> str:
    """The codec's own name.

    Raises:
        ValueError: no codec of text in which ASCII stands as it is.
    """
    try:
        found = codecs.lookup(name).name
        text = bytes(range(128)).decode(found)
    except (LookupError, UnicodeDecodeError, ValueError):
        raise ValueError(
            f"{name} is no text encoding that is known here; give one such as utf-8 or cp1252"
        ) from None
    if found.startswith(_MARKED):
        raise ValueError(f"{name} is recognised by its first bytes; remove it from the list")
    if text != "".join(map(chr, range(128))) or found.startswith(_STATEFUL):
        raise ValueError(f"{name} cannot be read line by line; export as UTF-8 and name utf-8 here")
    return found


def _is_mark(mark: str) -> bool:
    return len(mark) == 1 and not mark.isalnum() and mark not in "+-()%\n\r\t"


def _check_form(form: str) -> None:
    parts = _DIRECTIVE.findall(form)
    unknown = [part for part in parts if part not in _DAY | _MONTH | _YEAR | _OTHER_DIRECTIVES]
    if unknown:
        raise ValueError(f"{form!r}: %{unknown[0]} is not read here; give a form such as %d/%m/%Y")
    for kind, name in ((_DAY, "day (%d)"), (_MONTH, "month (%m)"), (_YEAR, "year (%Y)")):
        count = sum(part in kind for part in parts)
        if count != 1:
            raise ValueError(
                f"{form!r} must name the {name} once, not {count} times; give a form such as"
                " %d/%m/%Y"
            )
