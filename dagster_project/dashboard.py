"""The dashboard in Apache Superset: writes its archive, or starts a Superset of its own with it.

    python -m dagster_project.dashboard archive --uri postgresql://... dashboard.zip
    python -m dagster_project.dashboard serve --superset .venv-dashboard --out data/out
    python -m dagster_project.dashboard photo --superset .venv-dashboard --out data/out

Superset lives in an environment of its own (`make dashboard` sets it up), so it is only ever started, not imported.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.lib.dashboard.bundle import duckdb_uri, write_bundle, write_folder
from dagster_project.lib.dashboard.folder import FOLDER, LOG, PICTURE, STATE
from dagster_project.settings import current_environment

HERE = Path(__file__).parent / "lib" / "dashboard"
USER = "admin"
HOST, PORT = "127.0.0.1", 8088
PASSWORD_VARIABLE = "KAM_DASHBOARD_PASSWORD"
START_SECONDS = 300
CONFIG = """\
SECRET_KEY = "{key}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{state}"
# signs the cookies of 127.0.0.1 alone: behind a proxy with TLS set SESSION_COOKIE_SECURE and Talisman
TALISMAN_ENABLED = False
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Superset = Annotated[Path, typer.Option("--superset", help="Environment that Superset lies in.")]
Out = Annotated[Path, typer.Option("--out", help="Output folder of the refreshes.")]
Uri = Annotated[
    str, typer.Option("--uri", help="SQLAlchemy address of the marts. Default: marts.duckdb.")
]
Schema = Annotated[str, typer.Option("--schema", help="Schema of the marts, if not the default.")]


class DashboardError(Exception):
    """The dashboard cannot be started; one line with the remedy."""


@app.command()
def archive(
    target: Annotated[Path, typer.Argument(help="Archive to write.")],
    out: Out = Path("data/out"),
    uri: Uri = "",
    schema: Schema = "",
) -> None:
    """Write the archive that a Superset imports (Dashboards, Import)."""
    write_bundle(target, uri or duckdb_uri(_marts(out)), schema=schema)
    typer.echo(f"{target}: import it in Superset under Dashboards")


@app.command()
def serve(
    superset: Superset = Path(".venv-dashboard"),
    out: Out = Path("data/out"),
    uri: Uri = "",
    schema: Schema = "",
) -> None:
    """Start Superset on 127.0.0.1:8088 with the dashboard in it, until Ctrl-C."""
    with _started(superset, out, uri or duckdb_uri(_marts(out)), schema=schema) as server:
        typer.echo(f"http://{HOST}:{PORT}/superset/dashboard/account-tiering/ (Ctrl-C ends it)")
        server.wait()


@app.command()
def photo(superset: Superset = Path(".venv-dashboard"), out: Out = Path("data/out")) -> None:
    """Start Superset, open the dashboard in a headless Chromium, check every chart, keep a picture."""
    picture = out / FOLDER / PICTURE
    with _started(superset, out, duckdb_uri(_marts(out))):
        password = _password(out / FOLDER)
        outcome = subprocess.run(
            [
                *(superset / "bin" / "python", HERE / "photo.py"),
                *(f"http://{HOST}:{PORT}", USER, picture),
            ],
            input=password,
            text=True,
            capture_output=True,
            check=False,
        )
    if outcome.returncode:
        last = (outcome.stdout or outcome.stderr).strip().splitlines()[-20:]
        raise DashboardError("\n".join(["the dashboard did not draw:", *last]))
    typer.echo(f"every chart drew: {picture}")


def _marts(out: Path) -> Path:
    database = out / "published" / "marts.duckdb"
    if not database.is_file():
        raise DashboardError(f"{database}: nothing is published there; run kam refresh or kam demo")
    return database


@contextmanager
def _started(
    superset: Path, out: Path, uri: str, *, schema: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Superset with the assets imported anew, answering; ended on the way out."""
    if not (superset / "bin" / "gunicorn").is_file():
        raise DashboardError(f"{superset}: no Superset there; make dashboard sets it up")
    folder = (out / FOLDER).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {**current_environment(), "SUPERSET_CONFIG_PATH": str(_config(folder))}
    assets = folder / "assets"
    shutil.rmtree(assets, ignore_errors=True)
    write_folder(assets, uri, schema=schema)
    log = folder / LOG
    typer.echo("preparing Superset (a minute)")
    with log.open("wb") as lines:
        prepared = subprocess.run(
            [superset / "bin" / "python", HERE / "superset_setup.py", assets, USER],
            input=_password(folder).encode(),
            stdout=lines,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
        if prepared.returncode:
            raise DashboardError(f"Superset cannot be prepared; see the end of {log}")
        server = subprocess.Popen(
            [
                *(superset / "bin" / "gunicorn", "superset.app:create_app()"),
                *("--bind", f"{HOST}:{PORT}", "--workers", "1", "--threads", "8"),
                *("--timeout", "300"),
            ],
            stdout=lines,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            _wait_for(server, log)
            yield server
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            raise DashboardError(f"Superset ended; is port {PORT} taken? See the end of {log}")
        try:
            with urllib.request.urlopen(f"http://{HOST}:{PORT}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise DashboardError(f"Superset does not answer after {START_SECONDS} s; see {log}")


def _config(folder: Path) -> Path:
    """Superset's configuration, made once: another key could not read its database any more."""
    config = folder / "superset_config.py"
    if not config.is_file():
        _write_secret(config, CONFIG.format(key=secrets.token_urlsafe(42), state=folder / STATE))
    return config


def _password(folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Of the environment, else one made and shown the first time, and kept beside the database."""
    given = (current_environment() if environment is None else environment).get(PASSWORD_VARIABLE)
    if given:
        return given
    kept = folder / "password"
    if not kept.is_file():
        _write_secret(kept, secrets.token_urlsafe(12))
        typer.echo(f"user {USER}, password {kept.read_text()} (kept in {kept})")
    return kept.read_text(encoding="utf-8")


def _write_secret(path: Path, text: str) -> None:
    """Nobody else may read it, at no moment."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """The commands, with errors in one line."""
    try:
        app()
    except DashboardError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
