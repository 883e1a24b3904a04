"""A dialect's values as SQL: macros from delivered text to canonical text.

What cannot be read becomes a text that no canonical type takes, so that nothing turns null in silence.
No library serves: DuckDB's readers know one decimal mark, no thousands marks and one date form per file.
"""

from __future__ import annotations

import re
from functools import cache

from babel import Locale
from babel.core import get_global

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.values import FALSE_WORDS, TRUE_WORDS
from dagster_project.lib.extracts.vocabulary import countries

UNREADABLE = "unreadable: "
_SAID = f"'{UNREADABLE}' || x"
# A number that a spreadsheet has shortened: the digits of an id are lost.
SHORTENED = r"[+-]?[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+"

# no amount of the canonical types is as large
_MOST = "1000000000000000"
_MINUS = "\u2212"
_APOSTROPHE = "'"
_COUNTRY_LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt")
# What people type into a free field and CLDR does not list.
_COUNTRY_ALIASES = {
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "etats-unis d'amerique": "US",
    "etats unis": "US",
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "grande-bretagne": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "slovak republic": "SK",
    "turkey": "TR",
    "ivory coast": "CI",
    "hong kong": "HK",
    "macau": "MO",
    "korea": "KR",
    "republic of korea": "KR",
    "viet nam": "VN",
    "uae": "AE",
    "russian federation": "RU",
}
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
    """`create or replace` statements of the dialect's macros, for a connection made by `connect`.

    Args:
        dialect: of the delivered file.
        is_native: values come from typed cells (a workbook, Parquet), so dates may be ISO too.
    """
    readers = {
        "as_number": _number(dialect),
        "as_date": _date(dialect, is_native=is_native),
        "as_timestamp": _timestamp(dialect, is_native=is_native),
        "as_boolean": _boolean(dialect),
        "as_country": _country(),
        "negated": _negated(),
        "without_zeros": "case when regexp_full_match(x, '[0-9]+')"
        " then coalesce(nullif(ltrim(x, '0'), ''), '0') else x end",
    }
    made = [f"create or replace temp macro {name}(x) as {body}" for name, body in readers.items()]
    # what is made of an unreadable or a monstrous number is unreadable
    x, y = "try_cast(x as decimal(38, 10))", "try_cast(y as decimal(38, 10))"
    return [
        *made,
        f"create or replace temp macro scaled(x, factor) as case when x is null then null"
        f" when abs({x}) < {_MOST} and abs(cast(factor as decimal(18, 6))) < 1000000"
        f" then ({x} * cast(factor as decimal(18, 6)))::decimal(38, 10)::varchar"
        f" else {_SAID} end",
        "create or replace temp macro added(x, y) as case when x is null then y when y is null then x"
        f" when abs({x}) < {_MOST} and abs({y}) < {_MOST} then ({x} + {y})::varchar"
        f" else {_SAID} || ' + ' || y end",
    ]


def null_words_out(text: str, dialect: Dialect) -> str:
    """SQL of a trimmed text without the dialect's words for nothing.

    Only a text that begins as one of them does is compared: `lower` of all others takes as long again.
    """
    nothing = [word.lower() for word in dialect.null_words if word]
    if not nothing:
        return text
    first = sorted({form for word in nothing for form in (word[0], word[0].upper())})
    begins = " or ".join(
        f"({text} >= {literal(letter)} and {text} < {literal(chr(ord(letter) + 1))})"
        for letter in first
    )
    words = ", ".join(literal(word) for word in nothing)
    is_one = f"list_contains([{words}], lower({text}))"
    return f"case when ({begins}) and {is_one} then null else {text} end"


