"""The page: sections of every language in one HTML file that may load nothing (its own policy says so)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dagster_project.lib.release.manifest import Manifest
from dagster_project.lib.report.blocks import Section
from dagster_project.lib.report.said import Said

FOLDER = Path(__file__).with_name("page")
NAMES = {"en": "English", "fr": "Français"}


def render(manifest: Manifest, sections: Mapping[str, Sequence[Section]]) -> str:
    """The whole file."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _text("style.css"), _text("script.js")
    policy = manifest.policy
    page: str = environment.get_template("page.html.j2").render(
        manifest=manifest,
        policy=(policy.file if policy and policy.file else "default")
        + f" ({manifest.policy_sha256[:8]})",
        parts=[
            (Said(language, currency=manifest.reporting_currency), NAMES[language], said)
            for language, said in sections.items()
        ],
        names=NAMES,
        style=Markup(style),
        script=Markup(script),
        allowed=_content_policy(script),
    )
    return page


def _content_policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
