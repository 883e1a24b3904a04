"""The rules of the house that dbt does not enforce, over the manifest and its YAML files.

A rule takes the project and returns one message per breach, which says what to do. Each is tested
on the project, and on a broken example, so that a rule that has gone blind shows.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.lib.warehouse import dbt_project

DBT = Path(__file__).parents[2] / "dbt"
PREFIXES = {
    "staging": r"stg_[a-z0-9]+__[a-z0-9_]+",
    "intermediate": r"int_[a-z0-9]+(_[a-z0-9]+)*",
    "marts": r"(?!stg_|int_|exp_|fct_|dim_)[a-z][a-z0-9]*(_[a-z0-9]+)*",
    "exports": r"exp_[a-z0-9_]+__[a-z0-9_]+",
}
MAY_READ_SOURCE = {"quality_results": "written by the gate, after every other model is built"}
# what the run is given from outside (policy, as_of, deliveries) belongs to no system and no floor
RUN_INPUTS = "stg_run__"
MODEL_KEYS = {"name", "description", "config", "columns", "data_tests", "time_spine"}
COLUMN_KEYS = {"name", "description", "data_type", "data_tests", "granularity"}
TEST_KEYS = {"name", "description", "arguments", "config"}
CONFIG_KEYS = {
    "access",
    "alias",
    "batch_size",
    "begin",
    "column_types",
    "concurrent_batches",
    "contract",
    "database",
    "delimiter",
    "docs",
    "enabled",
    "event_time",
    "freshness",
    "full_refresh",
    "grants",
    "group",
    "incremental_strategy",
    "lookback",
    "materialized",
    "meta",
    "on_configuration_change",
    "on_schema_change",
    "packages",
    "persist_docs",
    "post-hook",
    "pre-hook",
    "quote_columns",
    "quoting",
    "schema",
    "sql_header",
    "static_analysis",
    "tags",
    "unique_key",
}


@dataclass(frozen=True)
class Project:
    """The manifest that dbt writes, and the parsed YAML files by their path under `dbt/`."""

    manifest: dict[str, Any]
    files: dict[str, dict[str, Any]]

    def nodes(self, kind: str, folder: str = "") -> Iterator[dict[str, Any]]:
        """Nodes of a resource type, if need be of one folder of `models/`."""
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == kind and (not folder or floor_of(node) == folder):
                yield node

    def entries(self, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Entries of a section (models, seeds) of every YAML file, with the file."""
        for file, content in self.files.items():
            for entry in content.get(section) or []:
                yield file, entry


def floor_of(node: Mapping[str, Any]) -> str:
    """The folder under `models/`: staging, intermediate, marts or exports."""
    return Path(node["original_file_path"]).parts[1]


def names_follow_their_folder(project: Project) -> list[str]:
    """`stg_<system>__<entities>`, `int_...`, plain nouns, `exp_<destination>__<audience>`."""
    wrong = [
        f"{node['name']}: rename it to fit {PREFIXES[floor_of(node)]}"
        for node in project.nodes("model")
        if not re.fullmatch(PREFIXES[floor_of(node)], node["name"])
    ]
    for node in project.nodes("model", "staging"):
        system = Path(node["original_file_path"]).parts[2]
        if not node["name"].startswith(f"stg_{system}__"):
            wrong.append(f"{node['name']}: lies in staging/{system}/; name it stg_{system}__...")
    return wrong


def own_tests_are_named_for_facts(project: Project) -> list[str]:
    """Singular tests `assert_<fact>`, unit tests `<model>_<situation>`."""
    wrong = [
        f"{node['name']}: a test of its own says what holds; name it assert_<fact>"
        for node in project.nodes("test")
        if "test_metadata" not in node and not node["name"].startswith("assert_")
    ]
    for test in project.manifest["unit_tests"].values():
        if not test["name"].startswith(f"{test['model']}_"):
            wrong.append(f"{test['name']}: name it {test['model']}_<situation>")
    return wrong


def data_tests_say_their_remedy(project: Project) -> list[str]:
    """Each data test has `config: meta: remedy`, which the gate shows where it fails."""
    return [
        f"{node['name']}: add config.meta.remedy, one sentence on what to do where it fails"
        for node in project.nodes("test")
        if not node["config"].get("meta", {}).get("remedy")
    ]


def models_say_their_grain(project: Project) -> list[str]:
    """The first sentence of a description says what one row is."""
    return [
        f"{node['name']}: start its description with the grain, 'One row per ...'"
        for node in project.nodes("model")
        if not re.match(r"One row(:| per )", node["description"])
    ]