def _number(dialect: Dialect) -> str:
    usual = Dialect()
    names = ("decimal", "thousands", "negatives", "currency_signs")
    if all(getattr(dialect, name) == getattr(usual, name) for name in names):
        return "x"
    decimal = re.escape(dialect.decimal)
    digits = rf"[0-9]+({decimal}[0-9]*)?|{decimal}[0-9]+"
    plain = rf"[+-]?({digits})([eE][+-]?[0-9]+)?"
    whens = ["when x is null then null"]
    whens.append(
        f"when regexp_full_match(x, {literal(plain)}) then replace(x, {literal(dialect.decimal)}, '.')"
    )
    marks = "".join(_in_class(mark) for mark in dialect.thousands)
    grouped = rf"[0-9]{{1,3}}([{marks}][0-9]{{3}})+({decimal}[0-9]*)?|{digits}" if marks else digits
    space = "[ \u00a0\u202f]*"
    signs = "|".join(re.escape(sign) for sign in dialect.currency_signs)
    sign = f"({space}({signs}))?{space}" if signs else space
    forms = [rf"[+]?({grouped})"]
    if "leading" in dialect.negatives:
        forms = [rf"[+{_MINUS}-]?{sign}({grouped})"]
    if "trailing" in dialect.negatives:
        forms.append(rf"({grouped}){space}[{_MINUS}-]")
    if "brackets" in dialect.negatives:
        forms.append(rf"[(]{sign}({grouped}){sign}[)]")
    form = rf"(?i){sign}({'|'.join(f'({form})' for form in forms)}){sign}"
    # neither a currency sign nor a mark between thousands holds one of these
    is_negative = f"contains(x, '-') or contains(x, '{_MINUS}') or contains(x, '(')"
    kept = f"regexp_replace(x, {literal(f'[^0-9{_in_class(dialect.decimal)}]')}, '', 'g')"
    whens.append(
        f"when regexp_full_match(x, {literal(form)}) then case when {is_negative} then '-' else '' end"
        f" || replace({kept}, {literal(dialect.decimal)}, '.')"
    )
    return f"case {' '.join(whens)} else {_SAID} end"


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
        f" then coalesce(strftime(try_strptime({day}, {literal(form)}), '%Y-%m-%d'), {_SAID})"
        for form in dialect.dates
    ]
    read = f"case {' '.join(whens)} else {_SAID} end"
    turned = _turned(dialect.dates[0])
    return f"coalesce({turned}, {read})" if turned else read


def _turned(form: str) -> str | None:
    """SQL of a date as most files write it, its digits put into ISO's order: half of strptime's time.

    Null for any other text and for a day that there is not. None for a form that is more than day,
    month, year and marks between them, or ISO's own.
    """
    found = re.fullmatch(r"%([dmY])([^%\\\w]?)%([dmY])\2%([dmY])", form)
    if not found or form == "%Y-%m-%d" or len({*found.group(1, 3, 4)}) < 3:
        return None
    signs, mark = found.group(1, 3, 4), re.escape(found.group(2))
    shape = f"^{mark.join('([0-9]{4})' if sign == 'Y' else '([0-9]{2})' for sign in signs)}$"
    order = "-".join(f"\\{signs.index(sign) + 1}" for sign in "Ymd")
    turned = f"nullif(regexp_replace(x, {literal(shape)}, {literal(order)}), x)"
    return f"try_cast({turned} as date)::varchar"


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
        f" then coalesce(strftime(try_strptime(x, {literal(form)}), '%Y-%m-%dT%H:%M:%S'), {_SAID})"
        for form in (*dialect.timestamps, *dialect.dates)
    ]
    return f"case {' '.join(whens)} else {_SAID} end"


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
        f" when x is null then null else {_SAID} end"
    )


def _negated() -> str:
    return (
        "case when regexp_full_match(x, '-[0-9.].*') then substr(x, 2)"
        " else regexp_replace(x, '^[+]?([0-9.])', '-\\1') end"
    )


@cache
def country_names() -> dict[str, str]:
    """Names of countries in the languages of Western Europe, and ISO alpha-3 -> code.

    Without accents and in small letters. A name that two languages give to two countries is none.
    """
    known = set(countries())
    found: dict[str, set[str]] = {}
    for language in _COUNTRY_LANGUAGES:
        for code, name in Locale(language).territories.items():
            if str(code) in known:
                found.setdefault(_folded(str(name)), set()).add(str(code))
    for alias, codes in get_global("territory_aliases").items():
        if alias.isalpha() and len(alias) == 3 and len(codes) == 1 and codes[0] in known:
            found.setdefault(alias.lower(), set()).add(codes[0])
    names = {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}
    return names | _COUNTRY_ALIASES


def _country() -> str:
    """A name's place in the type `country_name` is that of its code among the codes: looked up in no map."""
    name = f"lower(strip_accents(replace(x, '\u2019', {literal(_APOSTROPHE)})))"
    place = f"2 * enum_code(try_cast({name} as country_name))::bigint + 1"
    code = "case when strlen(x) = 2 then upper(x) else x end"
    return f"coalesce(substr({literal(''.join(country_names().values()))}, {place}, 2), {code})"


def _folded(name: str) -> str:
    import unicodedata

    marks = unicodedata.normalize("NFD", name.replace("\u2019", _APOSTROPHE))
    return "".join(c for c in marks if not unicodedata.combining(c)).lower()
