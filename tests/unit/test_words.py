"""`kam explain --lang`: every branch of the macro tier_sentence has its French, and labels keep their places."""

from __future__ import annotations

import re
import string
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.lib.words import WORDS_FILE, Words

MACRO = Path(__file__).parents[2] / "dbt/macros/tier_sentence.sql"
PLAIN: dict[str, Any] = {
    "is_excluded": False,
    "excluded_reason": None,
    "override_tier": None,
    "override_owner": None,
    "override_reason": None,
    "override_valid_to": None,
    "stable_tier": "B",
    "raw_tier": "B",
    "final_tier": "B",
    "value_tier": "B",
    "patience_months": 3,
    "demotion_patience_months": 3,
    "first_invoice_date": date(2026, 6, 12),
    "is_of_group": False,
    "value_tier_reason": "share",
    "primary_scheme": "gross_margin",
    "value": Decimal("3841022.3400"),
    "reporting_currency": "EUR",
    "value_rank": 3,
    "share_before": 0.068,
    "potential": Decimal("900000.0000"),
    "potential_tier": None,
    "potential_basis": None,
}
OVERRIDDEN = {
    "override_tier": "A",
    "override_owner": "Ann (sales)",
    "override_reason": "board: keep",
    "override_valid_to": date(2026, 12, 31),
}


def published(**changed: object) -> str:
    """The sentence that the macro's own SQL makes of a row."""
    body = re.search(r"tier_sentence\(\) -%\}(.*)\{%- endmacro", MACRO.read_text(), re.S)
    assert body is not None
    row = PLAIN | changed
    types = {
        bool: "boolean",
        int: "integer",
        Decimal: "decimal(18, 4)",
        float: "double",
        date: "date",
    }
    columns = ", ".join(
        f"?::{types.get(type(value), 'varchar')} as {name}" for name, value in row.items()
    )
    with duckdb.connect() as connection:
        query = f"select {body[1]} from (select {columns}) as described"
        found = connection.execute(query, list(row.values())).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize(
    ("row", "french"),
    [
        (
            {"is_excluded": True, "excluded_reason": "intercompany"},
            "Hors classement : société du groupe ; sa valeur reste dans les totaux.",
        ),
        (
            OVERRIDDEN,
            "Fixé à A par Ann (sales) jusqu’au 31/12/2026 : board: keep (calculé : B).",
        ),
        (
            {"stable_tier": "A", "raw_tier": "C"},
            "Maintenu à A : ce mois seul donnerait C ; une baisse demande 3 mois de suite.",
        ),
        (
            {"stable_tier": "A", "raw_tier": "C", "patience_months": 5},
            "Maintenu à A : ce mois seul donnerait C ; un nouveau client garde sa meilleure classe depuis sa "
            "première facture (12/06/2026).",
        ),
        (
            {"is_of_group": True},
            "B : marge brute de son groupe 3 841 022,34 EUR, rang 3 ; les comptes devant lui pèsent "
            "6,80 % du total.",
        ),
        (
            {"is_of_group": True, "raw_tier": "A", "stable_tier": "A", "potential_tier": "A"},
            "B : B en marge brute de son groupe (3 841 022,34 EUR), A en potentiel de son groupe ; la table de "
            "décision en fait A.",
        ),
        (
            {"is_of_group": True, "value_tier_reason": "non_positive", "value": Decimal("-5.5")},
            "B : son groupe n’a pas de valeur positive en marge brute sur la période (-5,50 EUR).",
        ),
        (
            {},
            "B : marge brute 3 841 022,34 EUR, rang 3 ; les comptes devant lui pèsent 6,80 % du total.",
        ),
        (
            {"value_tier_reason": "margin_unreliable"},
            "B : trop peu de ses coûts sont connus pour le classer sur la marge.",
        ),
        ({"value_tier_reason": "no_sales"}, "B : aucune facture sur la période."),
        (
            {"value_tier_reason": "non_positive", "value": Decimal("-5.5")},
            "B : pas de valeur positive en marge brute sur la période (-5,50 EUR).",
        ),
    ],
)
def test_each_branch_has_its_french(row: dict[str, Any], french: str) -> None:
    english = published(**row)
    assert Words("fr").sentence(english).replace("\u00a0", " ") == french
    assert Words("en").sentence(english) == english


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "B: C by revenue (10.00 EUR), A by potential (900000.00 EUR a year, declared in the CRM); "
            "the decision table makes it B.",
            "B : C en chiffre d’affaires (10,00 EUR), A en potentiel (900 000,00 EUR par an, "
            "déclaré dans le CRM) ; la table de décision en fait B.",
        ),
        (
            "B: C by revenue (no invoice in the window); the decision table makes it B.",
            "B : C en chiffre d’affaires (aucune facture sur la période) ; la table de décision en fait B.",
        ),
        ("No longer in the extracts.", "Absent des extractions."),
        ("Something new.", "Something new."),
    ],
)
def test_sentences_of_the_decision_table(english: str, french: str) -> None:
    assert Words("fr").sentence(english).replace("\u00a0", " ") == french


def test_french_labels_fill_the_same_places() -> None:
    words = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))["fr"]["words"]
    for english, french in words.items():
        assert isinstance(english, str) and isinstance(french, str), english
        places = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (english, french)
        ]
        assert places[0] == places[1], english


def test_every_label_of_the_story_has_its_french() -> None:
    known = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))["fr"]["words"]
    said: set[str] = set()
    for module in ("shown_story.py", "shown_service.py"):
        code = (WORDS_FILE.parent / module).read_text(encoding="utf-8")
        texts = re.findall(r'say\(\s*((?:"[^"]+"\s*)+)', code)
        said |= {"".join(re.findall(r'"([^"]+)"', text)) for text in texts}
        said |= set(re.findall(r'\["([a-z ]+)", ', code))
        for names in re.findall(r"for name in \(([^)]*)\)", code):
            said |= set(re.findall(r'"([^"]+)"', names)) - {"value", "raw", "stable", "override"}
    assert len(said) > 30
    assert sorted(said - set(known)) == []


def test_numbers_and_days_are_of_the_language() -> None:
    french = Words("fr")
    assert french.money(Decimal("-1234.5")).replace("\u00a0", " ") == "-1 234,50"
    assert french.percent(0.1234).replace("\u00a0", " ") == "12,3 %"
    assert (french.day(date(2026, 2, 1)), Words().day(date(2026, 2, 1))) == (
        "01/02/2026",
        "2026-02-01",
    )
    with pytest.raises(ValueError, match="en, fr"):
        Words("de")