def marts_are_contracted(project: Project) -> list[str]:
    """Contract enforced, public, owned by a group, key named, every column typed and described."""
    wrong = []
    for node in project.nodes("model", "marts"):
        name, config, columns = node["name"], node["config"], node["columns"]
        key = config.get("meta", {}).get("key")
        if not config["contract"]["enforced"]:
            wrong.append(f"{name}: set config.contract to {{enforced: true}}")
        if node["access"] != "public" or not node["group"]:
            wrong.append(f"{name}: set config.access to public and name a config.group")
        if not key or not set(key) <= set(columns):
            wrong.append(f"{name}: name its key columns in config.meta.key")
        wrong += [
            f"{name}.{column['name']}: give it a data_type and a description with its unit"
            for column in columns.values()
            if not column["data_type"] or not column["description"]
        ]
    return wrong


def only_staging_reads_sources(project: Project) -> list[str]:
    """`source()` stands in staging alone."""
    return [
        f"{node['name']}: reads {parent}; read it in a staging model and use ref()"
        for node in project.nodes("model")
        for parent in node["depends_on"]["nodes"]
        if parent.startswith("source.")
        and floor_of(node) != "staging"
        and node["name"] not in MAY_READ_SOURCE
    ]


def marts_do_not_read_staging(project: Project) -> list[str]:
    """Marts and exports stand on intermediate models and marts."""
    return [
        f"{node['name']}: reads {parent}; put what it needs into an intermediate model"
        for folder in ("marts", "exports")
        for node in project.nodes("model", folder)
        for parent in (path.split(".")[-1] for path in node["depends_on"]["nodes"])
        if parent.startswith("stg_") and not parent.startswith(RUN_INPUTS)
    ]


def columns_are_named(project: Project) -> list[str]:
    """`select *` reads an import, ends a model or takes a branch of a union whole; no more."""
    wrong = []
    for node in project.nodes("model"):
        lines = node["raw_code"].splitlines()
        for number, line in enumerate(lines):
            around = [text.strip() for text in lines[max(number - 1, 0) : number + 3]]
            taken_whole = "union all" in around or not line.startswith(" ")
            if "select *" in line and "{{" not in line and not taken_whole:
                wrong.append(f"{node['name']}, line {number + 1}: name the columns in place of *")
    return wrong


def chains_are_joined_in_order(project: Project) -> list[str]:
    """DuckDB takes a recursion for billions of rows: inner joins with it end in a product of tables."""
    return [
        f"{node['name']}: join what follows resolved_chains by left joins, which are not reordered"
        for node in project.nodes("model")
        if "inner join" in node["raw_code"].partition("resolved_chains(")[2]
    ]


def config_keys_are_in_place(project: Project) -> list[str]:
    """On DuckDB dbt does not warn of a key that it does not know, and ignores it."""
    wrong = [
        f"{node['name']}: dbt knows no config {key}; correct it, or move it under config.meta"
        for kind in ("model", "seed")
        for node in project.nodes(kind)
        for key in sorted(set(node["config"]) - CONFIG_KEYS)
    ]
    for section in ("models", "seeds"):
        for file, entry in project.entries(section):
            wrong += misplaced(file, entry["name"], entry, MODEL_KEYS)
            for column in entry.get("columns") or []:
                wrong += misplaced(file, f"{entry['name']}.{column['name']}", column, COLUMN_KEYS)
    return wrong


def misplaced(file: str, name: str, entry: Mapping[str, Any], known: set[str]) -> list[str]:
    """Keys of an entry, and of the tests under it, that dbt would ignore where they stand."""
    wrong = [
        f"{file}: {name} has {key}; move it under config" for key in sorted(set(entry) - known)
    ]
    for test in entry.get("data_tests") or []:
        for kind, given in test.items() if isinstance(test, dict) else []:
            wrong += [
                f"{file}: {kind} of {name} has {key}; move it under arguments or config"
                for key in sorted(set(given) - TEST_KEYS)
            ]
    return wrong


RULES: tuple[Callable[[Project], list[str]], ...] = (
    names_follow_their_folder,
    own_tests_are_named_for_facts,
    data_tests_say_their_remedy,
    models_say_their_grain,
    marts_are_contracted,
    only_staging_reads_sources,
    marts_do_not_read_staging,
    columns_are_named,
    chains_are_joined_in_order,
    config_keys_are_in_place,
)


@pytest.fixture(scope="session")
def project() -> Project:
    """The project as dbt parses it."""
    folders = ("models", "seeds", "tests")
    paths = [path for name in folders for path in sorted((DBT / name).rglob("*.yml"))]
    files = {str(path.relative_to(DBT)): yaml.safe_load(path.read_text()) for path in paths}
    return Project(dbt_project.manifest(), files)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(project: Project, rule: Callable[[Project], list[str]]) -> None:
    breaches = rule(project)
    assert breaches == [], "\n".join(breaches)


def test_exceptions_are_still_needed(project: Project) -> None:
    reading = {
        node["name"]
        for node in project.nodes("model")
        if any(parent.startswith("source.") for parent in node["depends_on"]["nodes"])
    }
    assert set(MAY_READ_SOURCE) <= reading, "take the model out of MAY_READ_SOURCE"


