"""Statements to Spark by the connection of dbt's own profile: session, Connect or Thrift server alike.

Imports dbt-spark, so only a run on Spark imports it (the extra `spark`).
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.spark.session import start_session
from dagster_project.lib.warehouse.dbt_project import PROJECT
from dagster_project.settings import Settings, current_environment

ANSI = "spark.sql.ansi.enabled"
# of a name in what a session of HiveServer2's protocol is opened with: Spark then takes it for its own
OF_SESSION = "set:hiveconf:"
# without these Spark makes a null of an overflow, cuts the digits of a product, moves times
EXACT = {
    ANSI: "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


class SparkError(Exception):
    """Spark cannot be reached or does not do what was asked; the text names the setting and the remedy."""


@dataclass(frozen=True)
class Answer:
    """What a statement returned, with the part of DuckDB's interface that our readers use."""

    description: Sequence[tuple[Any, ...]]
    found: Sequence[Sequence[Any]]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return [tuple(row) for row in self.found]


class SparkConnection:
    """One connection to Spark."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def execute(self, statement: str) -> Answer:
        """Runs one statement to its end."""
        cursor = self._handle.cursor()
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
        return Answer(cursor.description or [], rows or [])


@contextmanager
def spark_connection(settings: Settings) -> Iterator[SparkConnection]:
    """A connection as dbt's profile describes it.

    Raises:
        SparkError: the server does not answer.
    """
    from dbt.adapters.contracts.connection import Connection, Identifier
    from dbt.adapters.spark.connections import SparkConnectionManager

    try:
        prepare_spark(settings)
        connection = Connection(
            type=Identifier("spark"), name="kam", credentials=_credentials(settings.engine)
        )
        SparkConnectionManager.open(connection)
    except Exception as error:
        raise SparkError(
            f"{settings.engine}: {_said(error)}\n"
            "Check that it runs (a session needs Java 17) and the section spark of the settings."
        ) from error
    try:
        yield SparkConnection(connection.handle)
    finally:
        connection.handle.close()


def _said(error: Exception) -> str:
    """One line of at most 300 characters: Java's go on with a stack."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def prepare_spark(settings: Settings) -> None:
    """Starts the session where this process has one."""
    keep_settings()
    if settings.engine in ("spark_session", "spark_connect"):
        start_session(settings)


def assert_exact(spark: SparkConnection) -> None:
    """A server may hold on to its own settings: then nothing is computed.

    Raises:
        SparkError: names the setting that the server does not take.
    """
    for name, wanted in EXACT.items():
        found = str(spark.execute(f"set {name}").fetchall()[0][1])
        if found.lower() != wanted.lower():
            raise SparkError(f"Spark has {name}={found}; let it take {wanted} from its clients")


def keep_settings() -> None:
    """Lets every session of dbt-spark 1.11 have what the profile says.

    It turns ANSI mode off by force (an overflow or a wrong cast would be a silent null), and names settings to a
    Thrift server in a way that Spark does not read. They go with the opening of the session: dbt opens one for
    each node, and a statement for each setting was three of four statements.
    """
    from dbt.adapters.spark.connections import SparkConnectionMethod, SparkCredentials

    if getattr(SparkCredentials, "keeps_settings", False):
        return
    complete = SparkCredentials.__post_init__

    def __post_init__(self: Any) -> None:
        complete(self)
        self.server_side_parameters[ANSI] = "true"
        if self.method == SparkConnectionMethod.THRIFT:
            self.server_side_parameters = {
                OF_SESSION + name.removeprefix(OF_SESSION): value
                for name, value in self.server_side_parameters.items()
            }

    SparkCredentials.__post_init__ = __post_init__
    SparkCredentials.keeps_settings = True


def _credentials(target: str) -> Any:
    """The profile's target, rendered from the environment by dbt."""
    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context

    set_invocation_context(current_environment())
    set_from_args(Namespace(PROFILES_DIR=str(PROJECT), PROJECT_DIR=str(PROJECT)), None)
    return load_profile(str(PROJECT), {}, target_override=target).credentials
