"""How dbt's resources appear in the graph: one key prefix and one group per floor, tests as checks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from dagster_project.lib.warehouse.dbt_checks import checked_node, floor_of, severity_of
from dagster_project.settings import load_settings


class FloorsTranslator(DagsterDbtTranslator):
    """Keys are [floor, name]; the sources that a run is given besides extracts are one asset."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """[floor, name]."""
        if dbt_resource_props["resource_type"] != "source":
            return dg.AssetKey([floor_of(dbt_resource_props), dbt_resource_props["name"]])
        if dbt_resource_props["source_name"] != "run":
            return dg.AssetKey(["sources", dbt_resource_props["name"]])
        if dbt_resource_props["name"] == "quality_results":
            return dg.AssetKey(["quality", "gate"])
        return dg.AssetKey(["sources", "run_inputs"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The floor."""
        return self.get_asset_key(dbt_resource_props).path[0]

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Marts go stale when no run has published them for the hours that the settings give."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if spec.key.path[0] != "marts":
            return spec
        hours = load_settings().freshness_hours
        return spec.replace_attributes(
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))
        )

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Each data test is a check of one asset; errors block what lies downstream."""
        test = manifest["nodes"].get(unique_id)
        if test is None or test["resource_type"] != "test":
            return None
        node = checked_node(test, manifest["nodes"])
        if node is None or self.get_asset_key(manifest["nodes"][node]) != asset_spec.key:
            return None
        return dg.AssetCheckSpec(
            name=test["name"],
            asset=asset_spec.key,
            description=test.get("description") or None,
            blocking=severity_of(test) == "error",
        )