def one_sided(macros: Mapping[str, Any]) -> list[str]:
    """Dispatched macros of the project that lack a variant for one of the engines."""
    own = {macro["name"] for macro in macros.values() if macro["package_name"] == "account_tiering"}
    bare = {name.split("__", 1)[1] for name in own if name.startswith(("duckdb__", "spark__"))}
    return [
        f"{engine}__{name}: write the variant of the macro {name} for {engine}"
        for name in sorted(bare & own)
        for engine in ("duckdb", "spark")
        if f"{engine}__{name}" not in own
    ]


def test_dispatched_macros_have_a_variant_for_each_engine(project: Project) -> None:
    assert one_sided(project.manifest["macros"]) == []
    made = {
        name: {"name": name, "package_name": "account_tiering"}
        for name in ("ratio", "duckdb__ratio", "spark__listagg")
    }
    assert one_sided(made) == ["spark__ratio: write the variant of the macro ratio for spark"]


Change = Callable[[dict[str, Any]], object]
MART, STAGED, TEST = "model.x.tiers", "model.x.stg_crm__accounts", "test.x.tiers_key"


def example() -> Project:
    """A project of two models and two tests that keeps every rule."""
    config = {"contract": {"enforced": True}, "meta": {"key": ["key"]}}
    mart = {
        "name": "tiers",
        "resource_type": "model",
        "original_file_path": "models/marts/tiers.sql",
        "description": "One row per account.",
        "raw_code": "with a as (\n    select * from {{ ref('b') }}\n)\n\nselect * from a",
        "depends_on": {"nodes": ["model.x.int_tiers_cut"]},
        "access": "public",
        "group": "g",
        "config": config,
        "columns": {"key": {"name": "key", "data_type": "string", "description": "Key."}},
    }
    staged = mart | {
        "name": "stg_crm__accounts",
        "original_file_path": "models/staging/crm/stg_crm__accounts.sql",
        "depends_on": {"nodes": ["source.x.crm.accounts"]},
    }
    test = {
        "name": "assert_it",
        "resource_type": "test",
        "config": {"meta": {"remedy": "Mend it."}},
    }
    entry = {
        "name": "tiers",
        "columns": [{"name": "key", "data_tests": [{"t": {"name": "n"}}]}],
    }
    nodes = {MART: mart, STAGED: staged, TEST: test}
    unit_tests = {"unit_test.x": {"name": "tiers_tied", "model": "tiers"}}
    # through JSON, so that no part is shared: a change reaches one model
    manifest = json.loads(json.dumps({"nodes": nodes, "unit_tests": unit_tests}))
    return Project(manifest, {"a.yml": {"models": [entry]}})


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        (names_follow_their_folder, (MART, "name"), "fct_tiers"),
        (names_follow_their_folder, (STAGED, "name"), "stg_erp__accounts"),
        (own_tests_are_named_for_facts, (TEST, "name"), "check_it"),
        (data_tests_say_their_remedy, (TEST, "config", "meta"), {}),
        (models_say_their_grain, (MART, "description"), "The tiers."),
        (marts_are_contracted, (MART, "config", "contract", "enforced"), False),
        (marts_are_contracted, (MART, "access"), "protected"),
        (marts_are_contracted, (MART, "config", "meta", "key"), ["other"]),
        (marts_are_contracted, (MART, "columns", "key", "description"), ""),
        (marts_are_contracted, (MART, "columns", "key", "data_type"), None),
        (
            only_staging_reads_sources,
            (MART, "depends_on", "nodes"),
            ["source.x.crm.accounts"],
        ),
        (marts_do_not_read_staging, (MART, "depends_on", "nodes"), [STAGED]),
        (
            columns_are_named,
            (MART, "raw_code"),
            "with a as (\n    select * from b\n)\nselect 1",
        ),
        (
            chains_are_joined_in_order,
            (MART, "raw_code"),
            "with a as ({{ resolved_chains('b') }})\n\nselect a.n from a inner join c on a.n = c.n",
        ),
        (config_keys_are_in_place, (MART, "config", "materialised"), "table"),
    ],
)
def test_a_broken_model_is_found(
    rule: Callable[[Project], list[str]], path: tuple[str, ...], value: object
) -> None:
    broken = example()
    assert rule(broken) == []
    place = broken.manifest["nodes"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert len(rule(broken)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.update(materialized="table"),
        lambda entry: entry["columns"][0].update(tests=[]),
        lambda entry: entry["columns"][0]["data_tests"][0]["t"].update(values=["A"]),
    ],
    ids=["on a model", "on a column", "on a test"],
)
def test_a_misplaced_key_is_found(change: Change) -> None:
    broken = example()
    change(broken.files["a.yml"]["models"][0])
    assert len(config_keys_are_in_place(broken)) == 1


def test_a_misnamed_unit_test_is_found() -> None:
    broken = example()
    broken.manifest["unit_tests"]["unit_test.x"]["name"] = "ties"
    assert len(own_tests_are_named_for_facts(broken)) == 1
