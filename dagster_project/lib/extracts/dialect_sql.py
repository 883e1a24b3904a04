"""A dialect's values as SQL: macros from delivered text to canonical text.

What cannot be read becomes a text that no canonical type takes, so that nothing turns null in silence.
No library serves: DuckDB's readers know one decimal mark, no thousands marks and one date form per file.
"""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.values import FALSE_WORDS, TRUE_WORDS
from dagster_project.lib.extracts.vocabulary import countries

UNREADABLE = "unreadable: "
# A number that a spreadsheet has shortened: the digits of an id are lost.
SHORTENED = r"[+-]?[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+"

_MINUS = "\u2212"
_PLAIN_NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_TIME = rf"{_ISO_DATE}[T ][0-9]{{2}}:[0-9]{{2}}.*"
_MIDNIGHT = r"[T ]0?0:00(:00([.]0+)?)?$"
# Signs of strptime and what they match; a year has the digits that its sign says.
_DATE_SIGNS = {
    "%d": "[0-9]{1,2}",
    "%m": "[0-9]{1,2}",
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%H": "[0-9]{1,2}",
    "%I": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%p": "[AaPp][Mm]",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]+",
    "%f": "[0-9]{1,6}",
    "%a": "[A-Za-z]{3}",
    "%A": "[A-Za-z]+",
    "%z": "[+-][0-9:]{4,6}",
    "%Z": "[A-Z]+",
    "%%": "%",
}


def macros(dialect: Dialect, *, is_native: bool) -> list[str]:
    """`create or replace` statements of the dialect's macros.

    Args:
        dialect: of the delivered file.
        is_native: values come from typed cells (a workbook, Parquet), so ISO dates and plain numbers count too.
    """
    readers = {
        "as_number": _number(dialect, is_native=is_native),
        "as_date": _date(dialect, is_native=is_native),
        "as_timestamp": _timestamp(dialect, is_native=is_native),
        "as_boolean": _boolean(dialect),
        "as_country": _country(),
        "negated": _negated(),
        "without_zeros": "case when regexp_full_match(x, '[0-9]+')"
        " then coalesce(nullif(ltrim(x, '0'), ''), '0') else x end",
    }
    made = [f"create or replace temp macro {name}(x) as {body}" for name, body in readers.items()]
    # wide enough for each canonical type; a poisoned operand poisons the result
    wide = "try_cast(case when contains(lower({0}), 'e') then written_out({0}) else {0} end as decimal(38, 10))"
    return [
        *made,
        "create or replace temp macro scaled(x, factor) as case when x is null then null"
        f" else coalesce(({wide.format('x')} * cast(factor as decimal(18, 6)))::decimal(38, 10)::varchar,"
        f" {_poisoned('x')}) end",
        "create or replace temp macro added(x, y) as case when x is null then y when y is null then x"
        f" else coalesce(({wide.format('x')} + {wide.format('y')})::varchar, {_poisoned('x')}) end",
    ]


def null_words_out(text: str, dialect: Dialect) -> str:
    """SQL of a trimmed text without the dialect's words for nothing."""
    if not dialect.null_words:
        return text
    words = ", ".join(literal(word.lower()) for word in dialect.null_words)
    return f"case when lower({text}) in ({words}) then null else {text} end"


def _poisoned(text: str) -> str:
    return (
        f"case when starts_with({text}, {literal(UNREADABLE)}) then {text}"
        f" else {literal(UNREADABLE)} || {text} end"
    )


