"""Where Spark is and how it works: the section `spark` of the settings, `KAM_SPARK_...` in the environment.

Secrets stand in no file: a Thrift server's password is read from `DBT_ENV_SECRET_SPARK_PASSWORD`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Engine = Literal["duckdb", "spark_session", "spark_thrift", "spark_connect"]
VARIABLE = "KAM_SPARK_{}"
PATHS = ("warehouse", "hand_over")


class SparkSettings(BaseModel):
    """How a run reaches Spark, and where it leaves its tables.

    `master` and `driver_host` are the session's, `remote` is Spark Connect's, `thrift_...` the Thrift
    server's. `warehouse` is where a session keeps its tables (default: in the output folder); a server has
    its own. `hand_over` is a folder that Spark and this machine both reach, for tables that cannot be read
    where they lie (default: in the output folder). `conf` goes to Spark as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: str = "local[*]"
    driver_host: str = "127.0.0.1"
    remote: str = "sc://127.0.0.1:15002"
    thrift_host: str = "127.0.0.1"
    thrift_port: Annotated[int, Field(ge=1, le=65_535)] = 10_000
    thrift_auth: Literal["NONE", "NOSASL", "LDAP", "KERBEROS", "CUSTOM"] = "NONE"
    kerberos_service_name: str = ""
    user: str = "kam"
    warehouse: Path | None = None
    hand_over: Path | None = None
    shuffle_partitions: Annotated[int, Field(ge=1, le=100_000)] = 8
    file_format: Literal["parquet", "orc", "delta", "iceberg"] = "parquet"
    conf: dict[str, str] = Field(default_factory=dict)

    @field_validator("conf", mode="before")
    @classmethod
    def _is_a_mapping(cls, value: object) -> object:
        """A mapping, or one as JSON, as a variable holds it."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError(
                f'{value} is not JSON; write it like {{"spark.executor.memory": "4g"}}'
            ) from None

    def environment(self) -> dict[str, str]:
        """The settings as variables, which dbt's profile and the settings of a run read."""
        shown = self.model_dump(mode="json")
        return {
            VARIABLE.format(name.upper()): json.dumps(value)
            if isinstance(value, dict)
            else ("" if value is None else str(value))
            for name, value in shown.items()
        }


def variables() -> dict[str, str]:
    """Name in the environment -> name of the setting."""
    return {VARIABLE.format(name.upper()): name for name in SparkSettings.model_fields}
