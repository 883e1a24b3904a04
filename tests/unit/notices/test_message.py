"""What a notice says, word by word, in both languages."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.notices.message import (
    TEXTS_FILE,
    Failure,
    of_failure,
    of_release,
    short_lines,
)
from dagster_project.lib.notices.news import AtRisk, Mover, Moves, News, Risk

ALL = ("moves", "at_risk", "failures")
NOBODY = Moves(accounts=0, revenue=Decimal(0), shown=[])


def mover(name: str, **given: object) -> Mover:
    told = {"account_key": name, "from_tier": "B", "to_tier": "A", "cause": None, "revenue": "1"}
    return Mover.model_validate(told | {"account_name": name} | given)


NEWS = News(
    release_id="20260102T060000Z-abcdef01",
    previous_release_id="20260101T060000Z-abcdef00",
    as_of="2026-01-01",
    currency="EUR",
    tier="A",
    since="release",
    entered=Moves(
        accounts=1_234,
        revenue=Decimal("1234567.8900"),
        shown=[
            mover("Fir", cause="own_value", revenue="1000.5"),
            mover("Larch", from_tier=None, cause="new_account", revenue="0"),
        ],
    ),
    left=Moves(
        accounts=1,
        revenue=Decimal("12"),
        shown=[mover("Juniper", from_tier="A", to_tier=None, revenue="12")],
    ),
    at_risk=Risk(
        accounts=2,
        value_at_risk=Decimal("4400"),
        new_accounts=1,
        new_value_at_risk=Decimal("400"),
        reasons={"trend": 2, "coverage": 1},
        shown=[
            AtRisk(
                account_key="1",
                account_name="Gorse",
                reasons=["trend", "coverage"],
                value_at_risk=Decimal(400),
                is_new=True,
            ),
            AtRisk(
                account_key="2",
                account_name="Alder",
                reasons=["trend"],
                value_at_risk=Decimal(4000),
                is_new=False,
            ),
        ],
    ),
    warnings=1,
)
ENGLISH = """Since the last release (20260101T060000Z-abcdef00):
1,234 accounts moved into A (1,234,568 EUR)
- Fir: from B, because of its own value (1,000)
- Larch: was not there before, because of being new (0)
- and 1,232 more
1 account left A (12 EUR)
- Juniper: no longer in the extracts (12)
Base at risk: 2 A accounts (4,400 EUR), 1 of them new (400 EUR)
falling revenue 2, too little time 1
- Gorse [new]: its revenue falls, gets too little time (400)
- Alder: its revenue falls (4,000)
1 check of the gate warns; see kam status

Release 20260102T060000Z-abcdef01"""
FRENCH = """Depuis la dernière publication (20260101T060000Z-abcdef00) :
1 234 comptes sont passés en A (1 234 568 EUR)
- Fir : venant de B, en raison de sa propre valeur (1 000)
- Larch : absent jusqu’ici, en raison de sa nouveauté (0)
- et 1 232 autres
1 compte a quitté la classe A (12 EUR)
- Juniper : absent des extractions (12)
Base à risque : 2 comptes A (4 400 EUR), dont 1 nouveau (400 EUR)
chiffre d’affaires en baisse 2, trop peu de temps 1
- Gorse [nouveau] : son chiffre d’affaires baisse, reçoit trop peu de temps (400)
- Alder : son chiffre d’affaires baisse (4 000)
1 contrôle donne un avertissement ; voir kam status

Publication 20260102T060000Z-abcdef01"""


@pytest.mark.parametrize(
    ("language", "title", "body"),
    [
        ("en", "Account tiers as of 2026-01-01", ENGLISH),
        ("fr", "Classes de comptes au 01/01/2026", FRENCH),
    ],
)
def test_release_in_words(language: str, title: str, body: str) -> None:
    message = of_release(NEWS, language, ALL)
    assert message is not None
    assert (message.title, message.body.replace("\u00a0", " ")) == (title, body)


def test_only_what_is_asked_for() -> None:
    moves, risk = (of_release(NEWS, "en", (section,)) for section in ("moves", "at_risk"))
    assert moves is not None and risk is not None
    assert "left A" in moves.body and "Base at risk" not in moves.body
    assert "left A" not in risk.body and "Base at risk" in risk.body
    assert of_release(NEWS.model_copy(update={"warnings": 0}), "en", ("failures",)) is None


def test_terminal_gets_three_of_each() -> None:
    many = [mover(f"n{number}") for number in range(5)]
    news = NEWS.model_copy(update={"entered": Moves(accounts=5, revenue=Decimal(5), shown=many)})
    lines = short_lines(news, "en")
    assert "- n2: from B (1)" in lines
    assert "- and 2 more" in lines
    assert not any("n3" in line for line in lines)


def test_none_and_one_are_said_as_each_language_does() -> None:
    news = NEWS.model_copy(update={"left": NOBODY})
    assert "0 accounts left A (0 EUR)" in short_lines(news, "en")
    assert "0 compte a quitté la classe A (0 EUR)" in short_lines(news, "fr")
    quiet = news.model_copy(update={"entered": NOBODY})
    assert "Nobody moved into A or out of it" in short_lines(quiet, "en")
    assert "Personne n’est entré en A ni n’en est sorti" in short_lines(quiet, "fr")


@given(st.text(max_size=60))
def test_a_name_is_one_line_whatever_it_holds(name: str) -> None:
    entered = Moves(accounts=1, revenue=Decimal(1), shown=[mover(name)])
    news = NEWS.model_copy(update={"entered": entered, "left": NOBODY})
    plain = news.model_copy(
        update={"entered": Moves(accounts=1, revenue=Decimal(1), shown=[mover("x")])}
    )
    assert len(short_lines(news, "en")) == len(short_lines(plain, "en"))
    assert all("\n" not in line and line.isprintable() for line in short_lines(news, "en"))


def test_failed_gate_names_checks_and_remedies_but_no_address() -> None:
    checks = [
        CheckResult(f"check_{n}", "contacts", "error", False, "ann@example.com is odd", "mend it")
        for n in range(10)
    ]
    failure = Failure("gate_failed", "run-1", checks=checks, live="20260101T060000Z-abcdef00")
    message = of_failure(failure, "en")
    assert message.is_failure
    assert message.title == "Account tiers: nothing published, checks failed"
    assert message.body.splitlines()[:3] == [
        "10 checks stopped the publication:",
        "- contacts: check_0: *** is odd",
        "  mend it",
    ]
    assert "- and 2 more" in message.body
    assert "The live release stays as it was (20260101T060000Z-abcdef00)." in message.body
    assert message.body.endswith("Run run-1")


@pytest.mark.parametrize("kind", ["unreadable", "failed", "behind"])
def test_other_failures_say_why_in_both_languages(kind: str) -> None:
    for language in ("en", "fr"):
        failure = Failure(kind, "run-1", lines=["crm/accounts.csv: no header"])  # type: ignore[arg-type]
        message = of_failure(failure, language)
        assert "- crm/accounts.csv: no header" in message.body
        says_nothing_is_live = "No release is live" in message.body or "Aucune" in message.body
        assert says_nothing_is_live == (kind != "behind")


def test_both_languages_say_the_same_texts_with_the_same_places() -> None:
    texts = yaml.safe_load(TEXTS_FILE.read_text(encoding="utf-8"))

    def places(said: object) -> object:
        if isinstance(said, dict):
            return {name: places(text) for name, text in said.items()}
        return sorted(re.findall(r"{\w+}", str(said)))

    assert places(texts["en"]) == places(texts["fr"])
