"""How a value becomes its canonical type, as SQL: parsed once, never by way of DOUBLE.

Each column of the file passes three stages: `source` (as delivered), `text` (trimmed, empty = null,
or the native value where the file's type says enough) and `value` (typed; null if it does not
parse).
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.lib.extracts.entities import Column
from dagster_project.lib.extracts.quoting import literal

NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
WHOLE_NUMBER = r"[+-]?[0-9]+([.]0*)?"
CALENDAR_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
OFFSET = r"(Z|z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
MIDNIGHT = rf"{CALENDAR_DATE}[T ]00:00(:00([.]0+)?)?(Z|z|[+-]00(:?00)?)?"
MOMENT = rf"{CALENDAR_DATE}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?{OFFSET}?)?"

# What surrounds values in real exports: ASCII, no-break, zero-width, ideographic, byte-order mark.
WHITE_SPACE = " \t\n\r\x0b\x0c\u00a0\u200b\u202f\u3000\ufeff"

# written_out('7e-06') = '0.000007'. DuckDB 1.5 casts 7e-06 to 0.0001 in four decimals (it rounds
# once per step of the exponent), so a number is written out before it is cast. Zeros beyond 40
# places change no canonical type. Nested macros, not a subquery: that would become a join.
MACROS = (
    """create macro point_placed(sign, digits, point) as case
        when point <= 0 then sign || '0.' || repeat('0', least(-point, 40)) || digits
        when point >= strlen(digits)
            then sign || digits || repeat('0', least(point - strlen(digits), 40))
        else sign || left(digits, point) || '.' || substr(digits, point + 1)
    end""",
    f"""create macro written_out(number) as case
        when regexp_full_match(number, '{NUMBER}') then point_placed(
            case when starts_with(number, '-') then '-' else '' end,
            regexp_replace(regexp_extract(number, '^([^eE]*)', 1), '[^0-9]', '', 'g'),
            strlen(regexp_extract(number, '^[+-]?([0-9]*)', 1))
                + try_cast(regexp_extract(number, '[eE](.*)$', 1) as integer)
        )
    end""",
)

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")

# Rates and units divide and multiply money: zero or less would turn it over without a trace.
_POSITIVE = frozenset(["rate", "units"])

_PARSE_RULES = {
    "amount": "not_an_amount",
    "quantity": "not_a_number",
    "rate": "not_a_number",
    "share": "not_a_number",
    "integer": "not_a_number",
    "date": "not_a_date",
    "timestamp": "not_a_timestamp",
    "boolean": "not_a_boolean",
    "currency": "not_a_currency",
    "country": "not_a_country",
    "document_type": "unknown_document_type",
    "words": "not_an_allowed_word",
}
_DECIMALS = frozenset(["amount", "quantity", "rate", "share"])


@dataclass(frozen=True)
class Failure:
    """A row fails `rule` where `predicate` holds; of several, the first counts."""

    predicate: str
    rule: str


def trimmed(source: str) -> str:
    """The text without surrounding white space, empty = null.

    DuckDB's trim with a list of characters costs more than all parsing (9 s for 10 million lines of
    ten columns), so it is asked only where the first or the last character calls for it: what is not
    of ASCII may be white space.
    """
    return (
        f"case when {source} < '!' or {source} >= '\u00a0' or ord({source}[-1]) not between 33 and 127"
        f" then nullif(trim({source}, {literal(WHITE_SPACE)}), '') else {source} end"
    )


def typed(column: Column, text: str) -> str:
    """SQL of the canonical value of a text, null where it does not parse."""
    match column.type:
        case "id" | "text":
            return text
        case "date":
            return _date(text)
        case "timestamp":
            return _timestamp(text)
        case "boolean":
            return _boolean(text)
        case "integer":
            return (
                f"case when regexp_full_match({text}, '{WHOLE_NUMBER}')"
                f" then try_cast(split_part({text}, '.', 1) as bigint) end"
            )
        case "currency" | "country":
            return f"try_cast(upper({text}) as {column.type}_code)::varchar"
        case "document_type":
            return f"try_cast(lower({text}) as document_type)::varchar"
        case "words":
            words = ", ".join(map(literal, column.words))
            return f"try_cast(lower({text}) as enum ({words}))::varchar"
        case _:
            return _decimal(text, column.duckdb_type)


def failures(column: Column, *, text: str, value: str, is_native: bool = False) -> list[Failure]:
    """The rules a row can break in this column, in the order in which they are looked at."""
    found = [Failure(f"{text} is null", "missing_value")] if column.required else []
    rule = _PARSE_RULES.get(column.type)
    if rule is not None:
        unparsed = f"{value} is null and {text} is not null"
        if too_large := _out_of_range(column, text, is_native=is_native):
            found.append(Failure(f"{unparsed} and {too_large}", "out_of_range"))
        found.append(Failure(unparsed, rule))
    if column.type in _POSITIVE or column.name in _POSITIVE:
        found.append(Failure(f"{value} <= 0", "out_of_range"))
    if column.type == "share":
        found.append(Failure(f"{value} not between 0 and 1", "out_of_range"))
    return found


def _out_of_range(column: Column, text: str, *, is_native: bool) -> str | None:
    """Whether a value that found no place in its type is right in itself."""
    if column.type in _DECIMALS:
        return "true" if is_native else f"regexp_full_match({text}, '{NUMBER}')"
    if column.type == "integer":
        return "true" if is_native else f"regexp_full_match({text}, '{WHOLE_NUMBER}')"
    if column.type in ("date", "timestamp"):
        if is_native:
            return f"year({text}) not between 1900 and 9999"
        date = f"left({text}, 10)"
        return f"try_cast({date} as date)::varchar = {date} and {date} < '1900'"
    return None


def _decimal(text: str, kind: str) -> str:
    # DuckDB takes 1_000 for 1000; a person who reads the file would not.
    has_exponent = f"contains({text}, 'e') or contains({text}, 'E')"
    return (
        f"case when contains({text}, '_') then null"
        f" when {has_exponent} then try_cast(written_out({text}) as {kind})"
        f" else try_cast({text} as {kind}) end"
    )


def _date(text: str) -> str:
    day = f"left({text}, 10)"
    return (
        f"case when strlen({text}) = 10 then case when try_cast({text} as date)::varchar = {text}"
        f" and {text} >= '1900' then try_cast({text} as date) end"
        f" when regexp_full_match({text}, '{MIDNIGHT}') and {text} >= '1900'"
        f" then case when try_cast({day} as date)::varchar = {day}"
        f" then try_cast({day} as date) end end"
    )


def _timestamp(text: str) -> str:
    # DuckDB asks for seconds before an offset; ISO 8601 does not.
    with_seconds = rf"regexp_replace({text}, '^(.{{16}})([Zz+-].*)$', '\1:00\2')"
    return (
        f"case when regexp_full_match({text}, '{MOMENT}') and {text} >= '1900'"
        f" then timezone('UTC', try_cast({with_seconds} as timestamptz)) end"
    )


def _boolean(text: str) -> str:
    yes = ", ".join(map(literal, TRUE_WORDS))
    no = ", ".join(map(literal, FALSE_WORDS))
    return (
        f"case when lower({text}) in ({yes}) then true when lower({text}) in ({no}) then false end"
    )
