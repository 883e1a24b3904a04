"""Words, numbers and the tier's sentence in the reader's language; the texts themselves are in `words.yml`.

The French sentence is made from the published `tier_reason`, so that it can say nothing else than the English one:
an override's owner and days and the months of patience are published in that sentence alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

WORDS_FILE = Path(__file__).with_name("words.yml")
LANGUAGES = ("en", "fr")
AMOUNT = re.compile(r"-?\d+\.\d{2}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Figure(str):
    """The text of a number: tables set it to the right."""

    __slots__ = ()


class Words:
    """One language: English says texts as they are."""

    def __init__(self, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise ValueError(f"--lang {language}: say one of {', '.join(LANGUAGES)}")
        self.language = language
        self._said: Mapping[str, Any] = _texts().get(language, {})

    def __call__(self, text: str, **given: object) -> str:
        """The text in this language, its places filled."""
        said = str(self._said.get("words", {}).get(text, text))
        return said.format(**given) if given else said

    def money(self, amount: Decimal | None) -> str:
        """With separators and two decimals; a dash where there is none."""
        if amount is None:
            return "-"
        english = self.language == "en"
        return Figure(f"{amount:,.2f}" if english else self._decimal(amount, "#,##0.00"))

    def number(self, number: Decimal | None, *, places: int) -> str:
        """With this many decimals; a dash where there is none."""
        if number is None:
            return "-"
        if self.language == "en":
            return Figure(f"{number:.{places}f}")
        return Figure(self._decimal(number, "0." + "0" * places))

    def percent(self, share: float | None) -> str:
        """With one decimal; a dash where there is none."""
        if share is None:
            return "-"
        if self.language == "en":
            return f"{100 * share:.1f}%"
        return self._decimal(Decimal(f"{100 * share:.1f}"), "0.0") + "\u00a0%"

    def day(self, day: date | None) -> str:
        """ISO in English, as people write it in French."""
        if day is None:
            return "-"
        return day.isoformat() if self.language == "en" else f"{day:%d/%m/%Y}"

    def month(self, day: date) -> str:
        """Year and month."""
        return f"{day:%Y-%m}" if self.language == "en" else f"{day:%m/%Y}"

    def sentence(self, reason: str) -> str:
        """`tier_reason` in this language; as it is where no pattern fits it."""
        for entry in self._said.get("sentences", ()):
            if found := re.fullmatch(entry["pattern"], reason):
                filled = {name: self._part(part or "") for name, part in found.groupdict().items()}
                return str(entry["says"]).format(**filled)
        return reason

    def _part(self, part: str) -> str:
        """One group of a sentence: a clause, an amount, a day, or words."""
        for entry in self._said.get("clauses", ()):
            if found := re.fullmatch(entry["pattern"], part):
                inner = {name: self._part(text or "") for name, text in found.groupdict().items()}
                return str(entry["says"]).format(**inner)
        if AMOUNT.fullmatch(part):
            return self.money(Decimal(part))
        return self.day(date.fromisoformat(part)) if DAY.fullmatch(part) else self(part)

    def _decimal(self, number: Decimal, pattern: str) -> str:
        # Babel's locale data takes a while to load; English needs none
        from babel.numbers import format_decimal

        # narrow no-break spaces are no spaces to a terminal's search
        text: str = format_decimal(number, format=pattern, locale=self.language)
        return text.replace("\u202f", "\u00a0")


@cache
def _texts() -> Mapping[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return texts
