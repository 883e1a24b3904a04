"""Normal forms and hashes of people's names and addresses: fixed vectors, and any text against plain Python."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib import reference_contact_forms as forms
from tests.dbt.rendered import FORMS, macros

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "contacts" / "forms.json").read_text("utf-8")
)
KINDS = ("email", "google_email", "tidy", "letters")
Form = Callable[[str | None], str | None]


def google(text: str | None) -> str | None:
    return forms.google_address(forms.address(text))


REFERENCE: dict[str, Form] = {
    "email": forms.address,
    "google_email": google,
    "tidy": forms.tidy,
    "letters": forms.letters,
}


def expressions(engine: str) -> dict[str, str]:
    """SQL over the column `raw`, which `bare` names where it is an address already."""
    sql = macros(engine, *FORMS)
    return {
        "email": sql["email_normalised"]("raw"),
        "google_email": sql["email_of_google"](f"({sql['email_normalised']('raw')})"),
        "tidy": sql["tidy_text"]("raw"),
        "letters": sql["letters_only"]("raw"),
        "sha256": sql["sha256_hex"]("raw"),
    }


@pytest.fixture(scope="module")
def sql_form() -> Callable[[str, list[str | None]], list[str | None]]:
    """What DuckDB makes of texts."""
    sql = expressions("duckdb")
    connection = duckdb.connect()

    def formed(kind: str, texts: list[str | None]) -> list[str | None]:
        rows = connection.execute(
            f"select {sql[kind]} from (select unnest(?::varchar[]) as raw, "
            "unnest(range(?)) as place) order by place",
            [texts, len(texts)],
        ).fetchall()
        return [row[0] for row in rows]

    return formed


@pytest.mark.parametrize("kind", KINDS)
def test_fixed_vectors(
    kind: str, sql_form: Callable[[str, list[str | None]], list[str | None]]
) -> None:
    raw = [vector[0] for vector in VECTORS[kind]]
    wanted = [vector[1] for vector in VECTORS[kind]]
    assert sql_form(kind, raw) == wanted
    assert [REFERENCE[kind](text) for text in raw] == wanted
    assert sql_form(kind, [None]) == [None]


def test_fixed_hashes(sql_form: Callable[[str, list[str | None]], list[str | None]]) -> None:
    for text, digest, _ in VECTORS["sha256"]:
        wanted = digest or hashlib.sha256(text.encode()).hexdigest()
        assert sql_form("sha256", [text]) == [wanted] == [forms.sha256(text)]
    assert sql_form("sha256", [None]) == [None]
    assert sum(vector[2] == "meta" for vector in VECTORS["sha256"]) == 5


# Letters of Europe with their marks, composed or not, and what stands between and around them.
ALPHABET = (
    "abcXYZ019éÉüñçŠőßœÆ"
    + unicodedata.normalize("NFD", "éüñçŠő")
    + " \t\u00a0\u202f\u200b.-'’_+@@<>;,:\""
)
TEXTS = st.text(alphabet=ALPHABET, max_size=14)
ADDRESSES = st.builds(
    lambda local, host: f"{local}@{host}",
    TEXTS,
    st.sampled_from(
        ["gmail.com", "GMAIL.com ", "googlemail.com", "a.fr", "b@a.fr", "x", "gmail.com.fr"]
    ),
)


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(TEXTS, ADDRESSES))
def test_any_text_is_formed_as_plain_python_does(
    text: str, sql_form: Callable[[str, list[str | None]], list[str | None]]
) -> None:
    for kind in KINDS:
        assert sql_form(kind, [text]) == [REFERENCE[kind](text)], (kind, text)
