"""The settings of a run: where things lie and how it runs. The only reader of `os.environ`.

Belongs here: paths, source profiles, schedule, memory, threads. Business rules: the policy.
Weakest first: defaults, `kam.yml`, environment (`KAM_...`), flags of the command line.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dagster_project import notice_settings, spark_settings, target_settings
from dagster_project.lib.yaml_files import YamlFileError, first_problem, merged, read_mapping
from dagster_project.notice_settings import NoticeSettings
from dagster_project.spark_settings import Engine, SparkSettings
from dagster_project.target_settings import TargetSettings

SETTINGS_FILE = "kam.yml"
ENVIRONMENT = {
    "KAM_LANDING": "landing",
    "KAM_OUT": "out",
    "KAM_POLICY": "policy",
    "KAM_AS_OF": "as_of",
    "KAM_FULL": "full",
    "KAM_PROFILES": "profiles",
    "KAM_PROFILE_FOLDER": "profile_folder",
    "KAM_MEMORY_LIMIT": "memory_limit",
    "KAM_TEMPORARY_DIRECTORY": "temporary_directory",
    "KAM_THREADS": "threads",
    "KAM_ENGINE": "engine",
    target_settings.VARIABLE: "targets",
    "KAM_LIST_IDS": "list_ids",
}
PATHS = ("landing", "out", "policy", "profile_folder", "temporary_directory")

# Names as the installed packages read them. Dagster's variable stops the upload alone; its local
# log of events stops by its instance (`DAGSTER_INSTANCE`).
TELEMETRY_OFF = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}
DAGSTER_INSTANCE = (
    "telemetry:\n  enabled: false\n"
    # the warehouse has one writer: runs of the web UI queue up
    "concurrency:\n  runs:\n    max_concurrent_runs: 1\n"
    "event_log_storage:\n  module: dagster_project.event_log\n"
    "  class: KeptConnectionEventLogStorage\n  config:\n    base_dir: {env: DAGSTER_HOME}\n"
)


class SettingsError(ValueError):
    """A setting cannot be used; one line with its source, what is wrong and the remedy."""


class Settings(BaseModel):
    """The effective settings; `memory_limit` is in DuckDB's words, `freshness_hours` in hours.

    `temporary_directory` is for what does not fit into memory; without it that goes into the run's own folder.

    `full` builds everything anew that a run otherwise keeps from the one before. `list_ids`: by destination and
    audience, the Ids that a destination gave the lists that were loaded into it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    landing: Path = Path("data/landing")
    out: Path = Path("data/out")
    profiles: dict[str, str] = Field(default_factory=dict)
    profile_folder: Path | None = None
    policy: Path | None = None
    as_of: date | None = None
    full: bool = False
    schedule: str = "0 6 * * *"
    timezone: str = "UTC"
    freshness_hours: Annotated[int, Field(ge=1, le=8_784)] = 26
    memory_limit: str = "1GB"
    temporary_directory: Path | None = None
    threads: Annotated[int, Field(ge=1, le=1_024)] = Field(
        default_factory=lambda: os.cpu_count() or 1
    )
    engine: Engine = "duckdb"
    spark: SparkSettings = Field(default_factory=SparkSettings)
    notices: NoticeSettings = Field(default_factory=NoticeSettings)
    targets: TargetSettings = Field(default_factory=TargetSettings)
    list_ids: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(default_factory=dict)

    @field_validator(*PATHS, mode="before")
    @classmethod
    def _is_local(cls, value: object) -> object:
        if "://" in str(value):
            raise ValueError(f"{value} is not a local path; name a local folder or file")
        return Path(str(value)).expanduser() if isinstance(value, str) and value else value

    @field_validator("as_of")
    @classmethod
    def _ends_a_month(cls, day: date | None) -> date | None:
        """Windows are whole months: in mid-month the last closed one ends on its first day."""
        return day.replace(day=1) if day else None

    @field_validator("list_ids", mode="before")
    @classmethod
    def _reads_json(cls, value: object) -> object:
        """In the environment it is written as JSON."""
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError('write it as JSON: {"microsoft_ads": {"A": 4711}}') from None

    @field_validator("list_ids")
    @classmethod
    def _are_of_destinations(cls, ids: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        if ids:
            # Only who names an Id needs the destinations.
            from dagster_project.lib.audiences.destinations import checked_list_ids

            checked_list_ids(ids)
        return ids

    @field_validator("schedule")
    @classmethod
    def _has_five_fields(cls, cron: str) -> str:
        # Dagster checks the fields' ranges; importing it only for that takes over a second.
        if len(cron.split()) != 5:
            raise ValueError(f"{cron} is not a cron line of five fields; write one like 0 6 * * *")
        return cron

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{name} is no time zone; write one like Europe/Paris") from None
        return name

    @field_validator("memory_limit")
    @classmethod
    def _is_an_amount_of_memory(cls, text: str) -> str:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", text):
            raise ValueError(f"{text} is not an amount of memory; write one like 1GB or 800MB")
        return text

    @property
    def own_profiles(self) -> Path | None:
        """The folder of the company's own source profiles: the setting, or `profiles` beside the policy."""
        if self.profile_folder is not None or self.policy is None:
            return self.profile_folder
        return self.policy.parent / "profiles"

    @property
    def raw(self) -> Path:
        """Typed copies of the delivered files, rejected rows and the ledger."""
        return self.out / "raw"

    @property
    def warehouse(self) -> Path:
        """dbt's work file; with Spark the views through which later steps read its tables."""
        return self.out / "warehouse" / f"{'spark' if self.on_spark else 'warehouse'}.duckdb"

    @property
    def on_spark(self) -> bool:
        """Whether Spark computes the models."""
        return self.engine != "duckdb"

    @property
    def spark_warehouse(self) -> Path:
        """Where a Spark session of ours keeps its tables and their catalog."""
        return self.spark.warehouse or self.out / "warehouse" / "spark"

    @property
    def hand_over(self) -> Path:
        """Where run inputs lie for Spark, and tables of Spark that are no plain Parquet files."""
        return self.spark.hand_over or self.out / "warehouse" / "hand_over"

    @property
    def published(self) -> Path:
        """What others read."""
        return self.out / "published"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance."""
        return self.out / "dagster"

    @property
    def runs(self) -> Path:
        """One folder of temporary files per run."""
        return self.out / "runs"

    def profile(self, system: str) -> str:
        """The source profile of a folder under landing."""
        return self.profiles.get(system, "generic")


@dataclass
class _Sources:
    """Values as they were found, the stronger over the weaker, and where each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
        self.values = merged(self.values, values, whole=())
        self.origins.update(origins)


def load_settings(
    settings_file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The effective settings.

    Args:
        settings_file: the file of `--settings`; None = `kam.yml` here, if there is one.
        flags: settings by name, as the command line gave them; None values were not given.
        environment: instead of the process's, for tests.

    Raises:
        SettingsError: a file, variable or flag that cannot be used.
    """
    sources = _Sources()
    path = settings_file or Path(SETTINGS_FILE)
    if settings_file is not None or path.exists():
        values = _from_file(path)
        sources.add(values, {name: f"settings {path}" for name in values})
    values, origins = _from_environment(os.environ if environment is None else environment)
    sources.add(values, origins)
    given = {name: value for name, value in (flags or {}).items() if value not in (None, {}, "")}
    sources.add(given, {name: f"flag --{name.replace('_', '-')}" for name in given})
    try:
        return Settings.model_validate(sources.values)
    except ValidationError as error:
        problem = first_problem(error, Settings)
        name = problem.partition(":")[0]
        origin = sources.origins.get(name) or sources.origins.get(name.partition(".")[0])
        raise SettingsError(f"{origin or 'settings'}: {problem}") from None


def parse_profiles(texts: Iterable[str]) -> dict[str, str]:
    """`system=profile` texts as a mapping.

    Raises:
        SettingsError: a text of another form, or one system with two profiles.
    """
    profiles: dict[str, str] = {}
    for text in texts:
        system, mark, profile = (part.strip() for part in text.partition("="))
        if not (system and mark and profile):
            raise SettingsError(
                f"profile {text or 'empty'}: write it as SYSTEM=NAME, such as erp=generic"
            )
        if profiles.setdefault(system, profile) != profile:
            raise SettingsError(
                f"profile {text}: {system} already has the profile {profiles[system]}; keep one"
            )
    return profiles


def set_environment(values: Mapping[str, str]) -> None:
    """Sets variables for what this process runs and reads its settings there: dbt's profile, Dagster's graph."""
    os.environ.update(values)


def current_environment() -> Mapping[str, str]:
    """The variables as they are now, for libraries that want them handed in."""
    return os.environ


def share_settings(settings: Settings) -> None:
    """Lets Dagster's graph, which reads the environment, run with exactly these settings."""
    profiles = ",".join(f"{system}={name}" for system, name in sorted(settings.profiles.items()))
    set_environment(
        {
            "KAM_LANDING": str(settings.landing.resolve()),
            "KAM_OUT": str(settings.out.resolve()),
            "KAM_POLICY": str(settings.policy.resolve()) if settings.policy else "",
            "KAM_AS_OF": settings.as_of.isoformat() if settings.as_of else "",
            "KAM_FULL": str(settings.full).lower(),
            "KAM_PROFILES": profiles,
            "KAM_PROFILE_FOLDER": str(settings.own_profiles.resolve())
            if settings.own_profiles
            else "",
            "KAM_MEMORY_LIMIT": settings.memory_limit,
            "KAM_TEMPORARY_DIRECTORY": str(settings.temporary_directory.resolve())
            if settings.temporary_directory
            else "",
            "KAM_THREADS": str(settings.threads),
            "KAM_ENGINE": settings.engine,
            "KAM_LIST_IDS": json.dumps(settings.list_ids) if settings.list_ids else "",
            **settings.spark.environment(),
            **settings.notices.environment(),
            **settings.targets.environment(),
        }
    )


def notice_addresses(settings: Settings) -> list[str]:
    """Where notices go: secrets, read from the environment when they are needed and kept nowhere."""
    return notice_settings.addresses(os.environ.get(settings.notices.urls_variable, ""))


def disable_telemetry(dagster_home: Path | None = None) -> None:
    """Turn off the telemetry of Dagster, dbt and Great Expectations, before they are imported.

    A variable that the user has set stays. `dagster_home` becomes the process's Dagster instance; a
    `dagster.yaml` that is there already stays.
    """
    for name, value in TELEMETRY_OFF.items():
        os.environ.setdefault(name, value)
    if dagster_home is not None:
        dagster_home.mkdir(parents=True, exist_ok=True)
        instance = dagster_home / "dagster.yaml"
        if not instance.exists():
            instance.write_text(DAGSTER_INSTANCE, encoding="utf-8")
        os.environ["DAGSTER_HOME"] = str(dagster_home.resolve())


def _from_file(path: Path) -> dict[str, Any]:
    """The file's settings; relative paths in it start at its own folder."""
    try:
        values = read_mapping(path)
    except YamlFileError as error:
        raise SettingsError(f"settings {path}: {error}") from None
    _resolve(values, PATHS, path.parent)
    if isinstance(values.get("spark"), dict):
        _resolve(values["spark"], spark_settings.PATHS, path.parent)
    return values


def _resolve(values: dict[str, Any], names: Iterable[str], folder: Path) -> None:
    for name in names:
        value = values.get(name)
        if isinstance(value, str) and "://" not in value:
            values[name] = folder / Path(value).expanduser()


def _from_environment(environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for variable, name in ENVIRONMENT.items():
        text = environment.get(variable, "").strip()
        if not text:
            continue
        origins[name] = f"environment {variable}"
        if name != "profiles":
            values[name] = text
            continue
        try:
            values[name] = parse_profiles(part for part in text.split(",") if part.strip())
        except SettingsError as error:
            raise SettingsError(f"environment {variable}: {error}") from None
    sections = {"spark": spark_settings.variables(), "notices": notice_settings.VARIABLES}
    for section, variables in sections.items():
        for variable, name in variables.items():
            if text := environment.get(variable, "").strip():
                values.setdefault(section, {})[name] = text
                origins[f"{section}.{name}"] = f"environment {variable}"
    return values, origins
