"""The report's texts, numbers and dates in one language: texts from `texts.yml`, forms by Babel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_currency, format_decimal, format_percent

from dagster_project.lib.words import Words

TEXTS_FILE = Path(__file__).with_name("texts.yml")
CHECKS_FILE = Path(__file__).with_name("checks.yml")
LOCALES = {"en": "en_GB", "fr": "fr_FR"}
DASH = "–"
AMOUNT_WITH_CURRENCY = re.compile(r"(-?\d+\.\d{2}) ([A-Z]{3})\b")
# What no name needs and no HTML text may hold; marks of direction stay, `bdi` holds them in.
MARKS = re.compile(r" ([:;?!%»])")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
Number = Decimal | float | int


class Said:
    """One language, one currency."""

    def __init__(self, language: str, *, currency: str) -> None:
        self.language, self.currency = language, currency
        self.locale = Locale.parse(LOCALES[language])
        self.words = Words(language)
        self._texts = _texts()

    def __call__(self, key: str, n: int | None = None, **given: object) -> str:
        """The text of a key, its places filled; `n` chooses between one and several."""
        said: Any = self._texts[key][self.language]
        if isinstance(said, Mapping):
            assert n is not None, key
            said = said[self.locale.plural_form(n)] if n != 1 else said["one"]
        places = given if n is None else given | {"n": self.count(n)}
        return self._kept_together(str(said).format(**places) if places else str(said))

    def has(self, key: str) -> bool:
        """Whether there is a text of this key: users add rules of their own."""
        return key in self._texts

    def count(self, number: Number | None) -> str:
        """A whole number with separators."""
        return self._decimal(number, "#,##0")

    def decimal(self, number: Number | None, places: int) -> str:
        """With this many decimals."""
        return self._decimal(number, "#,##0." + "0" * places if places else "#,##0")

    def money(self, amount: Number | None) -> str:
        """In whole units of the currency, which the caption names."""
        return self.count(amount)

    def hours(self, hours: Number | None) -> str:
        """In whole hours."""
        return self.count(hours)

    def short_money(self, amount: Number | None) -> str:
        """For a headline: 154.2 M with its currency; small amounts whole."""
        if amount is None:
            return DASH
        digits = 1 if abs(float(amount)) >= 1000 else 0
        return str(
            format_compact_currency(
                amount, self.currency, locale=self.locale, fraction_digits=digits
            )
        )

    def percent(self, share: Number | None, places: int = 1) -> str:
        """A share of 0..1 as percents."""
        if share is None:
            return DASH
        # a non-breaking space comes with the locale's own pattern
        pattern = str(self.locale.percent_formats[None].pattern)
        pattern = pattern.replace("#,##0", "#,##0." + "0" * places) if places else pattern
        return str(format_percent(share, format=pattern, locale=self.locale))

    def change(self, share: float | None) -> str:
        """A share with its sign."""
        return DASH if share is None else ("+" if share > 0 else "") + self.percent(share)

    def day(self, day: date) -> str:
        """1 November 2026; French counts only the first of a month as such."""
        said = str(format_date(day, "long", locale=self.locale))
        is_first = self.language == "fr" and day.day == 1
        return said.replace("1 ", "1er ", 1) if is_first else said

    def month(self, day: date) -> str:
        """November 2026."""
        return str(format_date(day, "LLLL y", locale=self.locale))

    def short_month(self, day: date) -> str:
        """Nov 2026, for an axis."""
        return str(format_date(day, "LLL y", locale=self.locale))

    def word(self, machine_word: str | None) -> str:
        """A value of a mart (own_value, under_served, ...) as people say it."""
        if machine_word is None:
            return DASH
        key = f"word_{machine_word}"
        if key in self._texts:
            return str(self._texts[key][self.language])
        return self.words(machine_word.replace("_", " "))

    def of_check(self, kind: Literal["names", "remedies"], english: str) -> str | None:
        """The name or remedy of a check; None where this language has none and the English one must do."""
        if self.language == "en":
            return english
        said = _checks()[kind].get(english)
        return None if said is None else self._kept_together(said)

    def sentence(self, reason: str | None) -> str:
        """`tier_reason` with amounts as this language writes them."""
        said = self._kept_together(self.words.sentence(clean(reason or "")))
        return AMOUNT_WITH_CURRENCY.sub(
            lambda found: f"{self.decimal(Decimal(found[1]), 2)} {found[2]}", said
        )

    def _kept_together(self, text: str) -> str:
        """French sets a space before some marks, at which no line may break."""
        return MARKS.sub("\u00a0\\1", text) if self.language == "fr" else text

    def _decimal(self, number: Number | None, pattern: str) -> str:
        if number is None:
            return DASH
        said = format_decimal(number, format=pattern, locale=self.locale)
        return "0" if said in ("-0", "−0") else str(said)


def clean(text: str) -> str:
    """Without control characters."""
    return CONTROLS.sub(" ", text)


@cache
def _checks() -> Mapping[str, Mapping[str, str]]:
    checks: dict[str, dict[str, str]] = yaml.safe_load(CHECKS_FILE.read_text(encoding="utf-8"))
    return checks


@cache
def _texts() -> Mapping[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(TEXTS_FILE.read_text(encoding="utf-8"))
    return texts
