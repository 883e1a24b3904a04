"""A profile is data: what its file may say, and what is refused in one clear line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.header import label_form
from dagster_project.lib.extracts.profile import (
    SHIPPED,
    ProfileError,
    load_profile,
    profile_files,
    read_profile,
)
from dagster_project.lib.extracts.profile_page import page

SHOP = """
title: {en: A shop}
dialect: {delimiters: [";"], decimal: ","}
layouts:
  bills:
    files: ["bill*"]
    columns:
      number: {labels: [Bill no], required: true}
      day:
      customer:
      sum: [Net sum]
  clients:
    files: ["client*"]
    key: [code]
    columns: {code: , name: }
entities:
  invoice_lines:
    from: bills
    joins:
      client: {table: clients, "on": "client.code = this.customer", required: true}
    columns:
      invoice_id: number
      line_id: {const: "1"}
      customer_id: client.code
      invoice_date: day
      document_type: {const: invoice}
      net_amount: sum
      currency: {const: EUR}
"""


def write(folder: Path, text: str, name: str = "shop.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_profile_is_read(tmp_path: Path) -> None:
    profile = read_profile(write(tmp_path, SHOP))
    assert profile.name == "shop"
    assert [entity for entity, _ in profile.mappings("bills")] == ["invoice_lines"]
    assert profile.mappings("clients") == []
    assert profile.joined_layouts == {"clients"}
    assert re.fullmatch(r"shop@[0-9a-f]{8}", profile.id)


def test_its_content_is_a_part_of_its_identity_and_its_description_is_not(tmp_path: Path) -> None:
    first = read_profile(write(tmp_path, SHOP)).id
    assert read_profile(write(tmp_path, SHOP.replace("A shop", "The shop"))).id == first
    assert read_profile(write(tmp_path, SHOP.replace('decimal: ","', 'decimal: "."'))).id != first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("files:", "filez:", "unknown key; did you mean files"),
        ("invoice_lines:", "invoices:", "entities.invoices is no canonical entity"),
        ("net_amount: sum", "net: sum", "net is no column of invoice_lines"),
        ("      net_amount: sum\n", "", "the required column net_amount is not mapped"),
        ("net_amount: sum", "net_amount: total", "total is no column of the layout bills"),
        ("client.code\n", "buyer.code\n", "buyer is not among the joins"),
        ("client.code\n", "client.id\n", "id is no column of the layout clients"),
        ("table: clients", "table: people", "people is not among the layouts"),
        ("from: bills", "from: papers", "papers is not among the layouts"),
        ("key: [code]", "key: [id]", "id is not among the layout's columns"),
        ('{const: "1"}', "{default: '1'}", "name one of from, sql, const"),
        ("table: clients, ", "", "name either a table"),
        ('decimal: ","', 'decimal: ";;"', "is no decimal mark"),
        ("title: {en: A shop}", "", "title: missing"),
        ("layouts:", "layouts: [", "correct the YAML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SHOP
    path = write(tmp_path, SHOP.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        read_profile(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_unknown_profile_is_said_with_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    with pytest.raises(ProfileError, match=r"'shoop' is not known.*generic.*shop"):
        load_profile("shoop", tmp_path)


def test_a_companys_own_profile_stands_before_a_shipped_one(tmp_path: Path) -> None:
    path = write(tmp_path, SHOP, "salesforce.yml")
    assert profile_files(tmp_path)["salesforce"] == path
    assert load_profile("salesforce", tmp_path).title == {"en": "A shop"}
    assert load_profile("salesforce").title != {"en": "A shop"}


def test_a_profile_may_extend_a_shipped_one(tmp_path: Path) -> None:
    text = "extends: dynamics365\ntitle: {en: Ours}\ndialect: {dates: ['%d.%m.%Y']}\n"
    ours = read_profile(write(tmp_path, text, "ours.yml"))
    base = load_profile("dynamics365")
    assert ours.title["en"] == "Ours"
    assert ours.title["fr"] == base.title["fr"]
    assert ours.dialect.dates == ("%d.%m.%Y",)
    assert ours.dialect.null_words == base.dialect.null_words
    assert ours.entities == base.entities
    labels = "extends: french_csv\nlabels: {accounts: {account_id: [Matricule]}}\n"
    french = read_profile(write(tmp_path, labels, "french.yml"))
    own, *others = french.layouts["accounts"].columns["account_id"].labels
    assert own == "Matricule"
    assert (
        tuple(others) == load_profile("french_csv").layouts["accounts"].columns["account_id"].labels
    )
    with pytest.raises(ProfileError, match="nothing is no shipped profile"):
        read_profile(write(tmp_path, "extends: nothing\n", "bad.yml"))


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yml")))
def test_a_shipped_profile_is_whole(name: str) -> None:
    profile = load_profile(name)
    assert set(profile.title) == {"en", "fr"}
    assert set(profile.describes) == {"en", "fr"}
    used = profile.joined_layouts | {
        mapping.layout for mappings in profile.entities.values() for mapping in mappings
    }
    assert used == set(profile.layouts), "a layout of which nothing is made"
    for layout in profile.layouts.values():
        forms = [
            (label_form(label), column)
            for column, labels in layout.columns.items()
            for label in (column, *labels.labels)
        ]
        owners: dict[str, set[str]] = {}
        for form, column in forms:
            owners.setdefault(form, set()).add(column)
        assert {form: names for form, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yml")))
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_its_page_names_every_file_column_and_rule(name: str, lang: str) -> None:
    profile = load_profile(name)
    text = page(profile, lang=lang)  # type: ignore[arg-type]
    assert profile.title[lang] in text  # type: ignore[index]
    for layout in profile.layouts.values():
        assert all(f"`{pattern}`" in text for pattern in layout.files)
    for entity, mappings in profile.entities.items():
        for mapping in mappings:
            assert f"## `{entity}`" in text
            assert all(f"`{column}`" in text for column in mapping.columns)
            assert all(rule.reason in text for rule in mapping.leave_out)
            assert all(rule.rule in text for rule in mapping.reject)


def test_generic_has_every_entity_and_column() -> None:
    profile = load_profile("generic")
    assert set(profile.entities) == set(load_entities())
    for name, entity in load_entities().items():
        assert list(profile.entities[name][0].columns) == list(entity.columns)
