"""The Spark session of this process: its own driver on a master, or a client of Spark Connect.

dbt-spark takes the session that is there, so it is started here, with everything that cannot be changed later.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from dagster_project.settings import Settings, set_environment

LOGGING = Path(__file__).with_name("log4j2.properties")
APPLICATION = "account-tiering"
JAVA_OPTIONS = "spark.driver.extraJavaOptions"


class SessionError(Exception):
    """The session that runs in this process is another one."""


def start_session(settings: Settings) -> Any:
    """The running session, or a new one; it ends with the process.

    Raises:
        SessionError: the process has a session with another warehouse.
    """
    # it concerns data frames of pandas, of which none goes to Spark or comes from it
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    from pyspark.sql import SparkSession

    if settings.engine == "spark_connect":
        set_environment({"SPARK_REMOTE": settings.spark.remote})
        return SparkSession.builder.remote(settings.spark.remote).getOrCreate()
    warehouse = settings.spark_warehouse.resolve()
    running = SparkSession.getActiveSession()
    if running is not None:
        there = running.conf.get("spark.sql.warehouse.dir")
        if there.removeprefix("file:").rstrip("/") != str(warehouse):
            raise SessionError(
                f"this process has a Spark session on {there}; refresh {warehouse} in another one"
            )
        return running
    warehouse.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in session_configuration(settings, warehouse).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def session_configuration(settings: Settings, warehouse: Path) -> dict[str, str]:
    """What a session must be told before it starts; `spark.conf` of the settings is stronger.

    Java options are added to ours, which hold the level of the log.
    """
    catalog = warehouse / "catalog"
    java = " ".join(
        [
            f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
            f"-Dderby.system.home={warehouse}",
            f"-Dderby.stream.error.file={os.devnull}",
            settings.spark.conf.get(JAVA_OPTIONS, ""),
        ]
    )
    return {
        "spark.master": settings.spark.master,
        "spark.app.name": APPLICATION,
        "spark.driver.host": settings.spark.driver_host,
        "spark.driver.bindAddress": settings.spark.driver_host,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(warehouse),
        # the catalog's own database, for one process at a time; a cluster's metastore goes into `spark.conf`
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={catalog};create=true",
        # else Hive leaves an empty folder per session in the system's temporary one
        "spark.hadoop.hive.downloaded.resources.dir": str(warehouse / "resources"),
        **settings.spark.conf,
        JAVA_OPTIONS: java.strip(),
    }
