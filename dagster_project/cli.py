"""`kam`: a thin face on the Dagster graph. Nothing heavy is imported for `--help`.

Exit codes: 0 published or nothing to do, 1 anything else, 2 wrong usage or settings, 3 gate failed,
4 extracts unreadable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Account tiers of customers and prospects from CRM and ERP extracts: computed, checked, published, "
    "explained.",
)

Out = Annotated[Path | None, typer.Option("--out", help="Folder for everything a run writes.")]
Landing = Annotated[
    Path | None, typer.Option("--landing", help="Folder with <system>/<entity>.csv extracts.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="YYYY-MM-DD; whole months count. Default: first day after the last invoiced month.",
    ),
]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Business rules; YAML.")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="Settings; default: kam.yml of this folder.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine", help="duckdb (default), spark_session, spark_thrift or spark_connect."
    ),
]
Profiles = Annotated[
    list[str] | None,
    typer.Option("--profile", help="SYSTEM=NAME, the source profile of a folder; repeatable."),
]
Full = Annotated[
    bool,
    typer.Option("--full", help="Build everything anew, not only what changed since the last run."),
]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON, for programs.")]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and the log of the libraries.")
]


@app.command()
def demo(
    out: Out = None, engine: Engine = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Make the demo company's extracts, refresh, and show the tiers."""
    from dagster_project.commands import run_demo

    _run(run_demo, {"out": out, "engine": engine}, as_json=as_json, debug=debug)


@app.command()
def refresh(
    landing: Landing = None,
    out: Out = None,
    as_of: AsOf = None,
    policy: PolicyFile = None,
    profile: Profiles = None,
    engine: Engine = None,
    full: Full = False,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Land the extracts, compute the marts, pass the gate, publish one release."""
    from dagster_project.commands import run_refresh

    flags = {
        "landing": landing,
        "out": out,
        "as_of": as_of,
        "policy": policy,
        "profiles": profile,
        "engine": engine,
        "full": full or None,
    }
    _run(run_refresh, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def check(
    landing: Landing = None,
    profile: Profiles = None,
    policy: PolicyFile = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read and validate the extracts; publish nothing."""
    from dagster_project.check import run_check

    flags = {"landing": landing, "policy": policy, "profiles": profile}
    _run(run_check, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def profiles(
    name: Annotated[str, typer.Argument(help="Of a profile; without it all are listed.")] = "",
    lang: Annotated[str, typer.Option("--lang", help="en (default) or fr.")] = "en",
    policy: PolicyFile = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show which source profiles there are, and what one of them reads and how."""
    from dagster_project.check import run_profiles

    flags = {"policy": policy, "name": name, "lang": lang}
    _run(run_profiles, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def status(
    out: Out = None, settings: SettingsFile = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Show the live release, the last runs, their checks and freshness."""
    from dagster_project.commands import run_status

    _run(run_status, {"out": out}, settings=settings, as_json=as_json, debug=debug)


@app.command()
def notice(
    out: Out = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it (again) to the addresses of KAM_NOTICE_URLS.")
    ] = False,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the notice of the live release: who moved into the best tier, who left, what is at risk."""
    from dagster_project.commands import run_notice

    flags = {"out": out, "send": send or None}
    _run(run_notice, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="Key, CRM or ERP id, system:id, or name.")],
    out: Out = None,
    lang: Annotated[str, typer.Option("--lang", help="en (default) or fr.")] = "en",
    engine: Engine = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell why an account has its tier: the figures, the line, the documents, the history."""
    from dagster_project.commands import run_explain

    flags = {"out": out, "engine": engine, "account": account, "lang": lang}
    _run(run_explain, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def simulate(
    policy: PolicyFile = None,
    out: Out = None,
    moves: Annotated[
        Path | None, typer.Option("--moves", help="Write all moves into this CSV file.")
    ] = None,
    engine: Engine = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what another policy would do to the live release's accounts; publish nothing."""
    from dagster_project.simulate import run_simulate

    flags = {"policy": policy, "out": out, "moves": moves, "engine": engine}
    _run(run_simulate, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def audiences(
    destination: Annotated[
        list[str] | None,
        typer.Option("--destination", help="Of the files; repeatable. Without it all."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="The release whose files were loaded last; with --to."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A new folder for the files from there to the live release."),
    ] = None,
    out: Out = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the live release's audience files: rows, who came and left, who is left out and why.

    Additions, removals and CRM files are those since the release before: load each release's, or those that
    --since RELEASE --to DIR writes.
    """
    from dagster_project.audiences import run_audiences

    flags = {"out": out, "destinations": destination, "since": since, "to": to}
    _run(run_audiences, flags, settings=settings, as_json=as_json, debug=debug)


@app.command()
def backtest(
    out: Out = None, settings: SettingsFile = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Show how well potential a window ago told the revenue since."""
    from dagster_project.backtest import run_backtest

    _run(run_backtest, {"out": out}, settings=settings, as_json=as_json, debug=debug)


@app.command()
def forget(
    email: Annotated[
        str | None, typer.Option("--email", help="The person with this address.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Everybody with an address at this domain.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", help="An account and its people: key, CRM or ERP id, system:id."),
    ] = None,
    removals: Annotated[
        Path | None,
        typer.Option("--removals", help="Write files here that take them off the destinations."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is found.")] = False,
    out: Out = None,
    landing: Landing = None,
    engine: Engine = None,
    settings: SettingsFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take a person, a domain's people or an account out of all that the output folder keeps."""
    from dagster_project.forget import run_forget

    flags = {
        "email": email,
        "domain": domain,
        "account": account,
        "removals": removals,
        "dry_run": dry_run,
        "out": out,
        "landing": landing,
        "engine": engine,
    }
    _run(run_forget, flags, settings=settings, as_json=as_json, debug=debug)


def _run(
    command: Any,
    flags: dict[str, Any],
    *,
    settings: Path | None = None,
    as_json: bool,
    debug: bool,
) -> None:
    from dagster_project.commands import run_command

    raise typer.Exit(run_command(command, flags, settings=settings, as_json=as_json, debug=debug))
