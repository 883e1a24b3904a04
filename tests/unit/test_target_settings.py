"""The section `targets`: what it says, that no secret stands in it, and that the graph reads the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.settings import Settings, SettingsError, load_settings
from dagster_project.target_settings import VARIABLE, PostgresTarget, TargetSettings

SECRET = "hunter2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, text: str) -> Settings:
    (folder / "kam.yml").write_text(text)
    return load_settings(environment={})


def test_no_target_by_default(folder: Path) -> None:
    assert load_settings(environment={}).targets.names == ()
    assert TargetSettings().environment() == {VARIABLE: ""}


def test_empty_section_has_the_defaults(folder: Path) -> None:
    targets = read(folder, "targets: {postgres: }\n").targets
    assert targets.names == ("postgres",)
    assert targets.postgres == PostgresTarget(
        schema_name="account_tiering", reader_role="kam_reader", url_variable="KAM_POSTGRES_URL"
    )


@pytest.mark.parametrize(
    "text",
    [
        "targets: {postgres: {schema: tiers, reader_role: null, url_variable: PG}}",
        "targets: {object_store: {url: 's3://b/p/', options: {client_kwargs: {region_name: eu}, anon: false}}}",
        "targets: {postgres: {}, object_store: {url: memory://x, options: {endpoint_url: 'http://h:1'}}}",
    ],
)
def test_graph_reads_what_was_set(folder: Path, text: str) -> None:
    settings = read(folder, text)
    (folder / "kam.yml").unlink()
    again = load_settings(environment=settings.targets.environment())
    assert again.targets == settings.targets
    assert again.targets.names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"postgres: {{url: 'postgresql://u:{SECRET}@h/d'}}", "url does not belong here; .*KAM_POSTGRES_URL"),
        (f"postgres: {{password: {SECRET}}}", "password does not belong here"),
        (f"postgres: {{url_variable: 'postgresql://u:{SECRET}@h/d'}}", "not the name of a variable"),
        (f"postgres: {{schema: 'postgresql://u:{SECRET}@h/d'}}", "not a plain name"),
        ("postgres: {schema: public}", "public belongs to others"),
        ("postgres: {schema: pg_mine}", "not a plain name"),
        ("postgres: {reader_role: 'a-b'}", "not a plain name"),
        (f"object_store: {{url: 's3://k:{SECRET}@bucket/p'}}", "do not belong into the URL"),
        (f"object_store: {{url: 'abfs://c/p?sig={SECRET}'}}", "do not belong into the URL"),
        ("object_store: {url: bucket/prefix}", "not the URL of a place"),
        (f"object_store: {{url: s3://b, options: {{secret: {SECRET}}}}}", "secret is a secret; take it out"),
        (f"object_store: {{url: s3://b, options: {{key: {SECRET}}}}}", "key is a secret"),
        (
            f"object_store: {{url: s3://b, options: {{client_kwargs: {{aws_secret_access_key: {SECRET}}}}}}}",
            "client_kwargs.aws_secret_access_key is a secret",
        ),
        (
            f"object_store: {{url: s3://b, options: {{endpoint_url: 'http://u:{SECRET}@h'}}}}",
            "endpoint_url is a secret",
        ),
        ("object_store: {}", "targets.object_store.url: missing"),
        ("elsewhere: {}", "elsewhere: unknown key"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_no_secret_repeated(
    folder: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read(folder, f"targets: {{{text}}}\n")
    assert SECRET not in str(caught.value)
    assert "kam.yml" in str(caught.value)
