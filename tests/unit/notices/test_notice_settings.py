"""The settings of notices: what they take, and that no address can stand in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.notice_settings import addresses
from dagster_project.settings import SettingsError, load_settings, notice_addresses

SECRET = "s3cr3t-token"


def load(tmp_path: Path, text: str, **environment: str) -> object:
    file = tmp_path / "kam.yml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment=environment).notices


def test_defaults_and_file_and_environment(tmp_path: Path) -> None:
    plain = load_settings(None, environment={}).notices
    assert (plain.urls_variable, plain.language, plain.only) == (
        "KAM_NOTICE_URLS",
        "en",
        ("moves", "at_risk", "failures"),
    )
    assert not plain.is_asked_for
    told = load_settings(
        _file(tmp_path, "notices: {language: fr, only: [moves]}\n"),
        environment={"KAM_NOTICE_ONLY": "failures, at_risk", "KAM_NOTICE_URLS_VARIABLE": "OURS"},
    ).notices
    assert (told.urls_variable, told.language, told.only) == ("OURS", "fr", ("failures", "at_risk"))
    assert told.is_asked_for
    assert not load_settings(
        _file(tmp_path, "notices: {language: fr}\n"), environment={}
    ).notices.is_asked_for


def test_graph_gets_the_same_settings_by_its_environment(tmp_path: Path) -> None:
    for text in ("notices: {language: fr, only: [moves, failures]}\n", "landing: here\n"):
        settings = load_settings(_file(tmp_path, text), environment={})
        again = load_settings(None, environment=settings.notices.environment())
        assert again.notices == settings.notices
        assert again.notices.is_asked_for == settings.notices.is_asked_for


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"notices: {{urls: ['slack://{SECRET}']}}\n", "KAM_NOTICE_URLS"),
        (f"notices: 'json://{SECRET}'\n", "KAM_NOTICE_URLS"),
        (
            f"notices: {{urls_variable: 'json://{SECRET}'}}\n",
            "not the name of an environment variable",
        ),
    ],
)
def test_address_in_a_file_is_refused_and_not_repeated(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        load(tmp_path, text)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notices: {language: de}\n", "notices.language"),
        ("notices: {only: [gossip]}\n", "notices.only"),
        ("notices: {only: []}\n", "notices.only"),
        ("notices: {langage: fr}\n", "did you mean language"),
    ],
)
def test_what_is_not_known_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(tmp_path, text)


def test_addresses_are_parted_and_read_from_the_named_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert addresses("") == []
    assert addresses(
        " json://a/x?y=1,2  slack://b,mailtos://c:d@e?to=f@g,h@i\n\tjsons://j, json://k"
    ) == [
        "json://a/x?y=1,2",
        "slack://b",
        "mailtos://c:d@e?to=f@g,h@i",
        "jsons://j",
        "json://k",
    ]
    monkeypatch.setenv("OURS", "json://one json://two")
    monkeypatch.setenv("KAM_NOTICE_URLS", "json://other")
    settings = load_settings(None, {"notices": {"urls_variable": "OURS"}}, environment={})
    assert notice_addresses(settings) == ["json://one", "json://two"]


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "kam.yml"
    file.write_text(text, encoding="utf-8")
    return file
