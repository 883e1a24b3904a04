"""Spark as it runs elsewhere, from the pyspark package: a standalone cluster, a Thrift server, Spark Connect.

Each is processes of its own on 127.0.0.1 and free ports, with its files in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from dagster_project.lib.spark.session import LOGGING

LOCALHOST = "127.0.0.1"
START_SECONDS = 240
# Java's first compiler alone: a test lives too short for the second one to pay; errors alone are logged
SHORT_LIVED = (
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC "
    f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
)
# To generate and compile code, and to plan again after each stage, costs more than to run it on some rows
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
WORKERS = 2
DEPLOY = "org.apache.spark.deploy"


def spark_home() -> Path:
    """The folder of pyspark; Java must be there too."""
    found = find_spec("pyspark")
    assert found is not None and found.origin, "pyspark is missing: make test-spark installs it"
    assert shutil.which("java"), "java is missing: install a Java runtime 17 (.ci/run does)"
    return Path(found.origin).parent


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, arguments: list[str], *, folder: Path, port: int) -> Iterator[None]:
    """A process of Spark that listens on the port; ended in the end, its log kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    environment = os.environ | {
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": LOCALHOST,
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        # of a server too, whose memory is that of its driver
        "SPARK_DAEMON_MEMORY": "1g",
        "SPARK_DAEMON_JAVA_OPTS": SHORT_LIVED,
        "SPARK_WORKER_DIR": str(folder / name),
    }
    with log.open("wb") as written:
        process = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A master and two workers of one core each; gives the master's address."""
    launch = str(spark_home() / "bin" / "spark-class")
    port = free_port()
    master = f"spark://{LOCALHOST}:{port}"
    here = ["--host", LOCALHOST, "--webui-port", "0"]
    size = ["--cores", "1", "--memory", "1g"]
    with ExitStack() as processes:
        processes.enter_context(
            running(
                "master",
                [launch, f"{DEPLOY}.master.Master", *here, "--port", str(port)],
                folder=folder,
                port=port,
            )
        )
        for number in range(1, WORKERS + 1):
            own = free_port()
            processes.enter_context(
                running(
                    f"worker_{number}",
                    [launch, f"{DEPLOY}.worker.Worker", *here, "--port", str(own), *size, master],
                    folder=folder,
                    port=own,
                )
            )
        yield master


@contextmanager
def thrift_server(folder: Path) -> Iterator[int]:
    """A Thrift server with a warehouse of its own and a metastore (Hive's, on Derby); gives its port."""
    port = free_port()
    arguments = _server(
        folder,
        "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
        INTERPRETED | {"spark.sql.catalogImplementation": "hive"},
    )
    options = {
        "hive.server2.thrift.port": str(port),
        "hive.server2.thrift.bind.host": LOCALHOST,
        # each thread opens the metastore for itself, and the first 100 statements would have one each
        "hive.server2.async.exec.threads": "4",
    }
    for name, value in options.items():
        arguments += ["--hiveconf", f"{name}={value}"]
    with running("thrift", arguments, folder=folder, port=port):
        yield port


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """A server of Spark Connect with a warehouse of its own; gives its address.

    Its catalog is in its memory: it runs each statement in a thread of its own, which would open a metastore of
    Hive for itself (a quarter of all its work).
    """
    port = free_port()
    arguments = _server(
        folder,
        "org.apache.spark.sql.connect.service.SparkConnectServer",
        INTERPRETED
        | {
            "spark.sql.catalogImplementation": "in-memory",
            "spark.connect.grpc.binding.address": LOCALHOST,
            "spark.connect.grpc.binding.port": str(port),
        },
    )
    with running("connect", arguments, folder=folder, port=port):
        yield f"sc://{LOCALHOST}:{port}"


def _server(folder: Path, main: str, options: dict[str, str]) -> list[str]:
    options = options | {
        "spark.master": "local[2]",
        "spark.driver.host": LOCALHOST,
        "spark.driver.bindAddress": LOCALHOST,
        "spark.driver.extraJavaOptions": f"{SHORT_LIVED} -Dderby.system.home={folder}",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
    }
    arguments = [str(spark_home() / "bin" / "spark-submit"), "--class", main]
    for name, value in options.items():
        arguments += ["--conf", f"{name}={value}"]
    return [*arguments, "spark-internal"]


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((LOCALHOST, port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise AssertionError(f"{log.stem} does not listen on {port}:\n{tail}")
