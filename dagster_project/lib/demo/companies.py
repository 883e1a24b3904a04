"""Believable companies: name, legal form, place, numbers and web domain that fit one another."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from dagster_project.lib.demo import identifiers

_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@cache
def vocabulary() -> dict[str, Any]:
    """Return the words of ``vocabulary.yml``."""
    text = files("dagster_project.lib.demo").joinpath("vocabulary.yml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def folded(text: str) -> str:
    """Return the text without accents, as an old ERP would hold it."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def slug(text: str) -> str:
    """Return the text as a label of a web domain: lower case, a to z, 0 to 9 and hyphens."""
    kept = "".join(c if c.isalnum() else " " for c in folded(text).lower())
    return "-".join(kept.split())


def filled(pattern: str, rng: np.random.Generator) -> str:
    """Return the pattern with "#" as digits and "@" as letters of a British postal code."""
    drawn = (
        str(rng.integers(0, 10)) if c == "#" else _LETTERS[rng.integers(0, 20)] if c == "@" else c
        for c in pattern
    )
    return "".join(drawn)


@dataclass(frozen=True)
class Company:
    """A company as it truly is; the CRM and the ERP each hold a part of it.

    ``billing_*`` is its second address, which differs from the first in postal code; ``trade_name``
    is what the CRM calls it where the ERP still has the name from before a takeover.
    """

    name: str
    legal_form: str
    trade_name: str
    country: str
    currency: str
    city: str
    postal_code: str
    billing_city: str
    billing_postal_code: str
    industry: str
    domain: str
    vat_number: str
    registration_number: str

    @property
    def legal_name(self) -> str:
        """Name and legal form."""
        return f"{self.name} {self.legal_form}"


@dataclass
class CompanyMaker:
    """Draws companies whose names, numbers and domains are used once."""

    rng: np.random.Generator
    _pools: dict[str, list[str]] = field(default_factory=dict)
    _numbers: set[str] = field(default_factory=set)

    def make(self, country: str | None = None, *, renamed: bool = False) -> Company:
        """Return a new company, of a country drawn by weight where none is given.

        Only a ``renamed`` one has a trade name of its own.
        """
        countries = vocabulary()["countries"]
        if country is None:
            weights = np.array([block["weight"] for block in countries.values()], dtype=float)
            country = str(self.rng.choice(list(countries), p=weights / weights.sum()))
        block = countries[country]
        name = self._name(country)
        trade_name = self._name(country) if renamed else name
        city, postal_code = self._place(block)
        billing_city, billing_postal_code = self._place(block)
        while billing_postal_code == postal_code:
            billing_city, billing_postal_code = self._place(block)
        vat, registration = self._registered(country, city)
        return Company(
            name=name,
            legal_form=str(self.rng.choice(block["legal"])),
            trade_name=trade_name,
            country=country,
            currency=block["currency"],
            city=city,
            postal_code=postal_code,
            billing_city=billing_city,
            billing_postal_code=billing_postal_code,
            industry=self._industry(trade_name),
            domain=f"{slug(name)}.{block['tld']}",
            vat_number=vat,
            registration_number=registration,
        )

    def _name(self, country: str) -> str:
        if country not in self._pools:
            names = sorted(_all_names(country))
            self._pools[country] = [names[i] for i in self.rng.permutation(len(names))]
        return self._pools[country].pop()

    def _industry(self, name: str) -> str:
        plain = folded(name).lower()
        for industry, words in vocabulary()["industry_words"].items():
            if any(word in plain for word in words):
                return str(industry)
        return str(self.rng.choice(vocabulary()["industries"]))

    def _place(self, block: dict[str, Any]) -> tuple[str, str]:
        city = str(self.rng.choice(list(block["cities"])))
        return city, filled(str(block["cities"][city]), self.rng)

    def _registered(self, country: str, city: str) -> tuple[str, str]:
        while True:
            vat = identifiers.vat_number(country, self.rng)
            number = identifiers.registration_number(country, self.rng, vat=vat, city=city)
            if number not in self._numbers and (not vat or vat not in self._numbers):
                self._numbers.update({number, vat})
                return vat, number


def _all_names(country: str) -> set[str]:
    block = vocabulary()["countries"][country]
    by_slug: dict[str, str] = {}
    for pattern in block["patterns"]:
        for trade in block["trades"]:
            for surname in block["surnames"]:
                for place in block["places"] if "{place}" in pattern else [""]:
                    name = pattern.format(surname=surname, trade=trade, place=place)
                    by_slug[slug(name)] = name
    return set(by_slug.values())
