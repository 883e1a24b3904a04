"""Resources: the settings and the policy that the whole graph shares, read anew by each run."""

from functools import cached_property
from pathlib import Path

import dagster as dg

from dagster_project.lib import run_folder
from dagster_project.output_folder import make_folders
from dagster_project.policy import Policy, load_policy
from dagster_project.settings import Settings, load_settings


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where a run finds its input and leaves its output, and the rules it follows."""

    @cached_property
    def settings(self) -> Settings:
        """The effective settings."""
        return load_settings()

    @cached_property
    def policy(self) -> Policy:
        """The effective policy."""
        return load_policy(self.settings.policy)

    def run_folder(self, run_id: str) -> Path:
        """The folder of one run's temporary files and results, held while the run is at work."""
        make_folders(self.settings)
        folder = self.settings.runs / run_id
        run_folder.begin(folder)
        run_folder.make_scratch(folder, self.settings.temporary_directory)
        return folder


@dg.definitions
def resources() -> dg.Definitions:
    """The resources by the names under which assets ask for them."""
    return dg.Definitions(resources={"workspace": Workspace()})