def _number(dialect: Dialect, *, is_native: bool) -> str:
    usual = Dialect()
    names = ("decimal", "thousands", "negatives", "currency_signs")
    if all(getattr(dialect, name) == getattr(usual, name) for name in names):
        return "x"
    decimal = re.escape(dialect.decimal)
    digits = rf"[0-9]+({decimal}[0-9]*)?|{decimal}[0-9]+"
    plain = rf"[+-]?({digits})([eE][+-]?[0-9]+)?"
    whens = ["when x is null then null"]
    if is_native:
        whens.append(f"when regexp_full_match(x, '{_PLAIN_NUMBER}') then x")
    whens.append(
        f"when regexp_full_match(x, {literal(plain)}) then replace(x, {literal(dialect.decimal)}, '.')"
    )
    marks = "".join(_in_class(mark) for mark in dialect.thousands)
    grouped = rf"[0-9]{{1,3}}([{marks}][0-9]{{3}})+({decimal}[0-9]*)?|{digits}" if marks else digits
    signs = "|".join(re.escape(sign) for sign in dialect.currency_signs)
    space = "[ \u00a0\u202f]*"
    bare = f"regexp_replace(x, {literal(f'{space}({signs}){space}')}, '', 'i')" if signs else "x"
    forms = []
    if "leading" in dialect.negatives:
        forms.append(rf"[+{_MINUS}-]?{space}({grouped})")
    else:
        forms.append(rf"[+]?({grouped})")
    if "trailing" in dialect.negatives:
        forms.append(rf"({grouped}){space}[{_MINUS}-]")
    if "brackets" in dialect.negatives:
        forms.append(rf"[(]{space}({grouped}){space}[)]")
    form = "|".join(f"({form})" for form in forms)
    is_negative = f"contains({bare}, '-') or contains({bare}, '{_MINUS}') or contains({bare}, '(')"
    kept = f"regexp_replace({bare}, {literal(f'[^0-9{_in_class(dialect.decimal)}]')}, '', 'g')"
    whens.append(
        f"when regexp_full_match({bare}, {literal(form)}) then"
        f" case when {is_negative} then '-' else '' end || replace({kept}, {literal(dialect.decimal)}, '.')"
    )
    return f"case {' '.join(whens)} else {_poisoned('x')} end"


def _in_class(mark: str) -> str:
    return f"\\{mark}" if mark in "]^-\\[" else mark


def _date(dialect: Dialect, *, is_native: bool) -> str:
    if dialect.dates == Dialect().dates:
        return "x"
    day = f"regexp_replace(x, '{_MIDNIGHT}', '')"
    whens = ["when x is null then null"]
    if is_native:
        whens.append(
            f"when regexp_full_match(x, '{_ISO_DATE}') or regexp_full_match(x, '{_ISO_TIME}') then x"
        )
    whens += [
        f"when regexp_full_match({day}, {literal(_form(form))})"
        f" then coalesce(strftime(try_strptime({day}, {literal(form)}), '%Y-%m-%d'), {_poisoned('x')})"
        for form in dialect.dates
    ]
    return f"case {' '.join(whens)} else {_poisoned('x')} end"


def _timestamp(dialect: Dialect, *, is_native: bool) -> str:
    usual = Dialect()
    if dialect.timestamps == usual.timestamps and dialect.dates == usual.dates:
        return "x"
    whens = ["when x is null then null"]
    if is_native or not dialect.timestamps:
        whens.append(
            f"when regexp_full_match(x, '{_ISO_DATE}') or regexp_full_match(x, '{_ISO_TIME}') then x"
        )
    whens += [
        f"when regexp_full_match(x, {literal(_form(form))})"
        f" then coalesce(strftime(try_strptime(x, {literal(form)}), '%Y-%m-%dT%H:%M:%S'), {_poisoned('x')})"
        for form in (*dialect.timestamps, *dialect.dates)
    ]
    return f"case {' '.join(whens)} else {_poisoned('x')} end"


def _form(form: str) -> str:
    """The regular expression of the texts that a strptime form is for."""
    parts = re.split(r"(%[A-Za-z%])", form.replace("%-", "%"))
    return "".join(_DATE_SIGNS.get(part, re.escape(part)) for part in parts)


def _boolean(dialect: Dialect) -> str:
    if not (dialect.true_words or dialect.false_words):
        return "x"
    yes = ", ".join(literal(w.lower()) for w in (*TRUE_WORDS, *dialect.true_words))
    no = ", ".join(literal(w.lower()) for w in (*FALSE_WORDS, *dialect.false_words))
    return (
        f"case when lower(x) in ({yes}) then 'true' when lower(x) in ({no}) then 'false'"
        f" when x is null then null else {_poisoned('x')} end"
    )


def _negated(name: str = "x") -> str:
    return (
        f"case when {name} is null or starts_with({name}, {literal(UNREADABLE)}) then {name}"
        f" when starts_with({name}, '-') then substr({name}, 2)"
        f" else '-' || ltrim({name}, '+') end"
    )


@cache
def _country_names() -> str:
    """A map's literal: names of countries in English and French, without accents -> code."""
    known = set(countries())
    names = {}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if str(code) in known:
                names[_folded(str(name))] = str(code)
    listed = ", ".join(f"{literal(name)}: {literal(code)}" for name, code in sorted(names.items()))
    return f"map {{{listed}}}"


def _country() -> str:
    name = "lower(strip_accents(x))"
    return f"case when strlen(x) = 2 then upper(x) else coalesce({_country_names()}[{name}], x) end"


def _folded(name: str) -> str:
    import unicodedata

    marks = unicodedata.normalize("NFD", name)
    return "".join(c for c in marks if not unicodedata.combining(c)).lower()
