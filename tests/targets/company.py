"""A company whose `kam refresh` sends its marts to a PostgreSQL and an object store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.pipeline.pipeline_runs import GOLDEN_AS_OF, REFRESH_SECONDS, REPOSITORY, Refreshed
from tests.targets.servers import PASSWORD

WRONG = "wr0ng-passw0rd"


class Company:
    """The golden company with a PostgreSQL and an object store in its settings."""

    def __init__(self, company: Refreshed, folder: Path, *, schema: str = "tiers") -> None:
        """Writes `kam.yml`."""
        self.company = company
        self.settings = folder / "kam.yml"
        self.store = f"file://{folder}/store"
        self.settings.write_text(
            f"landing: {company.landing}\nout: {company.out}\nas_of: {GOLDEN_AS_OF}\n"
            f"targets:\n  postgres: {{schema: {schema}, url_variable: TEST_POSTGRES_URL}}\n"
            f"  object_store: {{url: '{self.store}'}}\n"
        )

    def kam(
        self, command: str, *arguments: str, url: str, seconds: int = REFRESH_SECONDS
    ) -> tuple[int, str, str]:
        """Exit code, standard output and errors; neither may tell a password."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KAM_")}
        code = "from dagster_project.cli import app; app()"
        done = subprocess.run(
            [sys.executable, "-c", code, command, "--settings", str(self.settings), *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**environment, "TEST_POSTGRES_URL": url},
            cwd=REPOSITORY,
            check=False,
        )
        for secret in (WRONG, PASSWORD):
            assert secret not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def states(self, url: str) -> dict[str, dict[str, Any]]:
        """What `kam status` says of the targets."""
        code, said, _ = self.kam("status", "--json", url=url)
        assert code == 0
        return {target["name"]: target for target in json.loads(said)["targets"]}
